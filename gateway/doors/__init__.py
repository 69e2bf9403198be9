"""The doors, which take texts, mails and requests in: each proves the transport, commits what came and answers.
critter/processes/app builds the web application from them."""
