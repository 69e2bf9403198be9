"""Who hears whom: people and groups, their phones and mailboxes, who follows whom, and who may read a post. Layer 3."""
