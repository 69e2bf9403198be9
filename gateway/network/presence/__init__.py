"""Who is on the web, and what is to become of what they do not see there."""
