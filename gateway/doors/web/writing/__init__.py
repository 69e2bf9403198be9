"""What is written on pages: updates, replies, private messages, reactions; and how it is taken back."""

from gateway.doors.web.shell.room import Room

ROOM = Room("writing")
