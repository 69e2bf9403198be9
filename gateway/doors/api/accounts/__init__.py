"""People and groups: who they are, who hears whom, and what somebody sets about themselves."""

from gateway.doors.api.frame.router import ApiRouter

ROUTER = ApiRouter("accounts")
