"""Pictures and files: detects types by content, cleans pictures, and stores files."""
