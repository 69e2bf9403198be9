"""What carriers are and share: the protocol, the last look before sending, HTTP with limits, the circuit breaker."""
