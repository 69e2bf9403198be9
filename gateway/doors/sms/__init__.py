"""The doors for texts: Twilio, Kannel, web hooks, and the fallback."""
