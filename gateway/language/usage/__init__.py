"""Compiles the usage lines of commands into what they accept; the help texts come from the same lines."""
