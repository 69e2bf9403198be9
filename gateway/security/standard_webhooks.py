"""Signed web hooks as Standard Webhooks has them; carriers/webhook/sms signs with it, doors/sms/webhook believes by it.

Source: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md, symmetric scheme:
base64 of HMAC-SHA256 over "id.timestamp.body". Any of its libraries reads ours and writes what we read.
"""

from __future__ import annotations

import binascii
import hmac
import time
from base64 import b64decode, b64encode
from collections.abc import Sequence
from typing import Final, Protocol

ID: Final = "webhook-id"
TIMESTAMP: Final = "webhook-timestamp"
SIGNATURE: Final = "webhook-signature"
PREFIX: Final = "whsec_"
WINDOW: Final = 300  # seconds that a clock may be off, and that a captured request lives
LONGEST_ID: Final = 100


class Headers(Protocol):
    """A request's headers, whoever read them: names in any case."""

    def get(self, name: str, default: str, /) -> str: ...


def key_of(secret: str) -> bytes:
    """The key of a secret as the standard writes it, whsec_ and base64; any other text is a key as it stands."""
    if not secret.startswith(PREFIX):
        return secret.encode()
    try:
        return b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error:
        raise ValueError("what follows whsec_ is not base64") from None


def sign(key: bytes, name: str, body: bytes, now: float | None = None) -> dict[str, str]:
    """The three headers for a body; `name` says which message it is, the same one at every repeat."""
    at = str(int(time.time() if now is None else now))
    return {ID: name, TIMESTAMP: at, SIGNATURE: f"v1,{_mac(key, name, at, body)}"}


def verify(keys: Sequence[bytes], headers: Headers, body: bytes, now: float | None = None) -> str | None:
    """The id under a signature by one of the keys, made within WINDOW of now; None for anything else. Never raises."""
    name, at, given = (headers.get(each, "") for each in (ID, TIMESTAMP, SIGNATURE))
    if not (name.isascii() and name.isprintable() and 0 < len(name) <= LONGEST_ID and given.isascii()):
        return None
    if not (at.isascii() and at.isdigit() and len(at) <= 12):
        return None
    if abs(int(at) - (time.time() if now is None else now)) > WINDOW:
        return None
    wanted = [f"v1,{_mac(key, name, at, body)}" for key in keys]
    verdicts = [hmac.compare_digest(one, each) for one in wanted for each in given.split(" ")[:10]]
    return name if any(verdicts) else None


def _mac(key: bytes, name: str, at: str, body: bytes) -> str:
    return b64encode(hmac.digest(key, f"{name}.{at}.".encode() + body, "sha256")).decode()
