"""How often one origin may try to sign in: a window for each network, in this process. The database limits the codes
themselves; this keeps one caller from asking for those of many people."""

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Final

from gateway.doors.origin_limits import Network, networks

SPAN: Final = 600.0  # seconds
SHARES: Final = {0: 20, 24: 100, 56: 40, 48: 100, 32: 200}  # tries within SPAN, for a network of each width
MOST_ORIGINS: Final = 50_000
UNKNOWN: Final = 1_000  # tries within SPAN of all whose origin is not known, for a proxy has not said it


class TryLimits:
    """One per process; any thread may use it."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._tries: dict[Network, deque[float]] = {}
        self._lock = threading.Lock()

    def take(self, peer: str) -> float | None:
        """Counts a try; the seconds to wait when there were too many, else None. `peer`: empty when it is not known, so
        that one share is everybody's; then the limits of the codes themselves protect (R38)."""
        with self._lock:
            now = self._clock()
            windows = [(self._window(each, now), SHARES[each.width] if peer else UNKNOWN) for each in networks(peer)]
            waits = [window[0] + SPAN - now for window, most in windows if len(window) >= most]
            if waits:
                return max(waits)
            for window, _ in windows:
                window.append(now)
            return None

    def _window(self, network: Network, now: float) -> deque[float]:
        if len(self._tries) > MOST_ORIGINS:
            self._tries = {each: window for each, window in self._tries.items() if window and window[-1] > now - SPAN}
        window = self._tries.setdefault(network, deque())
        while window and window[0] <= now - SPAN:
            window.popleft()
        return window
