"""Mails that we send: composed once, filled for each recipient, signed with DKIM."""
