"""What reaches one and how: ways, quiet hours, digests; phones and mailboxes; name, language, sessions, data."""

from gateway.doors.web.shell.room import Room

ROOM = Room("settings")
