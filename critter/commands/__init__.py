"""The commands, one file each: critter/cli.py finds NAME.py here and runs its `app` when `critter NAME` is called."""
