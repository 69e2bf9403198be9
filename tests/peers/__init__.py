"""Against the mail programs that everybody else runs: `make peers`. Each is skipped with what installs it."""
