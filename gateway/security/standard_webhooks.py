"""Web hooks signed by the Standard Webhooks specification; carriers/webhook/sms signs, doors/sms/webhook verifies.

Source: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md, symmetric scheme:
base64 of HMAC-SHA256 over "id.timestamp.body". Its libraries verify what we sign, and we verify what they sign.
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
WINDOW: Final = 300  # seconds that a clock may be off, and for which a captured request can be replayed
LONGEST_ID: Final = 100


class Headers(Protocol):
    """The headers of a request in any web framework; names are case-insensitive."""

    def get(self, name: str, default: str, /) -> str: ...


def key_of(secret: str) -> bytes:
    """The key of a secret that is written as in the standard, whsec_ and base64; any other text is itself the key.
    Raises ValueError for wrong base64."""
    if not secret.startswith(PREFIX):
        return secret.encode()
    try:
        return b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error:
        raise ValueError("what follows whsec_ is not base64") from None


def sign(key: bytes, name: str, body: bytes, now: float | None = None) -> dict[str, str]:
    """The three headers for a body. `name` identifies the message and is the same when it is sent again."""
    at = str(int(time.time() if now is None else now))
    return {ID: name, TIMESTAMP: at, SIGNATURE: f"v1,{_mac(key, name, at, body)}"}


def verify(keys: Sequence[bytes], headers: Headers, body: bytes, now: float | None = None) -> str | None:
    """The message id, when one of the keys signed the request within WINDOW of now; else None. Never raises."""
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
