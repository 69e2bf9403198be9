"""What became of a post: for its author, in words."""
