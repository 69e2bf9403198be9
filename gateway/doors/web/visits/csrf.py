"""Whether a form comes from a page of ours. A cookie alone proves only which browser it is.

Two proofs are asked of each POST: where the browser says that it comes from, and a token that stands in our forms. The
token is made from the session's own, and covered anew with each page, so that a compressed page does not give it away
letter by letter (BREACH)."""

import hmac
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error
from hashlib import sha256
from typing import Final
from urllib.parse import urlsplit

from flask import Request

from gateway.settings import Settings

FIELD: Final = "csrf"
HEADER: Final = "X-CSRF-Token"
OCTETS: Final = 32


def token(cookie: str) -> str:
    """For the forms of one page. `cookie`: the token of the session, or of the browser that is signing in."""
    cover = secrets.token_bytes(OCTETS)
    return urlsafe_b64encode(cover + _xor(cover, _secret(cookie))).decode()


def is_ours(asked: Request, settings: Settings, cookie: str) -> bool:
    """Whether this POST comes from one of our pages in the browser that has this cookie."""
    given = asked.headers.get(HEADER) or asked.form.get(FIELD, "")
    return bool(cookie) and _same_site(asked, settings) and hmac.compare_digest(_uncovered(given), _secret(cookie))


def _same_site(asked: Request, settings: Settings) -> bool:
    """Every browser of today says one of the two; one that says neither is believed for its token."""
    site = asked.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = asked.headers.get("Origin")
    return origin is None or _place(origin) in (_place(settings.public_url), asked.host.lower())


def _place(url: str) -> str:
    return urlsplit(url).netloc.lower()


def _secret(cookie: str) -> bytes:
    return hmac.digest(b"csrf", cookie.encode(), sha256)


def _uncovered(given: str) -> bytes:
    try:
        both = urlsafe_b64decode(given.encode())
    except (Error, ValueError):
        return b""
    return _xor(both[:OCTETS], both[OCTETS:]) if len(both) == 2 * OCTETS else b""


def _xor(one: bytes, other: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(one, other, strict=True))
