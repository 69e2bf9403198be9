"""DKIM signatures of a mail (RFC 6376), verified by dkimpy with our resolver and with ed25519. dmarc asks.

A signature counts less here than elsewhere, for it says nothing about whom a mail was sent to: whoever once got a
signed mail of Kim's could send it on to us, and it would be posted. So it must cover To or Cc, and these must name
all of our addresses that the mail came to. It must also cover the whole body: with l= anything could be added.
"""

import base64
import binascii
import re
from collections.abc import Callable, Collection, Iterator
from typing import Any, Final, NamedTuple

import dkim
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from dkim.util import InvalidTagValueList, parse_tag_value

from gateway.identity.resolver import Away, Resolver

MOST: Final = 5  # signatures that are looked at
STRONG: Final = (b"rsa-sha256", b"ed25519-sha256")  # RFC 8301, RFC 8463
BROKEN: Final = (dkim.DKIMException, ValueError, TypeError, KeyError, IndexError, AttributeError, AssertionError)
Wanted = Callable[[str], bool]  # whether the signature of this domain would help
ADDRESS: Final = re.compile(r"[^\s<>()\[\],;:\"]+@[^\s<>()\[\],;:\"]+")
QUOTED: Final = re.compile(r'"(?:[^"\\]|\\.)*"')
COMMENT: Final = re.compile(r"\([^()]*\)")
INSIDE: Final = re.compile(r"<([^<>]*)>")
LARGEST_KEY: Final = 4096  # bits; dkimpy computes with any, and holds up all other threads meanwhile
LARGEST_EXPONENT: Final = (1 << 32) - 1


class Signature(NamedTuple):
    """One that was looked at: which domain signed, and what is wrong with it, in words; nothing when it holds."""

    domain: str
    fault: str


class _Key:
    """An ed25519 key as dkimpy uses one. It remembers the verdict: dkimpy would name an exception of a library that it
    can do without."""

    def __init__(self, raw: bytes) -> None:
        self._key = Ed25519PublicKey.from_public_bytes(raw)
        self.held = False

    def verify(self, digest: bytes, signature: bytes) -> None:
        try:
            self._key.verify(signature, digest)
        except InvalidSignature:
            return
        self.held = True


class _Verifier(dkim.DKIM):  # type: ignore[misc]  # dkimpy is not typed
    def verify_sig(self, sig: Any, include_headers: Any, sig_header: Any, dnsfunc: Any) -> bool:
        name = sig[b"s"] + b"._domainkey." + sig[b"d"] + b"."
        record = dnsfunc(name, timeout=self.timeout)
        tags = parse_tag_value(record) if record else {}
        if tags.get(b"k") != b"ed25519" or tags.get(b"v", b"DKIM1") != b"DKIM1":
            _refuse_monsters(tags)
            return bool(super().verify_sig(sig, include_headers, sig_header, lambda *_, **__: record))
        self.pk = _Key(base64.b64decode(tags[b"p"], validate=True))
        self.keysize, self.ktag, self.seqtlsrpt = 256, b"ed25519", False
        return bool(self.verify_sig_process(sig, include_headers, sig_header, dnsfunc)) and self.pk.held


def _refuse_monsters(tags: dict[bytes, bytes]) -> None:
    if b"p" not in tags:
        return
    try:
        key = dkim.parse_public_key(base64.b64decode(tags[b"p"]))
    except dkim.UnparsableKeyError:
        return  # dkimpy says so itself
    if key["modulus"].bit_length() > LARGEST_KEY or key["publicExponent"] > LARGEST_EXPONENT:
        raise dkim.KeyFormatError("too large a key")


def signatures(mail: bytes, ours: Collection[str], resolver: Resolver, wanted: Wanted) -> Iterator[Signature]:
    """Those of the domains that `wanted` says yes to, the topmost first. `ours`: the addresses of ours that the mail
    came to, in lower case. DNS is asked for wanted ones alone: nobody else's servers hear of a mail. Raises Away."""
    try:
        verifier = _Verifier(mail)
    except BROKEN:
        return
    fields = [value for name, value in verifier.headers if name.lower() == b"dkim-signature"]
    for number, value in enumerate(fields[:MOST]):
        try:
            tags = parse_tag_value(value)
            domain = tags[b"d"].decode("ascii").lower()
        except (InvalidTagValueList, KeyError, UnicodeDecodeError):
            continue
        if wanted(domain):
            weak = _weak(tags) or _sent_on(verifier.headers, tags, ours)
            yield Signature(domain, weak or _fault(verifier, number, resolver))


def _weak(tags: dict[bytes, bytes]) -> str:
    if tags.get(b"a") not in STRONG:
        return "its algorithm is too weak"
    if b"l" in tags:
        return "it covers only a part of the body"
    return "" if b"from" in _signed(tags) else "it does not cover From"


def _signed(tags: dict[bytes, bytes]) -> list[bytes]:
    return [name.strip().lower() for name in tags.get(b"h", b"").split(b":")]


def _sent_on(headers: list[tuple[bytes, bytes]], tags: dict[bytes, bytes], ours: Collection[str]) -> str:
    """Only a field that is there once is surely the one that was signed."""
    named: set[str] = set()
    for field in (b"to", b"cc"):
        values = [value for name, value in headers if name.lower() == field]
        if field in _signed(tags) and len(values) == 1:
            named |= _addresses(values[0].decode("utf-8", "replace"))
    return "" if set(ours) <= named else "what it covers does not name all of our addresses that this mail came to"


def _addresses(value: str) -> set[str]:
    """The addresses themselves: what looks like one in a name or a comment is somebody's trick."""
    bare = QUOTED.sub(" ", value)
    while (less := COMMENT.sub(" ", bare)) != bare:
        bare = less
    found: set[str] = set()
    for mailbox in bare.split(","):
        inside = INSIDE.findall(mailbox)
        found |= {each.lower() for each in ADDRESS.findall(" ".join(inside) if inside else mailbox)}
    return found


def _fault(verifier: _Verifier, number: int, resolver: Resolver) -> str:
    def text(name: bytes, timeout: float = 0) -> bytes | None:
        found = resolver.ask(name.decode("ascii"), "TXT").records
        return next((each for each in found if isinstance(each, bytes) and each), None)

    try:
        return "" if verifier.verify(idx=number, dnsfunc=text) else "it does not match"
    except Away:
        raise
    except (*BROKEN, binascii.Error, InvalidTagValueList) as wrong:
        return f"it is broken ({type(wrong).__name__})"
