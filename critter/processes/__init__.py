"""Each process of the Procfile: what it opens, what it runs, how it ends."""
