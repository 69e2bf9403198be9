"""Mails: decoding them, finding their writer's own words, bounces, composing, and proving who wrote them."""
