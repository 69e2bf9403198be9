"""Looks for texts in doubt in the carrier's own list (R14). RQ calls `drain`; the clock wakes it when some are due.

A text is recognised by the hash of the words that really left (R62). It is not rendered again for that: it might read
differently by now, because its reader's language or a key has changed, or a new version runs.
"""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final, NamedTuple

import structlog

from gateway.carriers.common.protocol import ListedMessage, MessageList
from gateway.channels import SMS
from gateway.errors import CarrierError
from gateway.failpoints import crash_point
from gateway.ledger.outbox import attempt_reports, in_doubt
from gateway.ledger.outbox.attempt_reports import AttemptReport
from gateway.ledger.outbox.in_doubt import SeenMessage, Unknown
from gateway.sms.body_hash import digest
from gateway.store.database import transaction
from workers.runtime.context import WorkerContext
from workers.runtime.drain_loop import drain as drained
from workers.sending.in_doubt_matching import SKEW, MatchResult, UnmatchedMessage, compare

BATCH: Final = 100  # rows looked for in one step
HOLD: Final = timedelta(minutes=2)  # during which no other worker looks for them
AGAIN: Final = timedelta(seconds=30)  # until the next try after a list that could not be fetched
TURN: Final = 2.0  # seconds; new texts wait meanwhile
LIMIT: Final = 20.0  # seconds for the lists of one step

log = structlog.get_logger()


class LookupPlace(NamedTuple):
    """Where texts in doubt are looked for: in which carrier's list, and to which phone they went."""

    carrier: str
    phone: str


def drain() -> None:
    drained("reconcile", step, TURN)


def step(context: WorkerContext) -> bool:
    """Looks for some of the texts in doubt, phone by phone; returns False when none is due."""
    if not context.texts:
        return False
    with transaction(context.engine) as session:
        in_doubt.give_up(session)
        doubtful = in_doubt.due(session, BATCH, HOLD)
    by_phone: dict[LookupPlace, list[Unknown]] = defaultdict(list)
    for one in doubtful:
        by_phone[LookupPlace(one.carrier, one.phone)].append(one)
    mute = [place for place in by_phone if not isinstance(context.texts.get(place.carrier), MessageList)]
    for place in mute:
        _put_off(context, by_phone.pop(place), in_doubt.PATIENCE)  # only its callback can tell, until it is too late
    listed = context.loop.run(_lists(context.texts, by_phone))
    crash_point("listed")
    _put_off(context, [one for place in by_phone.keys() - listed.keys() for one in by_phone[place]], AGAIN)
    _compare(context, [(by_phone[place], found) for place, found in listed.items()])
    return bool(doubtful)


async def _lists(
    carriers: Mapping[str, object], by_phone: Mapping[LookupPlace, Sequence[Unknown]]
) -> dict[LookupPlace, list[ListedMessage]]:
    """Returns what the carriers took for each phone; all are asked at the same time. A phone whose list could not be
    fetched is left out."""
    found = await asyncio.gather(*(_list(carriers[place.carrier], place, mine) for place, mine in by_phone.items()))
    return {place: listed for place, listed in zip(by_phone, found, strict=True) if listed is not None}


async def _list(texts: object, place: LookupPlace, mine: Sequence[Unknown]) -> list[ListedMessage] | None:
    assert isinstance(texts, MessageList)
    since = min(one.started_at for one in mine) - SKEW
    try:
        async with asyncio.timeout(LIMIT):
            return await texts.listing(place.phone, None, since)
    except (CarrierError, TimeoutError) as problem:
        log.warning("no list from the carrier", carrier=place.carrier, problem=str(problem) or "timeout")
        return None


def _put_off(context: WorkerContext, mine: Sequence[Unknown], wait: timedelta) -> None:
    if mine:
        with transaction(context.engine) as session:
            in_doubt.put_off(session, [one.attempt_id for one in mine], wait)


def _compare(context: WorkerContext, lists: Sequence[tuple[Sequence[Unknown], Sequence[ListedMessage]]]) -> None:
    """A text that is found was sent. One that is surely absent is sent again. One that may be hidden in the list is
    looked for again later."""
    verdicts: list[MatchResult] = []
    with transaction(context.engine) as session:
        digests = {message.carrier_id: digest(message.body) for _, listed in lists for message in listed}
        seen = in_doubt.record_seen(session, digests)
        elsewhere: dict[int, list[bytes]] = defaultdict(list)
        for address, body_hash in in_doubt.others(session, [one for mine, _ in lists for one in mine]):
            elsewhere[address].append(body_hash)
        for mine, listed in lists:
            shown = [_shown(message, seen) for message in listed if _is_open(message, seen)]
            verdicts.append(compare(mine, shown, elsewhere[mine[0].address_id]))
        found = [(one, carrier_id) for verdict in verdicts for one, carrier_id in verdict.found.items()]
        absent = [one for verdict in verdicts for one in verdict.absent]
        attempt_reports.advance(session, [AttemptReport(one, carrier_id, "sent") for one, carrier_id in found])
        in_doubt.record_absent(session, absent)
        in_doubt.put_off(session, [one for verdict in verdicts for one in verdict.open], AGAIN)
    if absent:
        context.notifier.notify(SMS)


def _is_open(message: ListedMessage, seen: Mapping[str, SeenMessage]) -> bool:
    """Tells whether a message may be one in doubt: an outgoing text whose id no attempt has."""
    return message.direction.startswith("outbound") and not seen[message.carrier_id].known


def _shown(message: ListedMessage, seen: Mapping[str, SeenMessage]) -> UnmatchedMessage:
    sender = message.sender if message.direction == "outbound-api" else None  # not the carrier's own answer to STOP
    return UnmatchedMessage(message.carrier_id, seen[message.carrier_id].body_hash, message.sent_at, sender)
