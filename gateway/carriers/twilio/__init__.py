"""Twilio: sending, status callbacks, error codes, prices, media, lists and redaction."""
