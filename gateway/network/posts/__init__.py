"""Posts, their files, how they are worded for a reader, and timelines."""
