"""What was said before: quotes, attributions, forwards, and header blocks above them."""
