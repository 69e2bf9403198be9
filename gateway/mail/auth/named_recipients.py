"""Reads the addresses in To and Cc, and checks that they name all of ours that a mail came to. dkim_verifier.py asks.

A signature does not say whom a mail was sent to: whoever once got a signed mail of Kim's could send it on to us. So the
signed fields must name each of our addresses in the envelope. An alias, from which the company forwards mail to us,
counts as one of our addresses (CRITTER_MAIL_ALIASES).
"""

import re
from collections.abc import Collection, Iterable, Mapping
from typing import Final

from gateway.language.words.normalize import without_invisible

_ADDRESS: Final = r"[^\s<>()\[\],;:@\"\\]+@[^\s<>()\[\],;:@\"\\]+"
_QUOTED: Final = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_COMMENT: Final = re.compile(r"\([^()]*\)")
_ENCODED: Final = re.compile(r"=\?[^?\s]*\?[bq]\?[^?]*\?=", re.IGNORECASE)
_INSIDE: Final = re.compile(rf"[^<>@\"()]*<\s*({_ADDRESS})\s*>\s*")
_BARE: Final = re.compile(rf"\s*({_ADDRESS})\s*")
_GROUP: Final = re.compile(r"\A[^<>@:]*:")
LONGEST: Final = 20_000  # characters of one field that are read


def read_addresses(value: str) -> set[str]:
    """The addresses in a field, in lower case. An address inside a name or a comment does not count, since it may be
    forged, and a field with a quote or a comment that never ends names nobody."""
    if len(value) > LONGEST:
        return set()
    bare = _QUOTED.sub(" ", without_invisible(value))
    while (less := _COMMENT.sub(" ", bare)) != bare:
        bare = less
    if re.search(r'["()\\]', bare):
        return set()
    boxes = re.split(r"[,;]", _ENCODED.sub(" ", bare))
    found = (_INSIDE.fullmatch(box) or _BARE.fullmatch(box) for box in (_GROUP.sub("", box, count=1) for box in boxes))
    return {match[1].lower() for match in found if match}


def read_aliases(written: Iterable[str]) -> dict[str, str]:
    """The setting as a table from an address to the word at our domain that it stands for. A whole domain, written with
    its @, maps to "": its addresses stand for the same words at our domain."""
    return {alias: local for alias, _, local in (one.partition("=") for one in written)}


def names_all(values: Iterable[str], ours: Collection[str], aliases: Mapping[str, str]) -> bool:
    """Whether these fields name all of our addresses that the mail came to; False when it came to none."""
    found = {each for value in values for each in read_addresses(value)}
    locals_ = {local for each in found if (local := _local(each, aliases))}
    return bool(ours) and all(each.lower() in found or each.lower().rpartition("@")[0] in locals_ for each in ours)


def _local(address: str, aliases: Mapping[str, str]) -> str:
    """What an alias stands for at our domain: its own word or, for a whole domain, the same word; else empty."""
    local, _, domain = address.rpartition("@")
    return aliases.get(address) or (local if f"@{domain}" in aliases else "")
