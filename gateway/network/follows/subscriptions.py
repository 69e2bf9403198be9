"""All that somebody follows or tracks, whatever it is: people and groups, tags, phrases. And the way in which each
comes: what waits for their digest, what goes to a phone, what is not sent."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import case, func, or_, select, union_all, update
from sqlalchemy.orm import Session

from gateway.attention.causes import DeliveryCause
from gateway.network.people import way_choices
from gateway.store.tables import Account, Fanout, Follow, Topic, TopicFollow, Track, Tracker
from gateway.store.views import SUBSCRIPTIONS

NOTHING: Final = "nothing"
DIGEST: Final = "digest"


@dataclass(frozen=True, slots=True)
class Subscription:
    """`called`: @kim, #sales, #win or "acme"; `way`: its own, `nothing` when it is off, None when it has none;
    `by_text`: it was asked for from a phone."""

    source_id: int
    cause: DeliveryCause
    name: str
    called: str
    way: str | None
    by_text: bool


def list_all(session: Session, follower_id: int) -> list[Subscription]:
    """By kind and name."""
    return _found(session, SUBSCRIPTIONS.c.follower_id == follower_id)


def find(session: Session, follower_id: int, source_id: int) -> Subscription | None:
    """The one of this account, topic or track, while it is in force."""
    s = SUBSCRIPTIONS.c
    return next(iter(_found(session, s.follower_id == follower_id, s.source_id == source_id)), None)


def bringing(session: Session, follower_id: int, post_id: int, source_id: int) -> int:
    """What brings a post to somebody: that source, unless they have left it or switched it off and another of the
    sources of that post brings it now."""
    s = SUBSCRIPTIONS.c
    sources = select(Fanout.source_id).where(Fanout.post_id == post_id)
    mine = select(s.source_id).where(
        s.follower_id == follower_id, s.source_id.in_(sources), s.way.is_distinct_from(NOTHING)
    )
    found = session.scalars(mine.order_by(s.cause, s.source_id)).all()
    return source_id if source_id in found or not found else found[0]


def _found(session: Session, *conditions: Any) -> list[Subscription]:
    s = SUBSCRIPTIONS.c
    sign = case((Account.kind == "group", "#"), else_="@")
    called = func.coalesce(sign + Account.handle, "#" + Topic.tag, '"' + Track.shown + '"')
    name = func.coalesce(Account.name, called)
    rows = session.execute(
        select(s.source_id, s.cause, name, called, s.way, s.by_text)
        .outerjoin(Account, Account.id == s.source_id)
        .outerjoin(Topic, Topic.id == s.source_id)
        .outerjoin(Track, Track.id == s.source_id)
        .where(*conditions)
        .order_by(s.cause, name, s.source_id)
    )
    return [Subscription(source, DeliveryCause(cause), *rest) for source, cause, *rest in rows]


def chosen_way(session: Session, follower_id: int, source_id: int) -> str | None:
    """How it comes to somebody who chose ways; None when it comes as it was asked for."""
    found = find(session, follower_id, source_id)
    chosen = (found.way or way_choices.by_cause(session, follower_id).get(found.cause)) if found else None
    text = chosen == "text" or (found is not None and chosen is None and found.by_text)
    instead = way_choices.preferred(session, follower_id) if text else None
    if instead == "web" or (instead and way_choices.has_place(session, follower_id, instead)):
        return instead
    return chosen


def way_of(session: Session, follower_id: int, source_id: int) -> dict[str, Any]:
    """How it comes, in the form from which `put_back` restores it."""
    mine = select(Follow.way, Follow.off, Follow.off_until).where(*_mine(Follow, follower_id, [source_id]))
    if (follow := session.execute(mine).first()) is not None:
        until = follow.off_until.isoformat() if follow.off_until else None
        return {"way": follow.way, "off": follow.off, "off_until": until}
    ways = (select(each.way).where(*_mine(each, follower_id, [source_id])) for each in (TopicFollow, Tracker))
    return {"way": session.scalar(union_all(*ways))}


def put_back(session: Session, follower_id: int, source_id: int, was: dict[str, Any]) -> bool:
    """Restores what `way_of` returned; False when it is followed or tracked no more."""
    until = datetime.fromisoformat(was["off_until"]) if was.get("off_until") else None
    follow = {"way": was["way"], "off": was.get("off", False), "off_until": until}
    changed = [
        session.scalars(
            update(each)
            .where(*_mine(each, follower_id, [source_id]))
            .values(follow if each is Follow else {"way": was["way"]})
            .returning(_source(each))
        ).all()
        for each in _TABLES
    ]
    return any(changed)


def set_way(session: Session, follower_id: int, source_id: int, way: str | None) -> None:
    """A follow that comes in no way is off, as `off NAME` has it, and keeps the way that it had."""
    way_choices.ensure(session, follower_id)
    follow = {"off": True, "off_until": None} if way == NOTHING else {"off": False, "off_until": None, "way": way}
    session.execute(update(Follow).where(*_mine(Follow, follower_id, [source_id])).values(follow))
    for each in (TopicFollow, Tracker):
        session.execute(update(each).where(*_mine(each, follower_id, [source_id])).values(way=way))


def end_way(session: Session, follower_id: int, way: str) -> list[int]:
    """Has all that comes this way come as usual again; returns the ids of whose words it is."""
    return sorted(one for each in _TABLES for one in _change(session, each, follower_id, each.way == way, way=None))


def restore_way(session: Session, follower_id: int, sources: Collection[int], way: str) -> None:
    """The way back from `end_way`."""
    if sources:
        way_choices.ensure(session, follower_id)
    for each in _TABLES:
        session.execute(update(each).where(*_mine(each, follower_id, sources)).values(way=way))


def silence_way(session: Session, follower_id: int, way: str) -> list[int]:
    """Has nothing of what comes this way be sent, and keeps the follows: as `off` does for each. Returns the ids of
    whose words it is, without those that were off for good already."""
    on = or_(~Follow.off, Follow.off_until.is_not(None))
    found = _change(session, Follow, follower_id, Follow.way == way, on, off=True, off_until=None)
    words = (_change(session, each, follower_id, each.way == way, way=NOTHING) for each in (TopicFollow, Tracker))
    return sorted([*found, *(one for each in words for one in each)])


def resume_way(session: Session, follower_id: int, sources: Collection[int], way: str) -> None:
    """The way back from `silence_way`, for those that are still followed."""
    session.execute(update(Follow).where(*_mine(Follow, follower_id, sources)).values(off=False, off_until=None))
    for each in (TopicFollow, Tracker):
        silent = update(each).where(*_mine(each, follower_id, sources), each.way == NOTHING)
        session.execute(silent.values(way=way))


def count_way(session: Session, follower_id: int, way: str) -> int:
    """How many come this way by themselves; none that is off now."""
    s = SUBSCRIPTIONS.c
    return session.scalar(select(func.count()).where(s.follower_id == follower_id, s.way == way)) or 0


_TABLES: Final = (Follow, TopicFollow, Tracker)


def _mine(table: Any, follower_id: int, sources: Collection[int]) -> tuple[Any, Any]:
    return table.follower_id == follower_id, _source(table).in_(sources)


def _source(table: Any) -> Any:
    return {Follow: Follow.account_id, TopicFollow: TopicFollow.topic_id, Tracker: Tracker.track_id}[table]


def _change(session: Session, table: Any, follower_id: int, *conditions: Any, **values: Any) -> Sequence[int]:
    mine = update(table).where(table.follower_id == follower_id, *conditions)
    return session.scalars(mine.values(values).returning(_source(table))).all()
