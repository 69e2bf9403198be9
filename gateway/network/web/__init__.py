"""What is kept of people who use the web: sessions, how far they have read, drafts, how pages look. gateway/doors/web
and gateway/actions call it."""
