"""Pages and catalogues that are made from the code: the handbook, the translations."""
