"""Checks SPF (RFC 7208) of an envelope sender by pyspf with our resolver. dmarc.py calls it.

pyspf has one look-up function for the whole module. The first check replaces it by ours, which asks the resolver of
the check that runs in this thread. Outside of a check it returns nothing, so that no question bypasses our resolver.
"""

from contextvars import ContextVar
from ipaddress import ip_address
from typing import Any, Final, get_args

import spf

from gateway.mail.auth.dns import DnsUnavailable, Kind, Resolver

SECONDS: Final = 10.0  # for all its questions
_asked: ContextVar[Resolver | None] = ContextVar("asked", default=None)
KINDS: Final = get_args(Kind)
BROKEN: Final = (ValueError, TypeError, KeyError, IndexError, AttributeError, UnicodeError, AssertionError)


def _look_up(name: str, kind: str, *_: Any, **__: Any) -> list[tuple[tuple[str, str], Any]]:
    """Records in the form that pyspf expects: the strings of a TXT record in a tuple."""
    resolver = _asked.get()
    if resolver is None or kind not in KINDS:
        return []
    try:
        found = resolver.ask(name, kind).records  # type: ignore[arg-type]  # it is one of KINDS
    except DnsUnavailable as silent:
        raise spf.TempError(f"DNS {silent}") from None
    return [((name, kind), (each,) if isinstance(each, bytes) else each) for each in found]


def check(peer: str, sender: str, helo: str, resolver: Resolver) -> str:
    """pass, fail, softfail, neutral, none or permerror; raises DnsUnavailable for a temperror. `peer`: the address that
    the mail came from. For our own machine it is none: a local server got the mail from somewhere else."""
    try:
        if ip_address(peer).is_loopback:
            return "none"
    except ValueError:
        return "none"
    spf.DNSLookup = _look_up
    token = _asked.set(resolver)
    try:
        result, _ = spf.check2(peer, sender, helo or "unknown", querytime=SECONDS)
    except BROKEN:
        return "permerror"
    finally:
        _asked.reset(token)
    if result == "temperror":
        raise DnsUnavailable("SPF could not be looked up")
    return str(result)
