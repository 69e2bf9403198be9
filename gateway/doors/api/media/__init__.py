"""Files: uploaded for an update, and shown to its readers."""

from gateway.doors.api.frame.router import ApiRouter

ROUTER = ApiRouter("media")
