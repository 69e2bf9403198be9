"""The carriers by name, with what each of them calls back."""
