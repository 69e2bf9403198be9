"""Tells when a carrier is down: it cannot be reached at all, again and again. Pure; workers/sending/number_pool keeps
one for each carrier.

Only failures that prove that nothing was taken count (no connection, no such host), so that waiting texts may take
another way. A slow or confused carrier is not down: its texts are in doubt, and another way could send them twice.
"""

from collections import deque
from dataclasses import dataclass, field
from typing import Final

from gateway.carriers.common.protocol import Outcome

UNREACHED: Final = ("refused", "dns")
TRIES: Final = 5
WITHIN: Final = 30.0  # seconds
REST: Final = 30.0  # seconds that it counts as down; after that one try decides


@dataclass(slots=True)
class CircuitBreaker:
    """The circuit breaker of one carrier; `now` is monotonic, in seconds. It opens after `tries` failures in a row
    `within` seconds; after its rest a single failure opens it again, and a single answer closes it."""

    tries: int = TRIES
    within: float = WITHIN
    rest: float = REST
    _failed: deque[float] = field(default_factory=deque)
    _until: float = 0.0
    _trying: bool = False

    def note(self, outcome: Outcome, now: float) -> None:
        """Must be called with every outcome, in the order in which they arrive."""
        if outcome.state != "retry" or outcome.reason not in UNREACHED:
            self._failed.clear()
            self._until, self._trying = 0.0, False
            return
        self._failed.append(now)
        while self._failed and self._failed[0] <= now - self.within:
            self._failed.popleft()
        if self._trying or len(self._failed) >= self.tries:
            self._until, self._trying = now + self.rest, True

    def down(self, now: float) -> bool:
        return now < self._until
