"""What all actions share: who acts, what must be confirmed first, and what is recorded."""
