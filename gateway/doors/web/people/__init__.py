"""People and groups: the directory, who somebody is, a group with its members and requests, who knows about what."""

from gateway.doors.web.shell.router import PageRouter

ROUTER = PageRouter("people")
