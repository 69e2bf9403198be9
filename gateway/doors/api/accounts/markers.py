"""How far somebody has read, the same in all their apps. That of Home is the one of the pages."""

from datetime import datetime
from typing import Final, Literal

from gateway.doors.api.accounts import ROUTER
from gateway.doors.api.frame.call import ApiCall
from gateway.doors.api.frame.fields import Entity, Id, Moment, Parameters
from gateway.network.feeds import news
from gateway.network.web import read_marks
from gateway.network.web.read_marks import Mark

Timeline = Literal["home", "notifications"]
# Pages keep up to which update one has seen what is to one; apps keep the id of a notification.
PLACES: Final[dict[Timeline, str]] = {"home": read_marks.HOME, "notifications": read_marks.NOTIFICATIONS}


class Marker(Entity):
    """`version`: it grows with each change."""

    last_read_id: Id
    version: int
    updated_at: Moment


class WantedMarkers(Parameters):
    timeline: tuple[Timeline, ...] = ()


class ReadUpTo(Parameters):
    last_read_id: Id


class MarkerChanges(Parameters):
    home: ReadUpTo | None = None
    notifications: ReadUpTo | None = None


@ROUTER.get("/api/v1/markers", "read:statuses")
def markers(call: ApiCall, given: WantedMarkers) -> dict[Timeline, Marker]:
    """How far one has read; a timeline that one never read is left out."""
    found = read_marks.list_marks(call.session, call.account.id, [PLACES[each] for each in given.timeline])
    return {each: _describe(found[PLACES[each]]) for each in given.timeline if PLACES[each] in found}


def _describe(mark: Mark) -> Marker:
    return Marker(last_read_id=mark.upto, version=_version(mark.read_at), updated_at=mark.read_at)


def _version(at: datetime) -> int:
    return int(at.timestamp() * 1000)


@ROUTER.post("/api/v1/markers", "write:statuses")
def mark(call: ApiCall, given: MarkerChanges) -> dict[Timeline, Marker]:
    """Moves marks forward, never back, and that of Home not beyond what can be there."""
    wanted: dict[Timeline, ReadUpTo | None] = {"home": given.home, "notifications": given.notifications}
    moved = {timeline: each.last_read_id for timeline, each in wanted.items() if each}
    if "home" in moved:
        moved["home"] = min(moved["home"], news.newest(call.session))
    for timeline, upto in moved.items():
        read_marks.advance(call.session, call.account.id, PLACES[timeline], upto)
    return markers(call, WantedMarkers(timeline=tuple(moved)))
