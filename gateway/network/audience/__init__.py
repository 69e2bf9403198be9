"""Who may read a post, who gets it, and whether it repeats what was private."""
