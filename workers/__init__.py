"""What runs later: short drains over claimed rows. The bell names them by path; critter/room gives them their room."""
