"""How one stands to others, and changing it: following, muting, blocking. A group is followed by joining it."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final

from pydantic import Field
from werkzeug.exceptions import NotFound

from gateway.actions import following, silencing, subscribing
from gateway.doors.api.accounts import ROUTER, account_lookup
from gateway.doors.api.accounts.people import Wanted
from gateway.doors.api.frame.call import ApiCall
from gateway.doors.api.frame.errors import ApiError
from gateway.doors.api.frame.fields import Entity, Id, Parameters
from gateway.i18n.phrases import say, translated
from gateway.network.follows import mutes, relationships
from gateway.network.follows.relationships import RelationshipState

ONLY_HERE: Final = "nothing"  # the way of what is followed and not sent
TEXT: Final = "text"
LONGEST: Final = 10 * 366 * 86_400  # seconds
ALL_OR_NOTHING: Final = say(
    "Whom you follow, you follow whole: neither what they repeat nor a language can be left out. Nothing was changed."
)


class Relationship(Entity):
    """`notifying`: what it brings comes as texts. What Critter does not have is always the same."""

    id: Id
    following: bool
    showing_reblogs: bool
    notifying: bool
    languages: Sequence[str] = ()
    followed_by: bool
    blocking: bool
    blocked_by: bool
    muting: bool
    muting_notifications: bool
    requested: bool
    requested_by: bool
    domain_blocking: bool = False
    endorsed: bool = False
    note: str = ""


class FollowParameters(Parameters):
    """`notify`: each update as a text; else what is followed is only read here. Nobody can leave out a part of it."""

    notify: bool | None = None
    reblogs: bool = True
    languages: tuple[str, ...] = ()


class MuteParameters(Parameters):
    """`duration`: seconds; 0 for without an end. Whoever is muted is muted whole, whatever `notifications` says."""

    duration: Annotated[int, Field(ge=0, le=LONGEST)] = 0
    notifications: bool = True


@ROUTER.get("/api/v1/accounts/relationships", "read:follows")
def several(call: ApiCall, given: Wanted) -> list[Relationship]:
    """How one stands to these people and groups."""
    found = relationships.find(call.session, call.account.id, given.id)
    return [describe(found[each]) for each in dict.fromkeys(given.id) if each in found]


def describe(state: RelationshipState) -> Relationship:
    return Relationship(
        id=state.id, following=state.following, showing_reblogs=state.following, notifying=state.texts,
        followed_by=state.followed_by, blocking=state.blocking, blocked_by=state.blocked_by, muting=state.muting,
        muting_notifications=state.muting, requested=state.requested, requested_by=state.requested_by,
    )  # fmt: skip


def to(call: ApiCall, account_id: int) -> Relationship:
    """How one stands to this account now."""
    found = relationships.find(call.session, call.account.id, [account_id])
    if account_id not in found:
        raise NotFound
    return describe(found[account_id])


@ROUTER.post("/api/v1/accounts/<id:account_id>/follow", "write:follows")
def follow(call: ApiCall, account_id: int, given: FollowParameters) -> Relationship:
    """Follows a person or joins a group; a closed one is asked. What is followed already keeps its way, unless `notify`
    changes it."""
    if not given.reblogs or given.languages:
        raise ApiError(422, translated(ALL_OR_NOTHING, call.language))
    source = account_lookup.named(call, account_id)
    now = relationships.find(call.session, call.account.id, [account_id])[account_id]
    kept = (now.following or now.requested) and (given.notify is None or given.notify == now.texts)
    if not kept:
        call.do(subscribing.follow, source, TEXT if given.notify else ONLY_HERE)
    return to(call, account_id)


@ROUTER.post("/api/v1/accounts/<id:account_id>/unfollow", "write:follows")
def unfollow(call: ApiCall, account_id: int) -> Relationship:
    """Ends a follow, a membership or a request to join."""
    call.do(following.unfollow, account_lookup.named(call, account_id))
    return to(call, account_id)


@ROUTER.post("/api/v1/accounts/<id:account_id>/mute", "write:mutes")
def mute(call: ApiCall, account_id: int, given: MuteParameters) -> Relationship:
    """Nothing of theirs comes any more, private or not; they never notice."""
    until = datetime.now(UTC) + timedelta(seconds=given.duration) if given.duration else None
    call.do(silencing.mute, account_lookup.named(call, account_id), until)
    return to(call, account_id)


@ROUTER.post("/api/v1/accounts/<id:account_id>/unmute", "write:mutes")
def unmute(call: ApiCall, account_id: int) -> Relationship:
    """Ends a mute, and leaves a block as it is."""
    return _lift(call, account_id, "mute")


@ROUTER.post("/api/v1/accounts/<id:account_id>/block", "write:blocks")
def block(call: ApiCall, account_id: int) -> Relationship:
    """Neither hears or follows the other from now on."""
    call.do(silencing.block, account_lookup.named(call, account_id))
    return to(call, account_id)


@ROUTER.post("/api/v1/accounts/<id:account_id>/unblock", "write:blocks")
def unblock(call: ApiCall, account_id: int) -> Relationship:
    """Ends a block. Follows that it ended do not come back."""
    return _lift(call, account_id, "block")


def _lift(call: ApiCall, account_id: int, kind: str) -> Relationship:
    """Also for who has left: it would be in force again with them."""
    other = account_lookup.known(call, account_id)
    there = mutes.find_mute(call.session, call.account.id, other.id)
    if there and there.kind == kind:
        call.do(silencing.lift, other)
    else:
        account_lookup.active(call, account_id)
    return to(call, account_id)
