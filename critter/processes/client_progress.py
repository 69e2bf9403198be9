"""One client of a web process, as critter/processes/gunicorn_worker sees it: what it is doing, and how far it is."""

from __future__ import annotations

import socket
import time
from enum import Enum, auto
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, Final

from gunicorn import http  # type: ignore[import-untyped]
from gunicorn.workers.gthread import TConn  # type: ignore[import-untyped]

from critter.processes.http_connection import Exchange
from critter.processes.http_requests import Framing
from gateway.doors.body_limits import SMALL

if TYPE_CHECKING:
    from critter.processes.gunicorn_worker import WebWorker

HEAD: Final = 10.0  # seconds for the head of a request, from its first octet, or from the connection
REQUEST: Final = 20.0  # seconds for a whole request; carriers give up after 15
SLOWEST_UPLOAD: Final = 20_000  # octets of a request that give it one second more: a phone sends pictures slowly
ANSWER: Final = 20.0  # seconds that the reader of an answer may be behind SLOWEST
FAREWELL: Final = 2.0  # seconds for the other side to close, before the connection is cut


class Phase(Enum):
    """What a connection is doing."""

    READING = auto()  # a request
    WORKING = auto()  # a thread makes the answer
    ANSWERING = auto()  # the answer is made, and not all of it was read
    RESTING = auto()  # between two requests
    LEAVING = auto()  # all is sent; the other side has a moment to close
    GONE = auto()


class HttpClientConnection(TConn):  # type: ignore[misc]
    """One client. All but the exchange is used only in the loop's thread."""

    def __init__(self, worker: WebWorker, sock: socket.socket, client: Any, server: Any) -> None:
        self.exchange = Exchange(sock, worker.backlog, lambda: worker.method_queue.defer(worker.watch, self))
        super().__init__(worker.cfg, self.exchange, client, server)
        self._worker = worker
        self.initialized = self.data_ready = True  # for gunicorn: nothing to wait for
        self.parser = http.get_parser(worker.cfg, self.exchange, client)
        self.peer = client[0] if isinstance(client, tuple) else ""
        self.framing = Framing(SMALL, worker.largest_body)
        self.phase = Phase.READING
        self.watched = 0  # the events that the loop watches
        self.keeps = False  # whether the connection stays open after this answer
        self.since = self.last_heard = self.progressed = time.monotonic()
        self.held = 0  # octets, as the limiter counts them

    @property
    def is_known(self) -> bool:
        """Whether it is a proxy on this machine, through which everybody may come."""
        try:
            return ip_address(self.peer).is_loopback
        except ValueError:
            return True

    def begin(self, phase: Phase) -> None:
        self.phase = phase
        self.since = self.progressed = time.monotonic()

    def credit(self, seconds: float) -> None:
        self.progressed = min(time.monotonic(), self.progressed + seconds)

    def stalled(self, now: float) -> float | None:
        if self.phase is Phase.WORKING or self.phase is Phase.GONE:
            return None
        return max(0.0, now - self.progressed)

    def is_late(self, now: float, keep_alive: float) -> bool:
        if self.phase is Phase.READING:
            return now - self.since > (REQUEST + self.framing.size / SLOWEST_UPLOAD if self.framing.has_head else HEAD)
        if self.phase is Phase.ANSWERING or (self.phase is Phase.WORKING and self.exchange.unsent):
            return now - self.progressed > ANSWER
        return now - self.since > {Phase.RESTING: keep_alive, Phase.LEAVING: FAREWELL}.get(self.phase, now)

    def send_off(self, reply: str, *, now: bool) -> None:
        self._worker.drop(self)

    def refuse_mail(self) -> None:
        """Closes its request, because it is in the way of others."""
        self._worker.drop(self)
