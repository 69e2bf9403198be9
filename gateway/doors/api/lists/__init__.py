"""Lists of people and groups that somebody reads together; each group that they are in is one, too."""

from gateway.doors.api.frame.router import ApiRouter

ROUTER = ApiRouter("lists")
