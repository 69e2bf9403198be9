"""The command language and the shapes of texts and mails: pure functions, no database, no network.

The doors, the workers and the command line call it; it knows nothing of them."""
