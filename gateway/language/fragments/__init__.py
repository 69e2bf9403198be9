"""Long texts that a gateway cut and marked as parts: finding the marks, and joining the parts in any order."""
