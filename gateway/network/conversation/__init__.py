"""The conversation with one phone or mailbox: what was sent, what is asked, what `more` gives next."""
