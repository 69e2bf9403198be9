"""Checks that a web hook is really Twilio's, from the public URL, the form and the X-Twilio-Signature header, for the
SMS door.

It is our own code for Twilio's scheme (https://www.twilio.com/docs/usage/security#validating-requests): the validator
of Twilio's library raises on a missing header, spoils URLs with credentials or an IPv6 address, and takes fifteen
times as long.
"""

from __future__ import annotations

import hmac
from base64 import b64encode
from collections.abc import Iterable, Mapping
from functools import lru_cache
from hashlib import sha256
from itertools import chain
from typing import Protocol, cast
from urllib.parse import parse_qs, urlsplit


class MultiDict(Protocol):
    """A form as Flask reads it: names with all their values."""

    def lists(self) -> Iterable[tuple[str, list[str]]]: ...


Form = MultiDict | Mapping[str, str | list[str]] | Iterable[tuple[str, str]]


class Verifier:
    """Has the account's auth tokens; two may be valid while one is being rotated."""

    def __init__(self, tokens: tuple[str, ...]) -> None:
        self._keys = [token.encode() for token in tokens if token]

    def genuine(self, url: str, params: Form | str | bytes, signature: str | None) -> bool:
        """True when a valid token signed this; a form is given as its parameters, JSON as the raw body. Never
        raises."""
        if not signature:
            return False
        try:
            return self._signed(url, _signed_text(url, params), signature.encode())
        except Exception:  # noqa: BLE001  # a stranger's input may raise anything, and all of it means "not genuine"
            return False

    def _signed(self, url: str, text: bytes, signature: bytes) -> bool:
        for spelling in url_spellings(url):
            for key in self._keys:
                made = b64encode(hmac.digest(key, spelling + text, "sha1"))
                if hmac.compare_digest(made, signature):
                    return True
        return False


def _signed_text(url: str, params: Form | str | bytes) -> bytes:
    """The text that is signed after the URL: names and values, sorted, a repeated pair once. Raises ValueError when a
    JSON body does not match the hash in the URL."""
    if isinstance(params, str | bytes):
        _check_body(url, params)
        return b""
    return "".join(chain.from_iterable(sorted(set(_pairs(params))))).encode()


def _check_body(url: str, body: str | bytes) -> None:
    """A JSON body is not signed itself: the signed URL carries its hash."""
    stated = parse_qs(urlsplit(url).query).get("bodySHA256")
    raw = body.encode() if isinstance(body, str) else body
    if not stated or not hmac.compare_digest(stated[0].encode(), sha256(raw).hexdigest().encode()):
        raise ValueError("the body is not the one that was signed")


def _pairs(params: Form) -> Iterable[tuple[str, str]]:
    if hasattr(params, "lists"):
        return [(name, value) for name, values in cast(MultiDict, params).lists() for value in values]
    if isinstance(params, Mapping):
        return [(n, v) for n, vs in params.items() for v in ([vs] if isinstance(vs, str) else vs)]
    return params


@lru_cache(maxsize=1024)
def url_spellings(url: str) -> tuple[bytes, ...]:
    """The URL as given, then with its port added (443 or 80) or removed: Twilio may sign either."""
    scheme, mark, rest = url.partition("://")
    end = min((place for place in map(rest.find, "/?#") if place >= 0), default=len(rest))
    user, at, host = rest[:end].rpartition("@")
    bracket = host.rfind("]") + 1  # an IPv6 address has colons of its own
    name, _, port = host[bracket:].partition(":")
    default = "443" if scheme.lower() == "https" else "80"
    other = host[:bracket] + name + ("" if port else ":" + default)
    return url.encode(), (scheme + mark + user + at + other + rest[end:]).encode()
