"""The fast path of Twilio's web hooks: the loop of the web server itself reads what is as it should be, by the same
checks as the views of twilio.py, and hands it in without a thread that waits for its commit.

For a request of some hundred octets gunicorn's and Flask's own work costs several times as much as all of ours.
Whatever is unusual about one goes to Flask, whose views refuse it. critter/processes/fast_requests calls it.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, ClassVar

from werkzeug.exceptions import HTTPException

from gateway.doors.sms.twilio import INBOUND, NO_ANSWER, TwilioDoor
from gateway.ledger.commit.admission import Closed

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class PlainRequest:
    """A whole POST without a query. `headers`: names in lower case."""

    environ: ClassVar[Mapping[str, Any]] = {}
    query_string: ClassVar[str] = ""

    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def mimetype(self) -> str:
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    def get_data(self) -> bytes:
        return self.body


Answer = Callable[[bytes], object]  # takes the head and the body of the answer, without a date


class HookFastPath:
    """Takes web hooks for one carrier. `headers`: those of every answer."""

    def __init__(self, door: TwilioDoor, headers: Sequence[tuple[str, str]]) -> None:
        self._door = door
        body = NO_ANSWER.encode()
        taken = [("Content-Type", "text/xml"), ("Content-Length", str(len(body))), *headers]
        self._taken = _head("200 OK", taken) + body
        self._noted = _head("204 NO CONTENT", headers)
        self._unwell = _head("503 SERVICE UNAVAILABLE", [("Content-Length", "0"), *headers])

    def take(self, request: PlainRequest, answer: Answer) -> "Future[None] | None":
        """Hands in what a request brings; `answer` is called in another thread as soon as that is durable, or failed.
        None: the request is for Flask."""
        try:
            handed = self._door.hand_in(request.path, request)
        except HTTPException:
            return None
        except Exception:  # it must not end the loop, which serves everybody; Flask's view meets the same error
            log.exception("web hook not read")
            return None
        if handed is None:
            return None
        fine = self._taken if request.path == INBOUND else self._noted
        handed.add_done_callback(lambda ended: answer(self._answer(ended, fine)))
        return handed

    def _answer(self, ended: "Future[None]", fine: bytes) -> bytes:
        error = None if ended.cancelled() else ended.exception()
        if error is None and not ended.cancelled():
            return fine
        if not isinstance(error, Closed):  # an operator's drain has closed the doors
            log.error("web hook not taken", exc_info=error)
        return self._unwell


def _head(status: str, headers: Sequence[tuple[str, str]]) -> bytes:
    lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in headers), "\r\n"]
    return "\r\n".join(lines).encode("latin-1")
