"""The command language, and what texts and mails look like: pure functions without a database or a network.

The doors, the workers and the command line call it; it imports none of them."""
