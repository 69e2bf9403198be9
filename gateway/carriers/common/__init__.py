"""What carriers share: the protocol, the send gate, HTTP with limits, the circuit breaker."""
