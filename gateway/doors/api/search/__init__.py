"""Looking for people, groups, tags and updates."""

from gateway.doors.api.frame.router import ApiRouter

ROUTER = ApiRouter("search")
