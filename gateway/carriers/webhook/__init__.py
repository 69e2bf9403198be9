"""Any other gateway that speaks signed web hooks."""
