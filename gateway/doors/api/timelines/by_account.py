"""What a person wrote, and what was written in a group."""

from gateway.doors.api.accounts import account_lookup
from gateway.doors.api.frame.call import ApiCall
from gateway.doors.api.frame.paging import Paging
from gateway.doors.api.statuses.entities import Status
from gateway.doors.api.statuses.lists import list_statuses
from gateway.doors.api.timelines import ROUTER
from gateway.network.feeds import post_lists


class AccountStatuses(Paging):
    """`pinned`: only what they pinned; `tagged`: only with this tag."""

    exclude_replies: bool = False
    exclude_reblogs: bool = False
    only_media: bool = False
    pinned: bool = False
    tagged: str = ""


@ROUTER.get("/api/v1/accounts/<id:account_id>/statuses", "read:statuses")
def statuses(call: ApiCall, account_id: int, given: AccountStatuses) -> list[Status]:
    """What a person wrote or passed on, or what was written in a group, as far as the one who asks may read it."""
    account = account_lookup.active(call, account_id)
    if given.pinned:
        return list_statuses(call, post_lists.PINNED, given, account=account_id)
    of = post_lists.IN_GROUP if account.kind == "group" else post_lists.BY_PERSON
    tag = given.tagged.lstrip("#").casefold()
    return list_statuses(
        call, of, given, account=account_id, exclude_replies=given.exclude_replies, only_media=given.only_media,
        exclude_reblogs=given.exclude_reblogs, by_tag=bool(tag), tagged=[tag], by_groups=account.kind == "group",
    )  # fmt: skip
