"""Apps: they register, get tokens and give them back. People let them in on a page (gateway/doors/web/apps)."""

from gateway.doors.api.frame.router import ApiRouter

ROUTER = ApiRouter("apps")
