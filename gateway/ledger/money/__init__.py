"""Budgets, what was spent, the breaker that stops runaway spending, and prices."""
