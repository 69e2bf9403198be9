"""One descriptor for each carrier, and the registry of them."""
