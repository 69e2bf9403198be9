"""The simulated browsers that get pushes: each has keys of its own, and reads what was encrypted for it."""

import base64
import json
import os
from dataclasses import dataclass, field
from secrets import token_urlsafe
from typing import Any

import http_ece
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat


@dataclass(frozen=True, slots=True)
class PushDevice:
    """`shown`: what it was sent, the newest last; of one topic the newest alone, as a push service keeps it."""

    name: str
    private: ec.EllipticCurvePrivateKey
    auth: bytes
    shown: list[dict[str, Any]] = field(default_factory=list)

    @property
    def keys(self) -> dict[str, str]:
        public = self.private.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        return {"p256dh": encode(public), "auth": encode(self.auth)}

    def read(self, coding: str, headers: dict[str, str], body: bytes) -> Any:
        """The payload, by RFC 8291 (aes128gcm) or by its drafts (aesgcm). Raises ValueError for what is not for it."""
        drafts: dict[str, bytes] = {}
        if coding == "aesgcm":
            drafts = {"salt": _after("salt=", headers["Encryption"]), "dh": _after("dh=", headers["Crypto-Key"])}
        try:
            plain = http_ece.decrypt(body, private_key=self.private, auth_secret=self.auth, version=coding, **drafts)
        except http_ece.ECEException:
            raise ValueError("not encrypted for this device") from None
        return json.loads(plain)


class PushDevices:
    def __init__(self) -> None:
        self._known: dict[str, PushDevice] = {}

    def make(self) -> PushDevice:
        device = PushDevice(token_urlsafe(12), ec.generate_private_key(ec.SECP256R1()), os.urandom(16))
        self._known[device.name] = device
        return device

    def find(self, name: str) -> PushDevice | None:
        return self._known.get(name)

    def clear(self) -> None:
        self._known.clear()


def encode(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _after(name: str, header: str) -> bytes:
    """The octets of one parameter of a header."""
    found = next((part.strip() for part in header.split(";") if part.strip().startswith(name)), "")
    return decode(found.removeprefix(name))
