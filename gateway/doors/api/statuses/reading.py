"""One update: what it says, what it answers and what answers it, who likes it or passed it on."""

from collections.abc import Sequence

from werkzeug.exceptions import NotFound

from gateway.actions import seeing
from gateway.doors.api.accounts.entities import Account, listed
from gateway.doors.api.frame.call import ApiCall
from gateway.doors.api.frame.fields import Id, Parameters
from gateway.doors.api.frame.paging import Paging, link
from gateway.doors.api.statuses import ROUTER, describing
from gateway.doors.api.statuses.entities import Status, StatusContext, StatusEdit, StatusSource
from gateway.network.feeds import post_details, reactors, threads
from gateway.network.feeds.post_details import PostDetails
from gateway.store.id_range import IdRange


class Several(Parameters):
    id: tuple[Id, ...] = ()


@ROUTER.get("/api/v1/statuses", "read:statuses")
def several(call: ApiCall, given: Several) -> list[Status]:
    """Several updates, without those that the person may not read."""
    return describing.of_posts(call, list(dict.fromkeys(given.id)))


@ROUTER.get("/api/v1/statuses/<id:status_id>", "read:statuses")
def status(call: ApiCall, status_id: int) -> Status:
    """One update."""
    return describing.one(call, status_id)


@ROUTER.get("/api/v1/statuses/<id:status_id>/context", "read:statuses")
def context(call: ApiCall, status_id: int) -> StatusContext:
    """What it answers and what answers it. Whoever looks at an update with its answers has seen it."""
    shown = describing.item(call, status_id).shown
    thread = threads.find(call.session, call.account.id, shown.id, private=True)
    if thread is None:
        raise NotFound
    seeing.mark_seen(call.session, call.account.id, [shown.id])
    below = [each for answer in thread.answers for each in (answer.item, *answer.below)]
    found = describing.statuses(call, [*thread.above, *below])
    ancestors = {item.id for item in thread.above}
    return StatusContext(
        ancestors=[each for each in found if each.id in ancestors],
        descendants=[each for each in found if each.id not in ancestors],
    )


@ROUTER.get("/api/v1/statuses/<id:status_id>/source", "read:statuses")
def source(call: ApiCall, status_id: int) -> StatusSource:
    """The words as they were written."""
    shown = describing.item(call, status_id).shown
    details = post_details.find(call.session, call.account.id, [shown]).get(shown.id, PostDetails())
    return StatusSource(id=status_id, text=describing.words(shown, details))


@ROUTER.get("/api/v1/statuses/<id:status_id>/history", "read:statuses")
def history(call: ApiCall, status_id: int) -> list[StatusEdit]:
    """Its versions. There is one, for what has left is not changed."""
    found = describing.one(call, status_id)
    return [
        StatusEdit(
            content=found.content, created_at=found.created_at, account=found.account,
            media_attachments=found.media_attachments,
        )
    ]  # fmt: skip


@ROUTER.get("/api/v1/statuses/<id:status_id>/favourited_by", "read:accounts")
def favourited_by(call: ApiCall, status_id: int, given: Paging) -> list[Account]:
    """Who likes it."""
    item, asked = describing.item(call, status_id), given.range()
    return _people(call, reactors.likers(call.session, call.account.id, item.shown.id, asked), asked)


@ROUTER.get("/api/v1/statuses/<id:status_id>/reblogged_by", "read:accounts")
def reblogged_by(call: ApiCall, status_id: int, given: Paging) -> list[Account]:
    """Who passed it on."""
    item, asked = describing.item(call, status_id), given.range()
    return _people(call, reactors.repeaters(call.session, call.account.id, item.shown.id, asked), asked)


def _people(call: ApiCall, ids: Sequence[int], asked: IdRange) -> list[Account]:
    link(call, ids, asked)
    return listed(call, ids)
