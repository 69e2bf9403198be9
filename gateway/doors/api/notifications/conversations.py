"""Private talks as conversations. The id of one is that of the person or group with whom it is."""

from collections.abc import Sequence

from werkzeug.exceptions import NotFound

from gateway.actions.personal import dismissing
from gateway.doors.api.accounts.entities import Account, accounts_of
from gateway.doors.api.frame.call import ApiCall
from gateway.doors.api.frame.fields import Empty, Entity, Id
from gateway.doors.api.frame.paging import Paging, link
from gateway.doors.api.notifications import ROUTER
from gateway.doors.api.statuses import describing
from gateway.doors.api.statuses.entities import Status
from gateway.network.feeds import private_talks
from gateway.network.feeds.private_talks import Talk
from gateway.network.web import read_marks

MOST = 40


class Conversation(Entity):
    """`last_status`: what was said last there."""

    id: Id
    unread: bool
    accounts: Sequence[Account]
    last_status: Status | None


@ROUTER.get("/api/v1/conversations", "read:statuses")
def conversations(call: ApiCall, given: Paging) -> list[Conversation]:
    """Those with the newest words first."""
    asked = given.range(MOST)
    found = private_talks.page(call.session, call.account.id, asked)
    link(call, [each.last_id for each in found], asked)
    return _described(call, found)


@ROUTER.post("/api/v1/conversations/<id:conversation_id>/read", "write:conversations")
def read(call: ApiCall, conversation_id: int) -> Conversation:
    """All that was said there has been read."""
    talk = _find(call, conversation_id)
    read_marks.advance(call.session, call.account.id, read_marks.talk(talk.id), talk.last_id)
    return _described(call, [_find(call, conversation_id)])[0]


@ROUTER.delete("/api/v1/conversations/<id:conversation_id>", "write:conversations")
def remove(call: ApiCall, conversation_id: int) -> Empty:
    """Takes it out of the list until something is said there again."""
    call.do(dismissing.hide_talk, _find(call, conversation_id).id)
    return Empty()


def _find(call: ApiCall, other_id: int) -> Talk:
    found = private_talks.find_talk(call.session, call.account.id, other_id)
    if found is None:
        raise NotFound
    return found


def _described(call: ApiCall, talks: Sequence[Talk]) -> list[Conversation]:
    people = accounts_of(call, {each.account_id for each in talks})
    told = {status.id: status for status in describing.of_posts(call, [each.last_id for each in talks])}
    return [
        Conversation(
            id=each.id, unread=each.unread > 0, accounts=[people[each.account_id]], last_status=told.get(each.last_id)
        )
        for each in talks
        if each.account_id in people
    ]  # fmt: skip
