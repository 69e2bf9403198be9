"""Makes pages and catalogs from the code: the handbook, the translations."""
