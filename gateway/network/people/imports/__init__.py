"""People from a CSV file: read, planned, then carried out."""
