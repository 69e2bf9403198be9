"""The doors for mail: SMTP with TLS and AUTH, and LMTP."""
