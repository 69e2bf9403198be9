"""A mail's writer, and what they wrote in it themselves."""
