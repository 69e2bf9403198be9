"""What somebody likes, and what they marked to find it again. Nobody else sees the second."""

from gateway.doors.api.frame.call import ApiCall
from gateway.doors.api.frame.paging import Paging
from gateway.doors.api.statuses.entities import Status
from gateway.doors.api.statuses.lists import list_statuses
from gateway.doors.api.timelines import ROUTER
from gateway.network.feeds import post_lists


@ROUTER.get("/api/v1/favourites", "read:favourites")
def favourites(call: ApiCall, given: Paging) -> list[Status]:
    """What the person likes; the order is that of the updates."""
    return list_statuses(call, post_lists.LIKED, given)


@ROUTER.get("/api/v1/bookmarks", "read:bookmarks")
def bookmarks(call: ApiCall, given: Paging) -> list[Status]:
    """What the person marked; the order is that of the updates."""
    return list_statuses(call, post_lists.MARKED, given)
