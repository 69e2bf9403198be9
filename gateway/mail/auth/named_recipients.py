"""Which addresses To and Cc name, and whether these are all of ours that a mail came to. signing asks.

A signature says nothing about whom a mail was sent to: whoever once got a signed mail of Kim's could send it on to us.
So what is signed must name each address of ours in the envelope. An alias, under which the company forwards mail to
us, names one of ours too (CRITTER_MAIL_ALIASES).
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
    """The addresses themselves, in lower case. What looks like one in a name or a comment is somebody's trick, and a
    field with a quote or a comment that never ends names nobody."""
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
    """The setting as a table: an address and the word at our domain that it stands for; a domain with its @ and
    nothing, for it stands for the same words."""
    return {alias: local for alias, _, local in (one.partition("=") for one in written)}


def names_all(values: Iterable[str], ours: Collection[str], aliases: Mapping[str, str]) -> bool:
    """Whether these fields name every address of ours that the mail came to, and there is one."""
    found = {each for value in values for each in read_addresses(value)}
    locals_ = {local for each in found if (local := _local(each, aliases))}
    return bool(ours) and all(each.lower() in found or each.lower().rpartition("@")[0] in locals_ for each in ours)


def _local(address: str, aliases: Mapping[str, str]) -> str:
    """What an alias stands for at our domain: a word of its own, or, for a whole domain, the same word."""
    local, _, domain = address.rpartition("@")
    return aliases.get(address) or (local if f"@{domain}" in aliases else "")
