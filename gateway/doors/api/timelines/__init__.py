"""Lists of updates: home, everyone, a tag, a list of one's own, a person or group, what one likes or marked."""

from gateway.doors.api.frame.router import ApiRouter

ROUTER = ApiRouter("timelines")
