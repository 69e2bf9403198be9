"""How many calls one token may make in five minutes, and one origin without a token. Counted in this process: it keeps
one app from taking all of it, and is no promise to the octet."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from gateway.doors.api.frame.fields import moment

SPAN: Final = 300  # seconds
MOST: Final = 300  # calls of one token within SPAN, as Mastodon has it
MOST_KEYS: Final = 100_000


@dataclass(frozen=True, slots=True)
class Allowance:
    """What is left of one caller's share. `resets`: seconds since the epoch."""

    most: int
    left: int
    resets: int

    @property
    def used_up(self) -> bool:
        return self.left < 0

    def headers(self) -> dict[str, str]:
        """As Mastodon's clients read them."""
        reset = moment(datetime.fromtimestamp(self.resets, UTC))
        return {
            "X-RateLimit-Limit": str(self.most),
            "X-RateLimit-Remaining": str(max(self.left, 0)),
            "X-RateLimit-Reset": reset,
        }


class RateLimits:
    """One per process; any thread may use it. `on`: False in conformance runs."""

    def __init__(self, clock: Callable[[], float] = time.time, *, on: bool = True) -> None:
        self._clock, self._on = clock, on
        self._window, self._counts = 0, dict[str, int]()
        self._lock = threading.Lock()

    def take(self, key: str, most: int = MOST) -> Allowance | None:
        """Counts a call of this caller; None when nothing is limited."""
        if not self._on:
            return None
        with self._lock:
            window = int(self._clock()) // SPAN
            if window != self._window or len(self._counts) > MOST_KEYS:
                self._window, self._counts = window, {}
            count = self._counts[key] = self._counts.get(key, 0) + 1
        return Allowance(most, most - count, (window + 1) * SPAN)
