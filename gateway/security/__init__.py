"""Tokens that we sign, the signatures of Twilio and of web hooks that we check, and masks for what no log may show."""
