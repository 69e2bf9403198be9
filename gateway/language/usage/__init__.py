"""The usage lines of commands, compiled into what they accept; the help texts come from the same lines."""
