"""Sends mails through the company's relay, over a few kept connections; workers/deliver sends with it."""

from __future__ import annotations

import asyncio
import random
import ssl
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

from gateway.carriers.common.protocol import OutboundEmail, Outcome
from gateway.carriers.common.send_gate import OPEN, Gate, refresh
from gateway.carriers.smtp.chunking import OFFERS, ChunkedTransaction
from gateway.carriers.smtp.connection import SmtpConnection
from gateway.carriers.smtp.handshake import OAuth, open_link, place_of
from gateway.carriers.smtp.replies import wait_of
from gateway.carriers.smtp.transaction import SmtpTransaction
from gateway.errors import CarrierError

LETTERS_PER_LANE: Final = 8  # fewer mails than this are not worth another connection
TRIES: Final = 3  # failures of one lane in a row, after which the rest of the batch is left for later
BACK_OFF: Final = 0.2  # seconds after the first failure, doubled with each


class SmtpRelay:
    """The carrier for mail. One per process; it belongs to the loop that first uses it."""

    channel = "email"

    def __init__(
        self,
        url: str,
        hello: str,
        connections: int = 10,
        timeout: float = 60.0,
        *,
        per_connection: int = 1000,
        idle: float = 30.0,
        largest: int = 100 * 1024 * 1024,
        context: ssl.SSLContext | None = None,
        oauth: OAuth | None = None,
    ) -> None:
        self._place, self._hello, self._timeout = place_of(url), hello, timeout
        self._context = context or ssl.create_default_context()  # made once: it reads every authority's certificate
        self._connections, self._per_connection, self._idle = connections, per_connection, idle
        self._largest, self._oauth = largest, oauth
        self._slots = asyncio.Semaphore(connections)
        self._pool: list[tuple[SmtpConnection, asyncio.TimerHandle]] = []

    async def send(
        self, batch: Sequence[OutboundEmail], settled: Callable[[OutboundEmail, Outcome], None], gate: Gate = OPEN
    ) -> None:
        """Sends all mails and calls `settled` for each as it ends. Mails for which no connection could be opened are
        `retry`."""
        queue = deque(email for email in batch if len(email.content) <= self._largest)
        problems = [CarrierError("refused", "transient")]
        for email in batch:
            if len(email.content) > self._largest:
                settled(email, Outcome("failed", reason="552", detail="larger than the relay takes"))
        async with asyncio.TaskGroup() as lanes:
            for _ in range(min(self._connections, -(-len(queue) // LETTERS_PER_LANE))):
                lanes.create_task(self._lane(queue, settled, problems, gate))
        last = problems[-1]
        left = Outcome("retry", reason=last.reason, pause=last.kind == "permanent", wait=wait_of(last.reason))
        for email in queue:
            settled(email, left)

    async def _lane(
        self,
        queue: deque[OutboundEmail],
        settled: Callable[[OutboundEmail, Outcome], None],
        problems: list[CarrierError],
        gate: Gate,
    ) -> None:
        """Sends mails over one connection; opens a new one when it breaks, until it breaks too often without carrying
        a mail. The gate is asked first about mails that waited too long for their turn or for a connection."""
        failures = 0
        async with self._slots:
            while queue and failures < TRIES and problems[-1].kind != "permanent":
                idle = self._borrow()
                carried = idle.carried if idle else 0
                link = idle
                try:
                    link = idle or await self._open()
                    errand = ChunkedTransaction if link.offers >= OFFERS else SmtpTransaction
                    await refresh(gate, queue)
                    await errand(link, queue, settled, idle is not None, gate).run()
                    self._keep(link)
                    failures = 0
                except CarrierError as problem:
                    problems.append(problem)
                    if idle is None:  # that a kept connection has ended is no failure
                        moved = link is not None and link.carried > carried
                        failures = 1 if moved else TRIES if problem.reason == "timeout" else failures + 1
                        await _back_off(failures)

    async def _open(self) -> SmtpConnection:
        link = await open_link(self._place, self._hello, self._timeout, self._context, self._oauth)
        link.left = self._per_connection
        return link

    def _borrow(self) -> SmtpConnection | None:
        """Returns a kept connection that is still open, as far as one can know without sending anything."""
        while self._pool:
            link, ending = self._pool.pop()
            ending.cancel()
            if not link.broken:
                return link
        return None

    def _keep(self, link: SmtpConnection) -> None:
        if link.broken:
            return
        if link.left > 0:
            ending = asyncio.get_running_loop().call_later(self._idle, link.quit)
            self._pool.append((link, ending))
        else:
            link.quit()

    async def close(self) -> None:
        while link := self._borrow():
            link.quit()
        if self._oauth:
            await self._oauth.tokens.close()
        await asyncio.sleep(0)  # lets the loop write the QUITs


async def _back_off(failures: int) -> None:
    """Waits a random time, so that the lanes do not all try again at once; after the last try there is no wait."""
    if failures < TRIES:
        await asyncio.sleep(BACK_OFF * 2**failures * random.random())  # noqa: S311
