"""What runs later: short drains over claimed rows. The bell names them by path; critter/processes/workers gives them
their room."""
