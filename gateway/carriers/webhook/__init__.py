"""The carrier for any other gateway that speaks signed web hooks."""
