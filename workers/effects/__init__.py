"""What follows from an outcome: addresses that fail, alarms for operators."""
