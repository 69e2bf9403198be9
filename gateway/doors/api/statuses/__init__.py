"""Updates: what an app shows of each, and what somebody does with them."""

from gateway.doors.api.frame.router import ApiRouter

ROUTER = ApiRouter("statuses")
