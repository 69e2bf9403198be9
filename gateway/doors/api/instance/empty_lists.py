"""What clients ask for and Critter does not have: the answer is that there is none of it, for a client that gets 404
there may not start at all. Whatever comes later leaves this list."""

from collections.abc import Callable
from typing import Any, Final

from gateway.doors.api.accounts import account_lookup
from gateway.doors.api.frame.call import ApiCall
from gateway.doors.api.frame.router import Who
from gateway.doors.api.instance import ROUTER

# Address, scope, who may ask, what it would be a list of.
LISTS: Final[tuple[tuple[str, str, Who, str], ...]] = (
    ("/api/v1/custom_emojis", "", "anyone", "Pictures that stand for words; Unicode's are used."),
    ("/api/v1/announcements", "", "person", "Announcements; a broadcast group is used."),
    ("/api/v1/filters", "read:filters", "person", "Filters by words, as older clients know them."),
    ("/api/v2/filters", "read:filters", "person", "Filters by words."),
    ("/api/v1/trends", "", "anyone", "Tags that are used much now."),
    ("/api/v1/trends/tags", "", "anyone", "Tags that are used much now."),
    ("/api/v1/trends/statuses", "", "anyone", "Updates that are read much now."),
    ("/api/v1/trends/links", "", "anyone", "Pages that are linked to much now."),
    ("/api/v1/featured_tags", "read:accounts", "person", "Tags that one shows on one's page."),
    ("/api/v1/featured_tags/suggestions", "read:accounts", "person", "Tags that one might show."),
    ("/api/v1/endorsements", "read:accounts", "person", "People whom one recommends."),
    ("/api/v1/suggestions", "read", "person", "People whom one might follow."),
    ("/api/v2/suggestions", "read", "person", "People whom one might follow."),
    ("/api/v1/domain_blocks", "read:blocks", "person", "Blocked servers; there are no others."),
    ("/api/v1/instance/peers", "", "anyone", "Other servers; there are none."),
    ("/api/v1/instance/activity", "", "anyone", "Figures by weeks."),
    ("/api/v1/instance/domain_blocks", "", "anyone", "Servers that are kept out; there are none."),
)


def _empty(about: str) -> Callable[[ApiCall], list[dict[str, Any]]]:
    def view(call: ApiCall) -> list[dict[str, Any]]:
        return []

    view.__doc__ = f"{about} There are none."
    return view


for place, scope, who, about in LISTS:
    ROUTER.get(place, *([scope] if scope else []), who=who)(_empty(about))


@ROUTER.get("/api/v1/accounts/<id:account_id>/featured_tags", "read:accounts")
def featured(call: ApiCall, account_id: int) -> list[dict[str, Any]]:
    """Tags that somebody shows on their page. There are none."""
    account_lookup.active(call, account_id)
    return []


@ROUTER.get("/api/v1/instance/translation_languages", who="anyone")
def translations(call: ApiCall) -> dict[str, list[str]]:
    """From which languages updates are translated into which. Nothing is translated."""
    return {}
