"""The work that is done after a door has accepted something: short drains over claimed rows. gateway/queue/jobs names
them by path; critter/processes/workers gives them their worker context."""
