"""Looks for texts in doubt in the carrier's own list (R14). RQ calls `drain`; the clock rings when some are due."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import lru_cache
from typing import Final, NamedTuple

import structlog

from gateway.carriers import Listed, Lists
from gateway.crashpoints import crash_point
from gateway.errors import CarrierError
from gateway.ledger import attempts, claims, unknowns
from gateway.ledger.attempts import Report
from gateway.ledger.claims import Content
from gateway.ledger.unknowns import Unknown
from gateway.store.database import transaction
from workers.drain import drain as drained
from workers.room import Room
from workers.texting import Texting

BATCH: Final = 100  # rows looked for in one step
HOLD: Final = timedelta(minutes=2)  # nobody else looks for them meanwhile
AGAIN: Final = timedelta(seconds=30)  # after a list that could not be had
SKEW: Final = timedelta(minutes=5)  # the carrier's clock is not ours
TURN: Final = 2.0  # seconds; new texts wait meanwhile
LIMIT: Final = 20.0  # seconds for the lists of one step

log = structlog.get_logger()


class Place(NamedTuple):
    """Where some in doubt are looked for: in whose list, and to which phone they went."""

    carrier: str
    phone: str


def drain() -> None:
    drained("reconcile", step, TURN)


def step(here: Room) -> bool:
    """Some of those in doubt, phone by phone; False when none is due."""
    if not here.texts:
        return False
    with transaction(here.engine) as session:
        unknowns.give_up(session)
        doubtful = unknowns.due(session, BATCH, HOLD)
    by_phone: dict[Place, list[Unknown]] = defaultdict(list)
    for one in doubtful:
        by_phone[Place(one.carrier, one.claimed.address)].append(one)
    mute = [place for place in by_phone if not isinstance(here.texts.get(place.carrier), Lists)]
    for place in mute:
        _put_off(here, by_phone.pop(place), unknowns.PATIENCE)  # only its callback can tell, until it is too late
    listed = here.loop.run(_lists(here.texts, by_phone))
    crash_point("listed")
    _put_off(here, [one for place in by_phone.keys() - listed.keys() for one in by_phone[place]], AGAIN)
    _compare(here, [(by_phone[place], found) for place, found in listed.items()])
    return bool(doubtful)


async def _lists(
    carriers: Mapping[str, object], by_phone: Mapping[Place, Sequence[Unknown]]
) -> dict[Place, list[Listed]]:
    """What the carriers took for each phone, all asked at once; those whose list could not be had are left out."""
    found = await asyncio.gather(*(_list(carriers[place.carrier], place, mine) for place, mine in by_phone.items()))
    return {place: listed for place, listed in zip(by_phone, found, strict=True) if listed is not None}


async def _list(texts: object, place: Place, mine: Sequence[Unknown]) -> list[Listed] | None:
    assert isinstance(texts, Lists)
    since = min(one.started_at for one in mine) - SKEW
    try:
        async with asyncio.timeout(LIMIT):
            return await texts.listing(place.phone, None, since)
    except (CarrierError, TimeoutError) as problem:
        log.warning("no list from the carrier", carrier=place.carrier, problem=str(problem) or "timeout")
        return None


def _put_off(here: Room, mine: Sequence[Unknown], wait: timedelta) -> None:
    if mine:
        with transaction(here.engine) as session:
            unknowns.put_off(session, [one.claimed.attempt_id for one in mine], wait)


def _compare(here: Room, lists: Sequence[tuple[Sequence[Unknown], Sequence[Listed]]]) -> None:
    """Each message in a list stands for one attempt: those that have theirs already are left out."""
    reports: list[Report] = []
    absent: list[int] = []
    with transaction(here.engine) as session:
        taken = unknowns.known(session, [message.carrier_id for _, listed in lists for message in listed])
        contents = claims.contents(session, {one.claimed.message_id for mine, _ in lists for one in mine})
        for mine, listed in lists:
            unclaimed = [one for one in listed if one.carrier_id not in taken and one.direction.startswith("outbound")]
            for one in mine:
                match = _match(_body(here, one, contents), unclaimed)
                if match is None:
                    absent.append(one.claimed.attempt_id)
                else:
                    reports.append(Report(one.claimed.attempt_id, match.carrier_id, "sent"))
        attempts.advance(session, reports)
        unknowns.absent(session, absent)
    if absent:
        here.bell.ring("sms")


def _body(here: Room, one: Unknown, contents: Mapping[int, Content]) -> str:
    return _texting(here).load(one.claimed, contents[one.claimed.message_id])[0].parcel.body


def _match(body: str, unclaimed: list[Listed]) -> Listed | None:
    """Takes the message with this body out of the list."""
    for place, message in enumerate(unclaimed):
        if message.body == body:
            return unclaimed.pop(place)
    return None


@lru_cache(maxsize=1)
def _texting(here: Room) -> Texting:
    return Texting(here.settings, here.signer, "")  # only what it says counts
