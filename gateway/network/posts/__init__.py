"""Posts, their pictures, how they are worded for a reader, and timelines."""
