"""The OAuth 2 server: Authlib's rules on our tables. Pages ask people there, the API gives tokens."""
