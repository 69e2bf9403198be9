"""Lists of updates by pages: takes a list of network/feeds/post_lists to the answer, with the addresses of the pages
beside it."""

from typing import Any

from gateway.doors.api.frame.call import ApiCall
from gateway.doors.api.frame.paging import Paging, link
from gateway.doors.api.statuses.describing import statuses
from gateway.doors.api.statuses.entities import Status
from gateway.network.feeds import post_lists
from gateway.network.feeds.post_lists import PostList

MOST = 40


def list_statuses(
    call: ApiCall, of: PostList, given: Paging, *, by_groups: bool = False, **of_what: Any
) -> list[Status]:
    """`of_what`: what the list is of, as the list says."""
    asked = given.range(MOST)
    found = post_lists.page(call.session, of, call.account.id, asked, **of_what)
    link(call, [item.id for item in found.items], asked, more=found.more)
    return statuses(call, found.items, by_groups=by_groups)
