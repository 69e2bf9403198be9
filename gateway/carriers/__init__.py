"""The carriers by name: one line each, with what they call back."""
