"""When the next text may begin: evenly spaced, so that no second holds more than the sender's rate. Per process."""

import asyncio
import math
from collections import deque
from typing import Final

TICK: Final = 0.002  # seconds; at high rates a few begin together, because timers are no finer
MARGIN: Final = 1.01  # a timer that is late once must not lift the next second above the rate


class Pace:
    """Hands out slots on the clock of the running loop; without a rate there is nothing to wait for."""

    def __init__(self, rate: float | None) -> None:
        self._rate = rate
        self._next = 0.0
        self._begun: deque[float] = deque(
            maxlen=max(1, math.floor(rate or 1))
        )  # a second's worth, as they really began
        self.together = 1 if rate is None else max(1, math.floor(rate * TICK))

    def ahead(self) -> float:
        """Seconds until the next free slot."""
        return max(0.0, self._next - asyncio.get_running_loop().time()) if self._rate else 0.0

    async def slot(self, count: int) -> None:
        """Returns when `count` texts may begin. What was not used is lost: a pause earns no burst."""
        if not self._rate:
            return
        loop = asyncio.get_running_loop()
        begin = max(self._next, loop.time(), self._second_over(count))
        self._next = begin + count * MARGIN / self._rate
        if (wait := begin - loop.time()) > 0:
            await asyncio.sleep(wait)
        self._begun.extend([loop.time()] * count)

    def _second_over(self, count: int) -> float:
        """When the texts that these would follow by a second's worth are a second old. Timers are late at times."""
        free = (self._begun.maxlen or 0) - len(self._begun)
        return self._begun[count - free - 1] + MARGIN if free < count else 0.0
