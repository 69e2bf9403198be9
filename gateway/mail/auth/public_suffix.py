"""Finds the organisation of a domain by the public suffix list in authheaders, which is read once. dmarc.py asks."""

import importlib.resources
from functools import cache
from typing import Final

from publicsuffix2 import PublicSuffixList

LIST: Final = "public_suffix_list.txt"


@cache
def _list() -> PublicSuffixList:
    """Read once: authheaders reads the file again for each question, which takes longer than all the rest of a mail."""
    with (importlib.resources.files("authheaders") / LIST).open(encoding="utf-8") as lines:
        return PublicSuffixList(lines)


def organisation(domain: str) -> str:
    """The organisational domain (RFC 7489, 3.2), lower case: the public suffix and one label more. A suffix is its own.
    The library's own function is not used: it takes all domains under an unlisted suffix for one organisation."""
    plain = domain.strip().rstrip(".").lower()
    suffix = str(_list().get_tld(plain) or "")
    labels = plain.split(".")
    return ".".join(labels[-(suffix.count(".") + 2) :]) if suffix else labels[-1]


def aligned(one: str, other: str, strict: bool = False) -> bool:
    """Whether both domains are the same, or, when not strict, of one organisation."""
    first, second = one.strip().rstrip(".").lower(), other.strip().rstrip(".").lower()
    if not first or not second:
        return False
    return first == second or (not strict and organisation(first) == organisation(second))
