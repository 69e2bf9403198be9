"""The kinds of settings: how their text is read, and how a model declares them."""
