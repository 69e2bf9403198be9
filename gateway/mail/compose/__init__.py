"""Composes the mails that we send: once per message, then filled for each recipient and signed with DKIM."""
