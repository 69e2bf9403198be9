"""Pages to read: home, everyone, one update with its replies, what is to you, private talks, tags, search."""

from gateway.doors.web.shell.router import PageRouter

ROUTER = PageRouter("reading")
