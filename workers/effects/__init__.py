"""What follows from an outcome: changes to addresses that fail, and alarms for operators."""
