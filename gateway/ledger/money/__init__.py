"""Budgets, what was spent, the breaker that stops a runaway, and prices."""
