"""The ways in: each proves the transport, commits what came and answers. Layer 5; critter/app.py wires them."""
