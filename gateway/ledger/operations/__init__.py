"""What operators and the clock do with the whole: heartbeats, drain, retry, dead letters, retention, metrics."""
