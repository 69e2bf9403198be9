"""The installation as apps ask about it before anybody signs in: what it is, what it can, how large it is."""

from gateway.doors.api.frame.router import ApiRouter

ROUTER = ApiRouter("instance")
