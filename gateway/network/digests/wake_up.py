"""Wake-ups: what waited is decided about again when its moment has come. One item goes by itself, several to one
address become a digest.

All of it is one transaction, so a crash leaves everything as it was or as it must be. workers/wake_up runs it.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from gateway.attention import zones
from gateway.attention.causes import DeliveryCause
from gateway.ledger.outbox import held, outbox, redirects
from gateway.ledger.outbox.held import FOR_DIGEST, FOR_WEB, HeldItem, Hold
from gateway.ledger.outbox.outbox import OwnMessage
from gateway.network.audience import delivery_decisions
from gateway.network.digests import digest_places
from gateway.network.digests.digest_places import DigestPlace
from gateway.store.arrays import numbers

LANE: Final = -2  # a lane of its own, beside Critter's other words and the daily mail
RESTED: Final = ("quiet", "off_till")  # reasons of what waited because an address was not to ring
OVER: Final = "over"  # the reason of what came when its reader had had the texts of their day
URGENT, LATER = 8, 9  # priorities, behind updates; the first when something in it was written to its reader
AGAIN: Final = timedelta(minutes=1)  # until the next look at whoever has a digest of the same moment already

Places = Mapping[int, DigestPlace]  # by account


class _Group(NamedTuple):
    """What becomes one digest: for which address, and for which moment, as its reader's clock shows it."""

    items: tuple[HeldItem, ...]
    address_id: int
    channel: str
    kind: str
    slot: datetime

    @property
    def key(self) -> tuple[int, str, datetime]:
        return self.address_id, self.kind, self.slot


def wake_up(session: Session, items: Sequence[HeldItem]) -> frozenset[str]:
    """Decides about items that are due, all that are due of each of their readers. Returns the channels on which
    something leaves now."""
    held.close(session, [item for item in items if item.state != "held"])
    waiting = [item for item in items if item.state == "held"]
    wanting = {item.account_id for item in waiting if item.reason in FOR_DIGEST}
    places = digest_places.find(session, wanting) if wanting else {}
    refused = delivery_decisions.find_waiting(session, waiting, wanting - places.keys())
    held.cancel(session, waiting, delivery_decisions.ended(refused))
    moved = redirects.put(session, delivery_decisions.redirected(refused))
    later = ((item, refused[item.key]) for item in waiting if item.key in refused)
    held.postpone(session, [(item, _until(item, one)) for item, one in later if isinstance(one, Hold)])
    awake = _awake(session, [item for item in waiting if item.key not in refused], places)
    return _send(session, awake, places) | moved


def _until(item: HeldItem, hold: Hold) -> Hold:
    """What is for a digest stays so while its reader has no address that receives."""
    return hold._replace(reason=item.reason) if item.reason in FOR_DIGEST else hold


def _awake(session: Session, items: Sequence[HeldItem], places: Places) -> list[HeldItem]:
    """Without what is for a digest that would come in the quiet hours of the place that it goes to. Such an item
    has no date any more: it comes as soon as they end, however the next digests are set."""
    rest = _resting(session, items, places)
    later = ((item, Hold(item.reason, rest[item.account_id], item.cause)) for item in items if _wants(item, rest))
    held.postpone(session, later)
    return [item for item in items if not _wants(item, rest)]


def _wants(item: HeldItem, people: Mapping[int, object]) -> bool:
    return item.reason in FOR_DIGEST and item.account_id in people


def _resting(session: Session, items: Sequence[HeldItem], places: Places) -> dict[int, datetime]:
    """Until when the place of somebody's digest is quiet, or is by the clock of where they are for now."""
    resting = {item.account_id: item for item in items if _wants(item, places) and places[item.account_id].quiet}
    if not resting:
        return {}
    now = _now(session)
    until = {account: places[account].quiet_until(item.timezone, now) for account, item in resting.items()}
    return {account: min(end, resting[account].zone_until or end) for account, end in until.items() if end is not None}


def _send(session: Session, items: Sequence[HeldItem], places: Places) -> frozenset[str]:
    """Critter's own words stand in no digest, and what was in one that did not leave goes by itself."""
    foldable = [item for item in items if item.cause != DeliveryCause.OURS and item.digest_id is None]
    wanted = _digests([item for item in foldable if item.reason in FOR_DIGEST], places)
    groups = [*_after_rest(foldable), *wanted, *_on_phones(_failed_elsewhere(session, items))]
    together = {item.key for group in groups for item in group.items}
    alone = [item for item in items if item.key not in together]
    held.release(session, alone)
    _put(session, groups)
    return frozenset([*(item.channel for item in alone), *(group.channel for group in groups)])


def _after_rest(items: Iterable[HeldItem]) -> list[_Group]:
    """What waited for an address to ring again, where there are several. What waited to be seen on the web goes by
    itself, and so does what came behind others that are gone by now."""
    found: dict[int, list[HeldItem]] = defaultdict(list)
    for item in items:
        if item.reason not in FOR_DIGEST + FOR_WEB:
            found[item.address_id].append(item)
    return [_woken(each) for each in found.values() if len(each) > 1 and _rested(each)]


def _rested(items: Iterable[HeldItem]) -> bool:
    return any(item.reason in RESTED for item in items)


def _woken(items: Sequence[HeldItem]) -> _Group:
    first = items[0]
    reasons = {item.reason for item in items}
    kind = "back" if "off_till" in reasons and "quiet" not in reasons else "wake"
    return _Group(tuple(items), first.address_id, first.channel, kind, _wall(first, max(item.until for item in items)))


def _digests(items: Iterable[HeldItem], places: Places) -> list[_Group]:
    """What people want in a digest and what was over their texts of a day, also when it is one item: by mail, else
    where it was to go."""
    found: dict[int, list[HeldItem]] = defaultdict(list)
    for item in items:
        found[item.account_id].append(item)
    return [_wanted(each, places.get(account)) for account, each in found.items()]


def _wanted(items: Sequence[HeldItem], place: DigestPlace | None) -> _Group:
    first = items[0]
    address_id, channel = (place.address_id, place.channel) if place else (first.address_id, first.channel)
    slots = [item.slot for item in items if item.slot]
    slot = max(slots) if slots else _wall(first, max(item.until for item in items))
    return _Group(tuple(items), address_id, channel, _kind(items, place), slot)


def _kind(items: Sequence[HeldItem], place: DigestPlace | None) -> str:
    if all(item.reason == OVER for item in items):
        return OVER
    every = place.every if place else None
    if every == "back":
        return "return"
    return (every or "day") if any(item.slot for item in items) else "now"


def _failed_elsewhere(session: Session, items: Iterable[HeldItem]) -> list[HeldItem]:
    """What was over the texts of a day, in a digest to a mailbox that did not take it."""
    failed = [item for item in items if item.reason == OVER and item.digest_id is not None]
    if not failed:
        return []
    given = {"digests": numbers(item.digest_id for item in failed)}
    to = {row.message_id: row.address_id for row in session.execute(WENT_TO, given)}
    return [item for item in failed if to.get(item.digest_id or 0, item.address_id) != item.address_id]


def _on_phones(items: Iterable[HeldItem]) -> list[_Group]:
    """One more digest where the items were to go first: one by one they would be the flood that the limit keeps out."""
    found: dict[int, list[HeldItem]] = defaultdict(list)
    for item in items:
        found[item.address_id].append(item)
    return [_wanted(each, None) for each in found.values()]


def _wall(item: HeldItem, moment: datetime) -> datetime:
    return moment.astimezone(zones.zone(item.timezone)).replace(tzinfo=None)


def _put(session: Session, groups: Sequence[_Group]) -> None:
    """Makes the digests. Whoever has one for the same moment or date, because a clock was set back or because it could
    not leave, waits a minute more and gets one without a date."""
    had = _existing(session, groups) if groups else set()
    new = [group for group in groups if group.key not in had]
    if had:
        again = [item for group in groups if group.key in had for item in group.items]
        soon = _now(session) + AGAIN
        held.postpone(session, [(item, Hold(item.reason, soon, item.cause)) for item in again])
    if not new:
        return
    ids = session.scalars(NEW_IDS, {"count": len(new)}).all()
    made = list(zip(new, ids, strict=True))
    messages = [OwnMessage(each, group.address_id, _priority(group)) for group, each in made]
    outbox.put_own(session, "digest", messages, LANE)
    session.execute(PUT, _rows(made))
    held.fold(session, [(item, each) for group, each in made for item in group.items])


def _priority(group: _Group) -> int:
    return URGENT if any(DeliveryCause(item.cause).addressed for item in group.items) else LATER


def _now(session: Session) -> datetime:
    now: datetime = session.execute(select(func.now())).scalar_one()
    return now


def _existing(session: Session, groups: Sequence[_Group]) -> set[tuple[int, str, datetime]]:
    given = {
        "addresses": numbers(group.address_id for group in groups),
        "kinds": [group.kind for group in groups],
        "slots": [group.slot for group in groups],
    }
    return {(row.address_id, row.kind, row.slot) for row in session.execute(EXISTING, given)}


def _rows(made: Sequence[tuple[_Group, int]]) -> dict[str, object]:
    return {
        "messages": numbers(each for _, each in made),
        "accounts": numbers(group.items[0].account_id for group, _ in made),
        "addresses": numbers(group.address_id for group, _ in made),
        "kinds": [group.kind for group, _ in made],
        "slots": [group.slot for group, _ in made],
        "counts": numbers(len(group.items) for group, _ in made),
    }


NEW_IDS: Final = text("SELECT new_id() FROM generate_series(1, :count)")

WENT_TO: Final = text("SELECT message_id, address_id FROM digests WHERE message_id = ANY (CAST(:digests AS bigint[]))")
_SLOTS: Final = "CAST(:addresses AS bigint[]), CAST(:kinds AS text[]), CAST(:slots AS timestamp[])"
EXISTING: Final = text(f"""
    SELECT address_id, kind, slot FROM digests
    JOIN unnest({_SLOTS}) AS given (address_id, kind, slot) USING (address_id, kind, slot)
""")  # noqa: S608
PUT: Final = text(f"""
    INSERT INTO digests (message_id, account_id, address_id, kind, slot, folded)
    SELECT message_id, account_id, address_id, kind, slot, folded
    FROM unnest(CAST(:messages AS bigint[]), CAST(:accounts AS bigint[]), {_SLOTS}, CAST(:counts AS int[]))
         AS given (message_id, account_id, address_id, kind, slot, folded)
""")  # noqa: S608
