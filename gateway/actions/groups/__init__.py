"""What owners and members of groups do: they make groups, name them, let people in and put them out."""
