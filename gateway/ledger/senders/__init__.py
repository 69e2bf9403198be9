"""Our own numbers and the mail relay: which one sends, which is paused, what each may send a day."""
