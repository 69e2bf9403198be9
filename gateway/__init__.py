"""What Critter knows, its ways in and its ways out."""
