"""Signed tokens in the addresses and links that we send out; the code that renders messages makes them, the doors read
them."""

import base64
import binascii
import hashlib
import hmac
import struct
from itertools import product

ID_BYTES = 8
MAC_BYTES = 12
ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"
TRIPLES = ["".join(three) for three in product(ALPHABET, repeat=3)]  # the three letters of each 15-bit number
MASK = (1 << 60) - 1


class Signer:
    """Signs ids with the first key; reads what any of the keys has signed, so that keys can be rotated.

    A token is lowercase base32 without padding of 8 bytes an id and 12 bytes of HMAC-SHA256: mail servers may
    change the case of an address, and two ids still fit the 64 octets of a local part (RFC 5321, 4.5.3.1.1).
    """

    def __init__(self, keys: tuple[str, ...]) -> None:
        if not keys:
            raise ValueError("a signer needs a key")
        self._keys = tuple(key.encode() for key in keys)

    def sign(self, kind: str, *ids: int) -> str:
        """A token for these ids. The kind ("reply", "unsubscribe" …) is part of what is signed, but not of the
        token."""
        packed = struct.pack(f">{len(ids)}Q", *ids)
        return _encode(packed + _mac(self._keys[0], kind, packed))

    def seal(self, kind: str, *parts: object) -> str:
        """The keyed hash of a short secret under our first key, in hex: it is stored instead of the secret, and
        compared later."""
        written = "\0".join(map(str, parts)).encode()
        return hmac.digest(self._keys[0], f"seal {kind}".encode() + b"\0" + written, hashlib.sha256).hex()

    def stretch(self, kind: str, seed: bytes) -> tuple[str, ...]:
        """128 bits derived from a seed under each of our keys, spelled like a token; the first is that of the current
        key."""
        given = f"stretch {kind}".encode() + b"\0" + seed
        return tuple(_encode(hmac.digest(key, given, hashlib.sha256)[:16]) for key in self._keys)

    def read(self, kind: str, token: str) -> tuple[int, ...] | None:
        """The ids, or None when the token is not ours, was altered or is of another kind."""
        raw = _decode(token)
        if raw is None or len(raw) < ID_BYTES + MAC_BYTES or (len(raw) - MAC_BYTES) % ID_BYTES:
            return None
        packed, mac = raw[:-MAC_BYTES], raw[-MAC_BYTES:]
        verdicts = [hmac.compare_digest(mac, _mac(key, kind, packed)) for key in self._keys]
        return struct.unpack(f">{len(packed) // ID_BYTES}Q", packed) if any(verdicts) else None


def _mac(key: bytes, kind: str, packed: bytes) -> bytes:
    return hmac.digest(key, kind.encode() + b"\0" + packed, hashlib.sha256)[:MAC_BYTES]


def _encode(raw: bytes) -> str:
    """Base32 (RFC 4648, 6) in lower case without padding. It matters because a mail carries three tokens: Python's own
    base64.b32encode takes six times as long. It goes 60 bits at a time, for arithmetic on long numbers is slow."""
    bits = len(raw) * 8
    number = int.from_bytes(raw) << -bits % 60
    letters = [_twelve(number >> shift & MASK) for shift in range(bits + -bits % 60 - 60, -1, -60)]
    return "".join(letters)[: -(-bits // 5)]


def _twelve(bits: int) -> str:
    return TRIPLES[bits >> 45] + TRIPLES[bits >> 30 & 0x7FFF] + TRIPLES[bits >> 15 & 0x7FFF] + TRIPLES[bits & 0x7FFF]


def _decode(token: str) -> bytes | None:
    """The bytes of a token; None when it is no base32, or when the spare bits at its end are not zero, as ours are: so
    each token has only one spelling."""
    padded = token.upper() + "=" * (-len(token) % 8)
    try:
        raw = base64.b32decode(padded)
    except (binascii.Error, ValueError):
        return None
    return raw if _encode(raw) == token.lower() else None
