"""Wraps a carrier with metrics: it counts how each parcel ended and how long that took, and strange answers raise an
alarm.

critter/processes/workers puts it around the real carriers; workers/callbacks calls `alarm` for callbacks with an
unknown status.
"""

import asyncio
import logging
import time
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final, Generic, TypeVar

from gateway.carriers.common.protocol import Carrier, ListedMessage, MessageList, Outcome, Text
from gateway.carriers.common.send_gate import OPEN, Gate
from gateway.carriers.twilio.error_codes import CODES
from gateway.errors import CarrierError
from gateway.ledger.commit import counters

Parcel = TypeVar("Parcel")

STRANGE: Final = frozenset({"malformed", "too long", "protocol", "odd status"})  # reasons for an alarm
QUIET: Final = 60.0  # seconds between two log lines about the same thing
GATHER: Final = 0.5  # seconds for which counts are collected before they are added: every parcel passes here

log = logging.getLogger(__name__)
_complained: dict[tuple[str, str], float] = {}


class InstrumentedCarrier(Generic[Parcel]):
    """Does what its carrier does, and counts it."""

    def __init__(self, carrier: Carrier[Parcel]) -> None:
        self._carrier = carrier
        self.channel = carrier.channel
        self._gathering: asyncio.TimerHandle | None = None
        self._begin_anew()

    def _begin_anew(self) -> None:
        self._ended: defaultdict[str, int] = defaultdict(int)
        self._buckets = [0] * len(counters.BOUNDS)
        self._seconds = 0.0

    async def send(
        self, batch: Sequence[Parcel], settled: Callable[[Parcel, Outcome], None], gate: Gate = OPEN
    ) -> None:
        begun = time.monotonic()
        if self._gathering is None:
            self._gathering = asyncio.get_running_loop().call_later(GATHER, self._hand_over)

        def record(parcel: Parcel, outcome: Outcome) -> None:
            seconds = time.monotonic() - begun
            self._seconds += seconds
            self._buckets[bisect_left(counters.SECONDS, seconds)] += 1
            self._ended[outcome.state] += 1
            if outcome.reason or outcome.detail:
                self._look_at(outcome)
            settled(parcel, outcome)

        try:
            await self._carrier.send(batch, record, gate)
        except Exception:
            alarm(self.channel, "carrier_failed")
            raise

    def _look_at(self, outcome: Outcome) -> None:
        if outcome.pause:
            self._ended[outcome.state] -= 1
            self._ended["paused"] += 1
            counters.add("refusals", self.channel, outcome.reason)
        if what := strange(outcome):
            alarm(self.channel, what)

    def _hand_over(self) -> None:
        """Adds the collected counts. Like everything here that counts, it runs on the event loop."""
        self._gathering = None
        ended, buckets, seconds = self._ended, self._buckets, self._seconds
        self._begin_anew()
        counters.add_all({("sends", f"{self.channel},{how}"): count for how, count in ended.items()})
        counters.add_durations("carrier_seconds", self.channel, buckets, seconds)

    async def close(self) -> None:
        if self._gathering is not None:
            self._gathering.cancel()
            self._hand_over()
        await self._carrier.close()


class WatchedTexts(InstrumentedCarrier[Text]):
    """The same for a carrier that has a list."""

    def __init__(self, carrier: Carrier[Text], lists: MessageList) -> None:
        super().__init__(carrier)
        self._listing = lists.listing

    async def listing(self, recipient: str | None, sender: str | None, since: datetime) -> list[ListedMessage]:
        try:
            return await self._listing(recipient, sender, since)
        except CarrierError as problem:
            if problem.reason in STRANGE:
                alarm(self.channel, "list")
            raise


def instrument(carrier: Carrier[Text]) -> InstrumentedCarrier[Text]:
    """Wraps a carrier, with its list if it has one."""
    return WatchedTexts(carrier, carrier) if isinstance(carrier, MessageList) else InstrumentedCarrier(carrier)


def strange(outcome: Outcome) -> str:
    """Returns what is strange about an answer, in one word: "" when nothing is. A code that is not in our table counts
    as strange."""
    for word in (outcome.reason, outcome.detail):
        if word in STRANGE:
            return word.replace(" ", "_")
    code = int(outcome.reason) if outcome.reason.isdecimal() else 0
    return "unlisted_code" if code > 9999 and code not in CODES else ""


def alarm(channel: str, what: str) -> None:
    """Counts each strange answer and writes one log line a minute about each kind: somebody must look whether the
    carrier has changed."""
    counters.add("strange", channel, what)
    now = time.monotonic()
    if now - _complained.get((channel, what), float("-inf")) >= QUIET:
        _complained[channel, what] = now
        log.error("strange answer of a carrier: %s %s", channel, what)
