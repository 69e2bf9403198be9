"""What somebody keeps for themselves in an app: marks, lists, what they dismissed. Nobody else notices, and `undo`
passes it by."""
