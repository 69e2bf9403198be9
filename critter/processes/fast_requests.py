"""The requests that take the fast path (gateway/doors/sms/hook_fast_path): handed in by the web server's loop, they
wait for their commit without a thread. critter/processes/gunicorn_worker has one of these."""

from collections.abc import Callable
from concurrent.futures import Future
from typing import Final

from gunicorn.util import http_date  # type: ignore[import-untyped]

from critter.processes import plain_requests
from critter.processes.client_progress import HttpClientConnection
from gateway.doors.sms.hook_fast_path import HookFastPath
from gateway.doors.sms.twilio import PATIENCE

PREFIX: Final = b"POST /sms/"
# Called in another thread with the connection, the whole answer, and whether the connection may stay open.
Answer = Callable[[HttpClientConnection, bytes, bool], object]


class FastRequests:
    """All but `answer` happens in the loop's thread. Without a `path` it takes none."""

    def __init__(self, path: HookFastPath | None, answer: Answer) -> None:
        self._path, self._answer = path, answer
        self._waiting: dict[HttpClientConnection, Future[None]] = {}  # the oldest first

    def take(self, connection: HttpClientConnection, raw: bytes) -> bool:
        """Hands in what a whole request brings; False when gunicorn is to read it."""
        request = plain_requests.parse(raw) if self._path and raw.startswith(PREFIX) else None
        if request is None or self._path is None:
            return False
        keeps = plain_requests.keeps_open(request)
        handed = self._path.take(request, lambda answer: self._answer(connection, _dated(answer), keeps))
        if handed is not None:
            self._waiting[connection] = handed
        return handed is not None

    def forget(self, connection: HttpClientConnection) -> bool:
        """The connection has its answer, or has gone; False when it was not waited for any more."""
        return self._waiting.pop(connection, None) is not None

    def give_up(self, now: float) -> HttpClientConnection | None:
        """The oldest whose commit takes too long; it is not waited for any more."""
        oldest = next(iter(self._waiting), None)
        if oldest is None or now - oldest.since <= PATIENCE:
            return None
        self._waiting.pop(oldest).cancel()
        return oldest


def _dated(answer: bytes) -> bytes:
    head, _, rest = answer.partition(b"\r\n")
    return b"\r\n".join((head, f"Date: {http_date()}".encode(), rest))
