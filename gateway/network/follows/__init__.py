"""Who follows whom: people, groups and tags; mutes, blocks, nudges, and how to take a follow back."""
