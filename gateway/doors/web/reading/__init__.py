"""Pages to read: home, everyone, one update with its replies, what is to you, private talks, tags, search."""

from gateway.doors.web.shell.room import Room

ROOM = Room("reading")
