"""A visit to a page: who asks, by which session, with which form; and what is answered when it cannot be done."""
