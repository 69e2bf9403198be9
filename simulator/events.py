"""Events for pages that show phones and mailboxes live: a bounded ring buffer, read as server-sent events."""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from itertools import islice
from typing import Any

from simulator.ledger import encode

KINDS = ("text", "mail", "status", "hook", "ledger", "reset")
Payload = dict[str, Any] | bytes | Callable[[], dict[str, Any]]
BATCH, PAUSE, HEARTBEAT = 200, 0.02, 15.0


class Events:
    """The ring buffer. Payloads become JSON only when somebody reads, so that without readers it costs next to
    nothing."""

    def __init__(self, keep: int = 10_000) -> None:
        self._ring: deque[tuple[int, str, Payload]] = deque(maxlen=keep)
        self._waiting: set[asyncio.Future[None]] = set()
        self._closed = False
        self.last = 0
        # Ids contain the start of this simulator, so that a page that was open since an older one reads from the
        # beginning.
        self.epoch = f"{time.time_ns():x}"

    def tell(self, kind: str, payload: Payload) -> None:
        self.last += 1
        self._ring.append((self.last, kind, payload))
        if self._waiting:
            self._wake()

    def close(self) -> None:
        """Ends every stream, also those whose reader has gone unnoticed."""
        self._closed = True
        self._wake()

    def _wake(self) -> None:
        for waiter in self._waiting:
            if not waiter.done():
                waiter.set_result(None)
        self._waiting.clear()

    def start(self, last_id: str | None) -> int:
        """Where a reader who last saw this id continues; without an id it gets only new events."""
        if last_id is None:
            return self.last
        epoch, _, number = last_id.partition("-")
        return min(int(number), self.last) if epoch == self.epoch and number.isdigit() else 0

    async def follow(self, cursor: int, kinds: frozenset[str]) -> AsyncIterator[str]:
        """Blocks of the event stream, until the end. A slow reader whose events were overwritten is told of the gap."""
        while not self._closed:
            batch = self._after(cursor)
            if not batch:
                yield "" if await self._changed() else ": still here\n\n"
                continue
            missed = batch[0][0] - cursor - 1
            cursor = batch[-1][0]
            gap = f'event: gap\ndata: {{"missed":{missed}}}\n\n' if missed else ""
            yield gap + "".join(self._block(*event) for event in batch if event[1] in kinds)
            await asyncio.sleep(PAUSE)

    def _after(self, cursor: int) -> list[tuple[int, str, Payload]]:
        if cursor >= self.last:
            return []
        skip = max(0, cursor + 1 - self._ring[0][0])
        return list(islice(self._ring, skip, skip + BATCH))

    async def _changed(self) -> bool:
        waiter = asyncio.get_running_loop().create_future()
        self._waiting.add(waiter)
        try:
            await asyncio.wait_for(waiter, HEARTBEAT)
        except TimeoutError:
            return False
        finally:
            self._waiting.discard(waiter)
        return True

    def _block(self, number: int, kind: str, payload: Payload) -> str:
        data = payload.decode() if isinstance(payload, bytes) else encode(payload() if callable(payload) else payload)
        return f"id: {self.epoch}-{number}\nevent: {kind}\ndata: {data}\n\n"
