"""Verifies the DKIM signatures of a mail (RFC 6376) by dkimpy with our resolver and with ed25519. dmarc.py calls it.

A signature counts less here than elsewhere (R56). It does not say whom a mail was sent to: whoever once got a signed
mail of Kim's could send it on to us, and it would be posted. So To or Cc must name all of our addresses that the mail
came to. It must also cover everything that is read (signature_coverage.py) and the whole body: with l= anything could
be added.
"""

import base64
import binascii
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, Final, NamedTuple

import dkim
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from dkim.util import InvalidTagSpec, InvalidTagValueList, parse_tag_value

from gateway.mail.auth import named_recipients
from gateway.mail.auth.dns import DnsUnavailable, Resolver
from gateway.mail.auth.signature_coverage import Coverage

MOST: Final = 5  # signatures of one mail that are verified
STRONG: Final = (b"rsa-sha256", b"ed25519-sha256")  # RFC 8301, RFC 8463
BROKEN: Final = (dkim.DKIMException, ValueError, TypeError, KeyError, IndexError, AttributeError, AssertionError)
Wanted = Callable[[str], bool]  # whether the signature of this domain would help
NO_ALIASES: Final[Mapping[str, str]] = {}
LARGEST_KEY: Final = 4096  # bits; dkimpy takes any size, and blocks all other threads meanwhile
LARGEST_EXPONENT: Final = (1 << 32) - 1


_verify_rsa = dkim.RSASSA_PKCS1_v1_5_verify


def _verify_one_form(hashed: Any, signature: bytes, key: dict[str, int]) -> bool:
    """Accepts only a signature as long as its key and smaller than its modulus (RFC 8017, 8.2.2). dkimpy also accepts
    one with zeros before it, or plus the modulus, and then the same mail could be replayed as a new one."""
    modulus = key["modulus"]
    if len(signature) != (modulus.bit_length() + 7) // 8 or int.from_bytes(signature) >= modulus:
        return False
    return bool(_verify_rsa(hashed, signature, key))


dkim.RSASSA_PKCS1_v1_5_verify = _verify_one_form


class Signature(NamedTuple):
    """A checked signature: the domain that signed, and what is wrong with it, in words; empty when it is valid."""

    domain: str
    fault: str


class _Key:
    """An ed25519 key with the interface that dkimpy expects. It records the result instead of raising, because dkimpy
    would catch an exception of a library that need not be installed."""

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
        return  # dkimpy reports it itself
    if key["modulus"].bit_length() > LARGEST_KEY or key["publicExponent"] > LARGEST_EXPONENT:
        raise dkim.KeyFormatError("too large a key")


class _Signed:
    """The signatures of one mail, and what is wrong with each of them before DNS is asked."""

    def __init__(self, mail: bytes, ours: Collection[str], aliases: Mapping[str, str]) -> None:
        self.verifier = _Verifier(mail)
        self.fields = [value for name, value in self.verifier.headers if name.lower() == b"dkim-signature"]
        self._coverage = Coverage(mail)
        self._ours, self._aliases = ours, aliases

    def weak(self, tags: dict[bytes, bytes]) -> str:
        return _weak(tags) or self._coverage.fields_fault(signed_fields(tags)) or self._sent_on(signed_fields(tags))

    def reading(self, tags: dict[bytes, bytes]) -> str:
        body = tags.get(b"c", b"simple/simple").lower().partition(b"/")[2].strip() or b"simple"
        return self._coverage.reading_fault(signed_fields(tags), blanks=body == b"simple")

    def _sent_on(self, signed: Collection[str]) -> str:
        values = [
            value.decode("utf-8", "replace")
            for name, value in self.verifier.headers
            if (field := name.lower().decode()) in ("to", "cc") and field in signed
        ]
        if named_recipients.names_all(values, self._ours, self._aliases):
            return ""
        return "what it covers does not name all of our addresses that this mail came to"


def signatures(
    mail: bytes, ours: Collection[str], resolver: Resolver, wanted: Wanted, aliases: Mapping[str, str] = NO_ALIASES
) -> Iterator[Signature]:
    """The signatures of the domains for which `wanted` is true, the topmost first. `ours`: our addresses that the mail
    came to. DNS is asked for these domains only, so that no other server learns of the mail. Raises DnsUnavailable."""
    try:
        signed = _Signed(mail, ours, aliases)
    except BROKEN:
        return
    for number, value in enumerate(signed.fields[:MOST]):
        tags = read_tags(value)
        if tags and wanted(domain := signing_domain(tags)):
            fault = signed.weak(tags) or _fault(signed.verifier, number, resolver) or signed.reading(tags)
            yield Signature(domain, fault)


def find_fault(mail: bytes, ours: Collection[str], aliases: Mapping[str, str], maybe: Wanted) -> str | None:
    """For another server's verdict: what is wrong with any signature that it may rest on; empty when all of them cover
    what they must, None when there is none. `maybe`: whether the verdict may rest on a signature of that domain."""
    try:
        signed = _Signed(mail, ours, aliases)
    except BROKEN:
        return "its header is not in order"
    found = [read_tags(value) for value in signed.fields]
    relevant = [tags for tags in found if tags is None or maybe(signing_domain(tags))]
    if len(relevant) > MOST or None in relevant:
        return "it has too many signatures, or one that cannot be read"
    faults = (signed.weak(tags) or signed.reading(tags) for tags in relevant if tags)
    return next((fault for fault in faults if fault), "") if relevant else None


def read_tags(value: bytes) -> dict[bytes, bytes] | None:
    """The tags of a DKIM-Signature that names its domain; None for any other."""
    try:
        tags: dict[bytes, bytes] = parse_tag_value(value)
        tags[b"d"].decode("ascii")
    except (InvalidTagValueList, InvalidTagSpec, KeyError, UnicodeDecodeError):
        return None
    return tags


def signing_domain(tags: dict[bytes, bytes]) -> str:
    """The domain that signed, in lower case."""
    return tags[b"d"].decode("ascii").lower()


def signed_fields(tags: dict[bytes, bytes]) -> frozenset[str]:
    """The names of the fields that a signature covers, in lower case."""
    return frozenset(name.strip().lower().decode("ascii", "replace") for name in tags.get(b"h", b"").split(b":"))


def _weak(tags: dict[bytes, bytes]) -> str:
    if tags.get(b"a") not in STRONG:
        return "its algorithm is too weak"
    if b"l" in tags:
        return "it covers only a part of the body"
    return "" if "from" in signed_fields(tags) else "it does not cover From"


def _fault(verifier: _Verifier, number: int, resolver: Resolver) -> str:
    def text(name: bytes, timeout: float = 0) -> bytes | None:
        found = resolver.ask(name.decode("ascii"), "TXT").records
        return next((each for each in found if isinstance(each, bytes) and each), None)

    try:
        return "" if verifier.verify(idx=number, dnsfunc=text) else "it does not match"
    except DnsUnavailable:
        raise
    except (*BROKEN, binascii.Error, InvalidTagValueList, InvalidTagSpec) as wrong:
        return f"it is broken ({type(wrong).__name__})"
