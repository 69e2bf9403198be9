"""Lists of updates as pages and the API show them: what stands in a feed, and what is known about each item."""
