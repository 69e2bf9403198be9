"""Long texts that a gateway cut and marked as parts: finds the marks, and joins the parts in any order."""
