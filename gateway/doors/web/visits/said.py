"""What was just done, said on the page that comes next: a sentence in a cookie of this browser, for one page."""

import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import sha256

from flask import Request, Response

from gateway.doors.web.visits import cookies
from gateway.doors.web.visits.visit import Said
from gateway.settings import Settings


def put(answer: Response, settings: Settings, session_cookie: str, said: Said) -> None:
    content = json.dumps([said.text, said.undo]).encode()
    cookies.put(answer, settings, cookies.SAID, urlsafe_b64encode(_proof(session_cookie, content) + content).decode())


def read(asked: Request, settings: Settings, session_cookie: str) -> Said | None:
    """What stands in the cookie; None when it is not one that we gave to this session."""
    try:
        both = urlsafe_b64decode(cookies.read(asked, settings, cookies.SAID))
    except ValueError:
        return None
    proof, content = both[:32], both[32:]
    if not content or not hmac.compare_digest(proof, _proof(session_cookie, content)):
        return None
    return Said(*json.loads(content))


def _proof(session_cookie: str, content: bytes) -> bytes:
    return hmac.digest(b"said " + session_cookie.encode(), content, sha256)
