"""People and groups: accounts, handles, phones and mailboxes, consent, invitations."""
