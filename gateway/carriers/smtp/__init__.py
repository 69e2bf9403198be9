"""The mail relay: connections, handshakes, transactions, replies."""
