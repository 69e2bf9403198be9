"""Which organisation a domain belongs to: the public suffix list that authheaders carries, read once. dmarc asks."""

import importlib.resources
from functools import cache
from typing import Final

from publicsuffix2 import PublicSuffixList

LIST: Final = "public_suffix_list.txt"


@cache
def _list() -> PublicSuffixList:
    """authheaders itself reads the file anew for each question, which takes longer than all else of a mail."""
    with (importlib.resources.files("authheaders") / LIST).open(encoding="utf-8") as lines:
        return PublicSuffixList(lines)


def organisation(domain: str) -> str:
    """The organisational domain (RFC 7489, 3.2), lower case: its public suffix and one label more. A suffix is its own.
    The library's own word for it takes all domains under a suffix that is not in the list for one."""
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
