"""The command line's way into the installation: its settings and database, prompts, and quick help."""
