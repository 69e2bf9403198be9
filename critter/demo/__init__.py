"""The demo company and pretended followers, for simulated installations alone."""
