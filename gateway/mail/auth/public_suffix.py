"""Finds the organisation of a domain by the public suffix list, which is read once. dmarc.py asks."""

from functools import cache

from publicsuffixlist import PublicSuffixList


@cache
def _list() -> PublicSuffixList:
    """Reading it takes some 40 ms, which is longer than all the rest of a mail."""
    return PublicSuffixList()


def organisation(domain: str) -> str:
    """The organisational domain (RFC 7489, 3.2), lower case: the public suffix and one label more. A suffix is its own.
    Under an ending that the list does not have, the last label counts as the suffix."""
    plain = domain.strip().rstrip(".").lower()
    return _list().privatesuffix(plain) or plain


def aligned(one: str, other: str, strict: bool = False) -> bool:
    """Whether both domains are the same, or, when not strict, of one organisation."""
    first, second = one.strip().rstrip(".").lower(), other.strip().rstrip(".").lower()
    if not first or not second:
        return False
    return first == second or (not strict and organisation(first) == organisation(second))
