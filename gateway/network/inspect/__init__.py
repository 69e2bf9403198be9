"""What operators look up: one input, one delivery, one person, one report. Never what was said in private."""
