"""What operators look up: one input, one delivery, one person, one report. It never shows what was said in private."""
