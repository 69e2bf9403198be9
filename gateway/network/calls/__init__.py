"""Posts that ask each of their readers to answer, and the rows of who is asked."""
