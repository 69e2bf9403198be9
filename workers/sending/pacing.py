"""The rate limiter of a send loop: it spaces texts evenly, so that no second has more than the rate of a number, or of
the whole account, over all processes. Send loops wait here before each text."""

import asyncio
import math
from collections import deque
from collections.abc import Sequence
from typing import Final

from redis import RedisError

from gateway.rate_limiter import Buckets, SendSlot

TICK: Final = 0.002  # seconds; at high rates a few begin together, because timers are no finer
MARGIN: Final = 1.008  # a second's worth of slots takes a little longer than a second, and timers may be late by that
LATE: Final = 0.007  # seconds by which a text may begin after its slot without moving the later slots
BOOKED: Final = 0.05  # seconds whose slots are booked ahead, at most
PATIENCE: Final = 1.0  # seconds to wait for a Redis that is away
AGAIN: Final = 0.1  # seconds between two tries


class Bucket:
    """One bucket as this process uses it. `ahead`: whether slots that are not needed at once may be booked; from a
    bucket that several numbers share, each books only the next slot."""

    def __init__(self, buckets: Buckets, name: str, rate: float, *, ahead: bool = True) -> None:
        self._buckets, self._name, self.rate = buckets, name, rate
        self._interval = MARGIN / rate
        self._most = max(1, math.floor(rate * BOOKED)) if ahead else 1
        self._slots: deque[SendSlot] = deque()
        self._next = 0.0

    def ahead(self) -> float:
        """Returns the seconds until the next slot that this process may have, as far as it knows."""
        return max(0.0, self._next - asyncio.get_running_loop().time())

    async def turn(self, count: int, wanted: int) -> None:
        """Waits until `count` texts may begin; `wanted` texts are to follow each other."""
        clock = asyncio.get_running_loop().time
        while len(self._slots) < count:
            self._slots.extend(await self._book(max(count, min(wanted, self._most))))
        slot = [self._slots.popleft() for _ in range(count)][-1]
        self._next = slot.begin + self._interval
        if (wait := slot.begin - clock()) > 0:
            await asyncio.sleep(wait)
        if (late := clock() - slot.earliest) > LATE:
            self._slots.clear()
            self._slots.extend(await self._book(1, late - LATE))

    def forget(self) -> None:
        """Drops slots that were booked and will not be used now: a slot is only valid at its time."""
        self._slots.clear()

    async def _book(self, count: int, late: float = 0.0) -> list[SendSlot]:
        return await self._buckets.book(self._name, self._interval, count, late)


class Pacer:
    """Hands out slots on the clock of the running loop; without buckets there is nothing to wait for."""

    def __init__(self, buckets: Sequence[Bucket] = (), *, keeps: bool = False) -> None:
        self._buckets = buckets
        self.keeps = keeps  # whether a slot may be used a little late, by what had to be decided again meanwhile
        self.rate = min((bucket.rate for bucket in buckets), default=None)
        self.interval = 0.0 if self.rate is None else MARGIN / self.rate  # seconds between two slots
        self.together = 1 if self.rate is None else max(1, math.floor(self.rate * TICK))

    def ahead(self) -> float:
        """Returns the seconds until the next free slot."""
        return max((bucket.ahead() for bucket in self._buckets), default=0.0)

    async def slot(self, count: int, wanted: int) -> bool:
        """Waits until `count` of the `wanted` texts may begin; returns False when Redis was away, so that no slot could
        be booked."""
        end = asyncio.get_running_loop().time() + PATIENCE
        while True:
            try:
                for bucket in self._buckets:
                    await bucket.turn(count, wanted)
                return True
            except (RedisError, OSError):
                if asyncio.get_running_loop().time() > end:
                    return False
                await asyncio.sleep(AGAIN)

    def forget(self) -> None:
        for bucket in self._buckets:
            bucket.forget()
