"""The challenge that a browser signs with a passkey: it keeps it, signed by us, until it answers."""

import secrets
from base64 import b64decode, b64encode
from typing import Final

from flask import Response, request

from gateway.doors.web.visits import cookies, signed_cookies
from gateway.doors.web.visits.visit import Visit
from gateway.i18n.refusals import refusal
from gateway.network.web import passkeys
from gateway.network.web.passkeys import Site

OCTETS: Final = 32


def site_of(visit: Visit) -> Site | None:
    """None where browsers take no passkeys."""
    return passkeys.site(visit.settings.public_url, visit.settings.company)


def make() -> bytes:
    return secrets.token_bytes(OCTETS)


def give(visit: Visit, options: str, challenge: bytes) -> Response:
    """`options`: what the browser needs, JSON."""
    answer = Response(options, content_type="application/json")
    kept = b64encode(challenge).decode()
    signed_cookies.put(answer, visit.settings, visit.web.signer, cookies.PASSKEY, kept)
    return answer


def take(visit: Visit) -> bytes:
    """Raises Refused when the browser has none, or an old one."""
    kept = signed_cookies.read(request, visit.settings, visit.web.signer, cookies.PASSKEY)
    if kept is None:
        raise refusal("bad_passkey")
    return b64decode(kept)
