"""What came in and what must go out: each row is accepted once, claimed by one worker, settled once."""
