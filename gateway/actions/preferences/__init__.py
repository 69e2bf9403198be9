"""How, when and where things come to somebody, as they set it."""
