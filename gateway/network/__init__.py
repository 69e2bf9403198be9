"""People and groups, their phones and mailboxes, who follows whom, and who may read a post."""
