"""Reads the content of an opaque S/MIME part (RFC 8551, section 3.5): a part of a mail, wrapped in CMS (RFC 5652).

The signature is not checked: who wrote a mail is proved elsewhere, and only the words are needed here. `cryptography`
reads the certificates of such a part but not its content, so this module walks the few levels above it, in BER and
DER.
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

LARGEST: Final = 10 * 1024 * 1024  # octets
SIGNED_DATA: Final = bytes.fromhex("2a864886f70d010702")
DATA: Final = bytes.fromhex("2a864886f70d010701")
_SEQUENCE, _OID, _CONTEXT_0, _OCTETS, _SPLIT_OCTETS = 0x30, 0x06, 0xA0, 0x04, 0x24
_MOST = 100_000  # pieces of one string
_DEEPEST = 8


class _Broken(Exception):
    """The octets are no BER, or end too early."""


@dataclass(frozen=True, slots=True)
class _Value:
    tag: int
    start: int
    end: int  # of the content
    after: int


def signed_content(octets: bytes) -> bytes | None:
    """The content of SignedData; None when it is something else, is broken, or has a detached signature."""
    if len(octets) > LARGEST:
        return None
    try:
        info = _named(octets, _value(octets, 0), SIGNED_DATA)
        signed = list(_inside(octets, info))  # version, digest algorithms, the content, certificates, signers
        content = _named(octets, signed[2], DATA)
        return b"".join(_string(octets, content))
    except (_Broken, IndexError, ValueError, StopIteration):  # some values are missing
        return None


def _named(octets: bytes, value: _Value, oid: bytes) -> _Value:
    """The content of a ContentInfo of this type."""
    if value.tag != _SEQUENCE:
        raise _Broken
    name, wrapped = [*itertools.islice(_inside(octets, value), 2)]
    if name.tag != _OID or octets[name.start : name.end] != oid or wrapped.tag != _CONTEXT_0:
        raise _Broken
    return next(_inside(octets, wrapped))


def _string(octets: bytes, value: _Value, depth: int = 0) -> Iterator[bytes]:
    if value.tag == _OCTETS:
        yield octets[value.start : value.end]
        return
    if value.tag != _SPLIT_OCTETS or depth > _DEEPEST:
        raise _Broken
    for count, piece in enumerate(_inside(octets, value)):
        if count > _MOST:
            raise _Broken
        yield from _string(octets, piece, depth + 1)


def _inside(octets: bytes, value: _Value) -> Iterator[_Value]:
    at = value.start
    while at < value.end:
        found = _value(octets, at)
        if found.after > value.end:
            raise _Broken
        yield found
        at = found.after


def _value(octets: bytes, at: int, depth: int = 0) -> _Value:
    """The value that begins at `at`. A value of indefinite length ends with two zero octets."""
    tag, first = octets[at], octets[at + 1]
    if tag & 0x1F == 0x1F or depth > 2 * _DEEPEST:
        raise _Broken  # no tags of several octets occur above the content
    if first == 0x80:
        end = _end(octets, at + 2, depth)
        return _Value(tag, at + 2, end, end + 2)
    start, length = at + 2, first
    if first > 0x80:
        start += first & 0x7F
        length = int.from_bytes(octets[at + 2 : start], "big")
    if first > 0x84 or start + length > len(octets):
        raise _Broken
    return _Value(tag, start, start + length, start + length)


def _end(octets: bytes, at: int, depth: int) -> int:
    """The place of the two zero octets that end a value of indefinite length."""
    for _ in range(_MOST):
        if octets[at : at + 2] == b"\x00\x00":
            return at
        at = _value(octets, at, depth + 1).after
    raise _Broken
