"""What somebody does with an update: likes it, passes it on, marks it, pins it; and takes that back. Each can be asked
for twice."""

from gateway.actions import reacting, repeating, undoing
from gateway.actions.personal import marking
from gateway.doors.api.frame.call import ApiCall
from gateway.doors.api.statuses import ROUTER, describing
from gateway.doors.api.statuses.entities import Status
from gateway.network.posts import posts

LIKE = "like"


@ROUTER.post("/api/v1/statuses/<id:status_id>/favourite", "write:favourites")
def favourite(call: ApiCall, status_id: int) -> Status:
    """Likes it."""
    original = describing.item(call, status_id).shown.id
    call.do(reacting.react, original, LIKE)
    return describing.one(call, original)


@ROUTER.post("/api/v1/statuses/<id:status_id>/unfavourite", "write:favourites")
def unfavourite(call: ApiCall, status_id: int) -> Status:
    """Takes every reaction of theirs back."""
    original = describing.item(call, status_id).shown.id
    call.do(reacting.unlike, original)
    return describing.one(call, original)


@ROUTER.post("/api/v1/statuses/<id:status_id>/reblog", "write:statuses")
def reblog(call: ApiCall, status_id: int) -> Status:
    """Passes it on to those who follow the person; never what is private or from a closed group. Answers the repeat,
    with what it passes on under `reblog`."""
    original = describing.item(call, status_id).shown.id
    done = call.do(repeating.repeat, original)
    return describing.one(call, done.post_id or posts.find_repeat(call.session, call.account.id, original) or original)


@ROUTER.post("/api/v1/statuses/<id:status_id>/unreblog", "write:statuses")
def unreblog(call: ApiCall, status_id: int) -> Status:
    """Takes that back."""
    original = describing.item(call, status_id).shown.id
    repeat = posts.find_repeat(call.session, call.account.id, original)
    if repeat is not None:
        call.do(undoing.take_back, repeat)
    return describing.one(call, original)


@ROUTER.post("/api/v1/statuses/<id:status_id>/bookmark", "write:bookmarks")
def bookmark(call: ApiCall, status_id: int) -> Status:
    """Marks it to find it again. Nobody else sees that."""
    original = describing.item(call, status_id).shown.id
    call.do(marking.bookmark, original)
    return describing.one(call, original)


@ROUTER.post("/api/v1/statuses/<id:status_id>/unbookmark", "write:bookmarks")
def unbookmark(call: ApiCall, status_id: int) -> Status:
    """Takes the mark away."""
    original = describing.item(call, status_id).shown.id
    call.do(marking.forget_bookmark, original)
    return describing.one(call, original)


@ROUTER.post("/api/v1/statuses/<id:status_id>/pin", "write:accounts")
def pin(call: ApiCall, status_id: int) -> Status:
    """Shows an own update first among what the person wrote."""
    original = describing.item(call, status_id).post.id
    call.do(marking.pin, original)
    return describing.one(call, original)


@ROUTER.post("/api/v1/statuses/<id:status_id>/unpin", "write:accounts")
def unpin(call: ApiCall, status_id: int) -> Status:
    """Shows it no longer first."""
    original = describing.item(call, status_id).post.id
    call.do(marking.unpin, original)
    return describing.one(call, original)
