"""What is to somebody, and their private talks."""

from gateway.doors.api.frame.router import ApiRouter

ROUTER = ApiRouter("notifications")
