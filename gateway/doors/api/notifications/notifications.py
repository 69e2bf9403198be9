"""What is to somebody: who named, answered or wrote to them, likes or passed on what they wrote, follows them, or asks
to join a group of theirs."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Final, Literal

from pydantic import BeforeValidator
from werkzeug.exceptions import NotFound

from gateway.actions.personal import dismissing
from gateway.doors.api.accounts.entities import Account, accounts_of
from gateway.doors.api.frame import paging
from gateway.doors.api.frame.call import ApiCall
from gateway.doors.api.frame.fields import Empty, Entity, Id, Moment, Parameters
from gateway.doors.api.frame.paging import Paging, link
from gateway.doors.api.notifications import ROUTER
from gateway.doors.api.statuses.describing import statuses
from gateway.doors.api.statuses.entities import Status
from gateway.network.feeds import to_you
from gateway.network.feeds.to_you import Notice
from gateway.network.web import read_marks
from gateway.store.id_range import IdRange

NotificationType = Literal["mention", "reblog", "follow", "follow_request", "favourite"]
# What is to somebody → as clients call it. A nudge has no word there.
TYPES: Final[Mapping[str, NotificationType]] = {
    "mention": "mention", "reply": "mention", "private": "mention", "like": "favourite", "repeat": "reblog",
    "follow": "follow", "request": "follow_request",
}  # fmt: skip
USUAL: Final = 40
MOST_COUNTED: Final = 1_000


class Notification(Entity):
    """`group_key`: each stands by itself."""

    id: Id
    type: NotificationType
    created_at: Moment
    group_key: str
    account: Account
    status: Status | None = None


class NotificationParameters(Paging):
    """`types`: only these; `exclude_types`: without these; `account_id`: only from them."""

    limit: Annotated[int, BeforeValidator(paging.bounded)] = USUAL
    types: tuple[str, ...] = ()
    exclude_types: tuple[str, ...] = ()


class CountParameters(Parameters):
    """`limit`: how many are counted at most."""

    limit: int = 100
    types: tuple[str, ...] = ()
    exclude_types: tuple[str, ...] = ()


class UnreadCount(Entity):
    count: int


@ROUTER.get("/api/v1/notifications", "read:notifications")
def notifications(call: ApiCall, given: NotificationParameters) -> list[Notification]:
    """The newest first."""
    asked, kinds = given.range(), _kinds(given.types, given.exclude_types)
    found = to_you.page(call.session, call.account.id, asked, kinds)
    link(call, [each.key for each in found.notices], asked, more=found.more)
    return _described(call, found.notices)


@ROUTER.get("/api/v1/notifications/unread_count", "read:notifications")
def unread(call: ApiCall, given: CountParameters) -> UnreadCount:
    """How many there are since the marker of notifications."""
    marks = read_marks.read(call.session, call.account.id, [read_marks.NOTIFICATIONS])
    asked = IdRange(above=marks.get(read_marks.NOTIFICATIONS, 0), limit=min(max(given.limit, 1), MOST_COUNTED))
    kinds = _kinds(given.types, given.exclude_types)
    return UnreadCount(count=len(to_you.page(call.session, call.account.id, asked, kinds).notices))


@ROUTER.get("/api/v1/notifications/<id:notification_id>", "read:notifications")
def one(call: ApiCall, notification_id: int) -> Notification:
    """One of them."""
    found = to_you.find(call.session, call.account.id, notification_id)
    described = _described(call, [found]) if found else []
    if not described:
        raise NotFound
    return described[0]


@ROUTER.post("/api/v1/notifications/clear", "write:notifications")
def clear(call: ApiCall) -> Empty:
    """Dismisses all that there are now."""
    call.do(dismissing.clear_notices)
    return Empty()


@ROUTER.post("/api/v1/notifications/<id:notification_id>/dismiss", "write:notifications")
def dismiss(call: ApiCall, notification_id: int) -> Empty:
    """Dismisses one."""
    call.do(dismissing.dismiss_notice, notification_id)
    return Empty()


def _kinds(types: Sequence[str], excluded: Sequence[str]) -> list[str]:
    """What the client asks for, in our words. Types that it knows and we do not have leave nothing."""
    return [kind for kind, name in TYPES.items() if (not types or name in types) and name not in excluded]


def _described(call: ApiCall, notices: Sequence[Notice]) -> list[Notification]:
    people = accounts_of(call, {each.account_id for each in notices})
    items = list({each.item.id: each.item for each in notices if each.item}.values())
    told = {status.id: status for status in statuses(call, items)}
    return [
        Notification(
            id=each.key, type=TYPES[each.kind], created_at=each.at, group_key=f"ungrouped-{each.key}",
            account=people[each.account_id], status=told.get(each.post_id or 0),
        )
        for each in notices
        if each.account_id in people and (each.post_id is None or each.post_id in told)
    ]  # fmt: skip
