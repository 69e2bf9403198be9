"""Recognises the history in a mail: quotes, attributions, forwards, and header blocks above them."""
