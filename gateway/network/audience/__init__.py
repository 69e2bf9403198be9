"""Who may read a post, who gets it, what must not leave, and whether it repeats what was private."""
