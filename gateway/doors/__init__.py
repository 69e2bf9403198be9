"""The ways in: each proves the transport, commits what came and answers. Layer 5; critter/processes/app.py wires
them."""
