"""Web Push (RFC 8030): encrypted for each device (RFC 8291), signed as ours (VAPID, RFC 8292)."""
