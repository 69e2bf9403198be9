"""Looks for texts in doubt in the carrier's own list (R14). RQ calls `drain`; the clock rings when some are due."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta
from functools import lru_cache
from typing import Final

import structlog

from gateway.carriers import Listed
from gateway.errors import CarrierError
from gateway.ledger import attempts, claims, unknowns
from gateway.ledger.attempts import Report
from gateway.ledger.unknowns import Unknown
from gateway.store.database import transaction
from workers.drain import drain as drained
from workers.room import Room
from workers.texting import Texting

BATCH: Final = 50  # rows looked for in one step
HOLD: Final = timedelta(minutes=2)  # nobody else looks for them meanwhile
AGAIN: Final = timedelta(seconds=30)  # after a list that could not be had
SKEW: Final = timedelta(minutes=5)  # the carrier's clock is not ours
TURN: Final = 10.0  # seconds
LIMIT: Final = 20.0  # seconds for the lists of one step

log = structlog.get_logger()


def drain() -> None:
    drained("reconcile", step, TURN)


def step(here: Room) -> bool:
    """Some of those in doubt, phone by phone; False when none is due."""
    if here.texts is None:
        return False
    with transaction(here.engine) as session:
        unknowns.give_up(session)
        doubtful = unknowns.due(session, BATCH, HOLD)
    by_phone: dict[str, list[Unknown]] = defaultdict(list)
    for one in doubtful:
        by_phone[one.claimed.address].append(one)
    for phone, mine in by_phone.items():
        _look(here, phone, mine)
    return bool(doubtful)


def _look(here: Room, phone: str, mine: Sequence[Unknown]) -> None:
    assert here.texts is not None
    since = min(one.started_at for one in mine) - SKEW
    try:
        listed = here.loop.run(here.texts.listing(phone, None, since), timeout=LIMIT)
    except (CarrierError, TimeoutError) as problem:
        log.warning("no list from the carrier", problem=str(problem) or "timeout")
        with transaction(here.engine) as session:
            unknowns.put_off(session, [one.claimed.attempt_id for one in mine], AGAIN)
        return
    _compare(here, mine, listed)


def _compare(here: Room, mine: Sequence[Unknown], listed: Sequence[Listed]) -> None:
    """Each message in the list stands for one attempt: those that have theirs already are left out."""
    with transaction(here.engine) as session:
        taken = unknowns.known(session, [message.carrier_id for message in listed])
        contents = claims.contents(session, {one.claimed.message_id for one in mine})
        unclaimed = [one for one in listed if one.carrier_id not in taken and one.direction.startswith("outbound")]
        reports: list[Report] = []
        absent: list[int] = []
        for one in mine:
            body = _texting(here).load(one.claimed, contents[one.claimed.message_id])[0].parcel.body
            match = next((message for message in unclaimed if message.body == body), None)
            if match is None:
                absent.append(one.claimed.attempt_id)
                continue
            unclaimed.remove(match)
            reports.append(Report(one.claimed.attempt_id, match.carrier_id, "sent"))
        attempts.advance(session, reports)
        unknowns.absent(session, absent)
    if absent:
        here.bell.ring("sms")


@lru_cache(maxsize=1)
def _texting(here: Room) -> Texting:
    return Texting(here.settings, here.signer)
