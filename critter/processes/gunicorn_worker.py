"""gunicorn's threaded worker, with a loop that reads requests and sends answers itself (R66).

By default gunicorn gives a thread to each connection while it sends nothing for five seconds, and while its body
arrives for as long as that takes: twenty half-sent requests stop a door of sixteen threads. Here a connection has a
thread only from when its request is complete until its answer is made. A request must be complete within a time, and an
answer read within one. When all connections are taken, the one with the least progress is closed, as at the mail door.
"""

import errno
import selectors
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from typing import Any, Final

from gunicorn.workers.gthread import ThreadWorker  # type: ignore[import-untyped]

from critter.processes.client_progress import FAREWELL, HttpClientConnection, Phase
from critter.processes.fast_requests import FastRequests
from critter.processes.http_connection import Backlog
from gateway.doors import body_limits
from gateway.doors.body_limits import SMALL, LongestOf
from gateway.doors.origin_limits import ONE, networks
from gateway.doors.smtp.connection_limits import ConnectionLimiter, ConnectionLimits

FAST_PATH: Final = "fast path"  # the extension of a Flask application that has one

SLOWEST: Final = 10_000.0  # octets of an answer in a second
SLOWEST_REQUEST: Final = 1000.0
SLOW: Final = 2.0  # seconds after which an incomplete request counts as slow
SLOW_OF_ONE: Final = 100  # slow requests of one address
ACCEPTED: Final = 64  # connections in one turn
READ: Final = 64 * 1024
TOGETHER: Final = 32 * 1024 * 1024  # octets of all incomplete requests

STATUS: Final = {
    408: "Request Timeout",
    413: "Content Too Large",
    431: "Request Header Fields Too Large",
    503: "Service Unavailable",
}


class WebWorker(ThreadWorker):  # type: ignore[misc]
    """gunicorn does the rest: starting, stopping, threads, and the requests themselves."""

    worker_connections: int

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.connections: dict[HttpClientConnection, None] = {}
        self.backlog = Backlog()
        self._fast = FastRequests(None, self._answer)
        self._stopped_at = 0.0
        self._most = self.worker_connections
        self.limiter = self._limiter(SMALL)
        self.largest_body: LongestOf | None = None
        self.worker_connections = self._most + 1  # gunicorn would stop accepting; the limiter closes one instead

    def load_wsgi(self) -> None:
        super().load_wsgi()
        self.limiter = self._limiter(body_limits.largest_of(self.wsgi))
        self.largest_body = body_limits.limit_of(self.wsgi)
        self._fast = FastRequests(self.wsgi.extensions.get(FAST_PATH), partial(self.method_queue.defer, self._answer))

    def _limiter(self, largest: int) -> ConnectionLimiter:
        """`largest`: octets of a body. Some of the largest find room at a time, half of it for one origin."""
        together = max(TOGETHER, 3 * largest)
        limits = ConnectionLimits(message=largest, together=together, per_peer=self._most, connections=self._most)
        return ConnectionLimiter(limits, time.monotonic)

    # From a connection to a complete request

    def accept(self, listener: socket.socket) -> None:
        for _ in range(ACCEPTED):
            try:
                sock, client = listener.accept()
            except (BlockingIOError, ConnectionAbortedError):
                return
            except OSError as error:
                if error.errno not in (errno.EMFILE, errno.ENFILE):
                    raise
                self._free_one()
                return
            self._take(HttpClientConnection(self, sock, client, listener.getsockname()))

    def _free_one(self) -> None:
        """Closes one client: there is no descriptor left, because the system granted fewer than it said."""
        now = time.monotonic()
        waiting = [(rest, one) for one in self.connections if (rest := one.stalled(now)) is not None]
        if waiting:
            self.drop(max(waiting, key=lambda pair: pair[0])[1])

    def _take(self, connection: HttpClientConnection) -> None:
        if not self.limiter.enter(connection, connection.peer):
            connection.exchange.cut()
            return
        self.connections[connection] = None
        self.nr_conns = len(self.connections)
        self._read(connection)
        self.watch(connection)

    def watch(self, connection: HttpClientConnection) -> None:
        """Makes the loop watch for the events that this connection waits for."""
        wanted = self._wanted(connection)
        if wanted == connection.watched:
            return
        if wanted & ~connection.watched & selectors.EVENT_WRITE:
            connection.progressed = time.monotonic()  # from now on the time for its reader counts
        callback = partial(self._turn, connection)
        if not connection.watched:
            self.poller.register(connection.exchange, wanted, callback)
        elif wanted:
            self.poller.modify(connection.exchange, wanted, callback)
        else:
            self.poller.unregister(connection.exchange)
        connection.watched = wanted

    def _wanted(self, connection: HttpClientConnection) -> int:
        if connection.phase is Phase.GONE:
            return 0
        reads = connection.phase in (Phase.READING, Phase.RESTING, Phase.LEAVING)
        return (selectors.EVENT_READ if reads else 0) | (selectors.EVENT_WRITE if connection.exchange.unsent else 0)

    def _turn(self, connection: HttpClientConnection, _fileobj: object) -> None:
        if connection.exchange.unsent:
            self._flush(connection)
        if connection.phase in (Phase.READING, Phase.RESTING, Phase.LEAVING):
            self._read(connection)
        self.watch(connection)

    def _read(self, connection: HttpClientConnection) -> None:
        try:
            data = connection.exchange.real.recv(READ)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.drop(connection)
        elif connection.phase is not Phase.LEAVING:
            self._feed(connection, data)

    def _feed(self, connection: HttpClientConnection, data: bytes) -> None:
        if connection.phase is Phase.RESTING:
            connection.begin(Phase.READING)
        connection.credit(len(data) / SLOWEST_REQUEST)
        connection.framing.feed(data)
        self._look(connection)

    def _look(self, connection: HttpClientConnection) -> None:
        """Reads what has come of a request, and gives it to a thread when it is complete."""
        framing = connection.framing
        if framing.fault:
            self._refuse(connection, framing.fault)
        elif framing.is_complete:
            request = framing.take()
            connection.begin(Phase.WORKING)
            self._weigh(connection, 0)
            if not (self.alive and self._fast.take(connection, request)):
                connection.exchange.give(request)
                self.enqueue_req(connection)
        else:
            if framing.wants_continue:
                framing.wants_continue = False
                connection.exchange.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
            if not self._weigh(connection, framing.size):
                self._refuse(connection, 503)

    def _answer(self, connection: HttpClientConnection, answer: bytes, keeps: bool) -> None:
        """What came on the fast path is durable, or has failed."""
        if not self._fast.forget(connection):
            return
        with suppress(OSError):
            connection.exchange.sendall(answer)
        connection.keeps = keeps and self.alive
        connection.begin(Phase.ANSWERING)
        self._go_on(connection)
        self.watch(connection)

    def _refuse_late(self, now: float) -> None:
        while (connection := self._fast.give_up(now)) is not None:
            self._refuse(connection, 503)
            self.watch(connection)

    def _weigh(self, connection: HttpClientConnection, octets: int) -> bool:
        if not self.limiter.hold(connection, octets - connection.held):
            return False
        connection.held = octets
        return True

    def _refuse(self, connection: HttpClientConnection, status: int) -> None:
        """Refuses within the loop, because no thread is using the connection."""
        head = f"HTTP/1.1 {status} {STATUS[status]}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
        with suppress(OSError):
            connection.exchange.sendall(head.encode())
        self._leave(connection)

    # From the answer to the next request

    def finish_request(self, conn: HttpClientConnection, fs: Any) -> None:
        """A thread has made the answer; the loop sends what was not taken at once."""
        if conn.phase is Phase.GONE:
            return
        with suppress(Exception):  # gunicorn has logged it
            conn.keeps = fs.result() is True and not conn.parser.unreader.buf.getvalue()
        conn.begin(Phase.ANSWERING)
        self._go_on(conn)
        self.watch(conn)

    def _flush(self, connection: HttpClientConnection) -> None:
        connection.credit(connection.exchange.flush() / SLOWEST)
        if connection.phase is Phase.ANSWERING:
            self._go_on(connection)

    def _go_on(self, connection: HttpClientConnection) -> None:
        if connection.exchange.is_broken:
            self.drop(connection)
        elif connection.exchange.unsent:
            return
        elif not connection.keeps:
            self._leave(connection)
        elif connection.framing.has_begun:  # the next request came before the answer
            connection.begin(Phase.READING)
            connection.framing.look()
            self._look(connection)
        else:
            connection.begin(Phase.RESTING)

    def _leave(self, connection: HttpClientConnection) -> None:
        """All is sent. Closing at once would make the kernel throw away what the other side did not read yet."""
        connection.keeps = False
        if connection.exchange.unsent:
            connection.begin(Phase.ANSWERING)
            return
        connection.begin(Phase.LEAVING)
        with suppress(OSError):
            connection.exchange.real.shutdown(socket.SHUT_WR)

    def drop(self, connection: HttpClientConnection) -> None:
        """Closes the connection. It may be called twice."""
        if connection not in self.connections:
            return
        del self.connections[connection]
        self._fast.forget(connection)
        if connection.watched:
            self.poller.unregister(connection.exchange)
            connection.watched = 0
        connection.phase = Phase.GONE
        self._weigh(connection, 0)
        self.limiter.leave(connection)
        connection.exchange.cut()
        self.nr_conns = len(self.connections)

    # Time

    def murder_keepalived(self, force: bool = False) -> None:
        """gunicorn's name for it. When it stops, idle connections have a moment, because a request may be on its way
        already."""
        if self.alive:
            return
        now = time.monotonic()
        self._stopped_at = self._stopped_at or now
        for connection in list(self._in(Phase.RESTING)):
            if force or now - max(self._stopped_at, connection.since) > FAREWELL:
                self.drop(connection)

    def murder_pending(self) -> None:
        """Closes also those that let us wait too long."""
        now, keep_alive = time.monotonic(), self.cfg.keepalive
        self._refuse_late(now)
        for connection in list(self.connections):
            if not self.alive and connection.phase is Phase.READING and not connection.framing.has_begun:
                self.drop(connection)
            elif connection.is_late(now, keep_alive):
                if connection.phase is Phase.READING and connection.framing.has_begun:
                    self._refuse(connection, 408)
                    self.watch(connection)
                else:
                    self.drop(connection)
        self._thin_out(now)

    def _in(self, phase: Phase) -> Iterator[HttpClientConnection]:
        return (connection for connection in self.connections if connection.phase is phase)

    def _thin_out(self, now: float) -> None:
        """Limits the slow requests of one address: the oldest are closed."""
        slow: dict[object, list[HttpClientConnection]] = {}
        for connection in self._in(Phase.READING):
            if now - connection.since > SLOW and not connection.is_known:
                (home,) = (one for one in networks(connection.peer) if one.width == ONE)
                slow.setdefault(home, []).append(connection)
        for those in slow.values():
            for connection in sorted(those, key=lambda one: one.since)[: max(0, len(those) - SLOW_OF_ONE)]:
                self.drop(connection)
