"""Messages, their deliveries and attempts: queued, claimed, settled, called back, in doubt."""
