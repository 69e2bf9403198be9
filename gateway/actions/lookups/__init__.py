"""Actions that only look something up."""
