"""What operators and the clock do: heartbeats, drain, retry, dead letters, retention, metrics."""
