"""Takes the web hooks of Twilio that are as they should be before Flask sees them, by the same checks: for a request of
some hundred octets Flask's own work costs more than all of ours. Whatever is unusual about one goes to Flask, whose
views refuse it (twilio.py).
"""

import io
import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from werkzeug.exceptions import HTTPException

from gateway.doors.sms.twilio import NO_ANSWER, PATIENCE, TwilioDoor
from gateway.ledger.commit.admission import Closed

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication

Environ = dict[str, Any]

LARGEST: Final = 64 * 1024  # octets of a form

log = logging.getLogger(__name__)


class PlainRequest:
    """What the checks read of a request."""

    def __init__(self, environ: Environ, body: bytes) -> None:
        self.environ, self._body = environ, body
        self.path: str = environ.get("PATH_INFO", "")
        self.query_string: str = environ.get("QUERY_STRING", "")
        self.mimetype: str = environ.get("CONTENT_TYPE", "").partition(";")[0].strip().lower()
        self.headers: Mapping[str, str | None] = {"X-Twilio-Signature": environ.get("HTTP_X_TWILIO_SIGNATURE")}

    def get_data(self) -> bytes:
        return self._body


class UsualHooks:
    """A WSGI application in front of another one. `headers`: those of every answer."""

    def __init__(self, application: "WSGIApplication", door: TwilioDoor, headers: Sequence[tuple[str, str]]) -> None:
        self._application, self._door = application, door
        self._headers = list(headers)
        self._answer = NO_ANSWER.encode()
        length = ("Content-Length", str(len(self._answer)))
        self._taken = [("Content-Type", "text/xml"), length, *self._headers]

    def __call__(self, environ: Environ, start: "StartResponse") -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if not path.startswith("/sms/") or environ.get("REQUEST_METHOD") != "POST":
            return self._application(environ, start)
        body = _body(environ)
        if body is None:
            return self._application(environ, start)
        environ["wsgi.input"] = io.BytesIO(body)  # whoever comes after us reads it, too
        try:
            handed = self._door.hand_in(path, PlainRequest(environ, body))
        except HTTPException:
            return self._application(environ, start)
        if handed is None:
            return self._application(environ, start)
        try:
            handed.result(PATIENCE)
        except Exception as error:
            if not isinstance(error, Closed):
                log.error("web hook not taken: %s", path.split("/")[2], exc_info=error)
            start("503 SERVICE UNAVAILABLE", [("Content-Length", "0"), *self._headers])
            return [b""]
        if path == "/sms/inbound":
            start("200 OK", self._taken)
            return [self._answer]
        start("204 NO CONTENT", self._headers)
        return [b""]


def _body(environ: Environ) -> bytes | None:
    """The body of a request of stated and modest length."""
    length = environ.get("CONTENT_LENGTH") or ""
    if not (length.isascii() and length.isdigit()) or int(length) > LARGEST or environ.get("HTTP_TRANSFER_ENCODING"):
        return None
    body: bytes = environ["wsgi.input"].read(int(length))
    return body if len(body) == int(length) else None
