"""DNS as the identity of a mail needs it: asked with patience, remembered, and replaceable by a zone of one's own.

workers/mail_auth and `critter explain --mail` make one with `of_settings`. Simulated Critter asks nobody.
"""

import threading
import time
from collections.abc import Mapping
from typing import Final, Literal, NamedTuple, Protocol

import dns.exception
import dns.nameserver
import dns.resolver
from dns.rdtypes.ANY.MX import MX
from dns.rdtypes.ANY.PTR import PTR
from dns.rdtypes.ANY.TXT import TXT
from dns.rdtypes.IN.A import A
from dns.rdtypes.IN.AAAA import AAAA

from gateway.settings import Settings

Kind = Literal["TXT", "A", "AAAA", "MX", "PTR"]
Record = bytes | str | tuple[int, str]  # TXT: its strings joined; A, AAAA, PTR: text; MX: preference and host

PATIENCE: Final = 4.0  # seconds for one question, all name servers together
MOST_RECORDS: Final = 50  # of one answer; whoever publishes more is not read to the end
LONGEST_TEXT: Final = 8_192  # octets of one TXT record that are looked at
MOST_NAMES: Final = 10_000  # kept at once
SHORTEST, LONGEST = 30.0, 3_600.0  # seconds that an answer is kept, whatever its TTL says
NOTHING_KEPT: Final = 60.0  # seconds for "there is no such name"
AWAY_KEPT: Final = 15.0  # seconds in which a name whose servers do not answer is not asked for again
ANSWERS: Final = (A, AAAA, MX, PTR, TXT)


class DnsUnavailable(Exception):
    """DNS gave no answer: a timeout, or SERVFAIL. It may do so later; until then nothing is known."""


class DnsAnswer(NamedTuple):
    """What there is under a name, and for how many seconds that holds."""

    records: tuple[Record, ...]
    seconds: float


class Resolver(Protocol):
    """No such name, or none of that kind, is an empty answer. Raises Away."""

    def ask(self, name: str, kind: Kind) -> DnsAnswer: ...


class Zone:
    """Knows what it was given and asks nobody: in simulated mode nothing, in tests a small world. A value that is an
    Away is raised."""

    def __init__(self, records: Mapping[tuple[str, Kind], tuple[Record, ...] | DnsUnavailable] | None = None) -> None:
        self._records = dict(records or {})

    def ask(self, name: str, kind: Kind) -> DnsAnswer:
        found = self._records.get((name.rstrip(".").lower(), kind), ())
        if isinstance(found, DnsUnavailable):
            raise found
        return DnsAnswer(found, LONGEST)


class NameServers:
    """The real DNS. `servers`: addresses and ports; without any, those of the machine."""

    def __init__(self, servers: tuple[tuple[str, int], ...] = (), patience: float = PATIENCE) -> None:
        self._resolver = dns.resolver.Resolver(configure=not servers)
        if servers:
            self._resolver.nameservers = [dns.nameserver.Do53Nameserver(host, port) for host, port in servers]
        self._resolver.lifetime = patience
        self._resolver.timeout = patience / 2  # a lost packet is not yet a lost answer

    def ask(self, name: str, kind: Kind) -> DnsAnswer:
        try:
            answer = self._resolver.resolve(name, kind, search=False, raise_on_no_answer=False)
        except (dns.resolver.LifetimeTimeout, dns.resolver.NoNameservers) as silent:
            raise DnsUnavailable(type(silent).__name__) from None
        except dns.resolver.NXDOMAIN:
            return DnsAnswer((), NOTHING_KEPT)
        except (dns.exception.DNSException, ValueError):  # a name that cannot be one, or an answer that is none
            return DnsAnswer((), NOTHING_KEPT)
        if answer.rrset is None:
            return DnsAnswer((), NOTHING_KEPT)
        records = tuple(_plain(each) for each in list(answer.rrset)[:MOST_RECORDS] if isinstance(each, ANSWERS))
        return DnsAnswer(records, float(answer.rrset.ttl))


def _plain(record: A | AAAA | MX | PTR | TXT) -> Record:
    if isinstance(record, TXT):
        return b"".join(record.strings)[:LONGEST_TEXT]
    if isinstance(record, MX):
        return record.preference, record.exchange.to_text(omit_final_dot=True)
    return record.target.to_text(omit_final_dot=True) if isinstance(record, PTR) else record.address


class Remembering:
    """Keeps answers as long as they say, between half a minute and an hour; silence too, but shortly. Any thread."""

    def __init__(self, resolver: Resolver, most: int = MOST_NAMES) -> None:
        self._resolver, self._most = resolver, most
        self._kept: dict[tuple[str, Kind], tuple[float, DnsAnswer | None]] = {}
        self._lock = threading.Lock()

    def ask(self, name: str, kind: Kind) -> DnsAnswer:
        key = (name.rstrip(".").lower(), kind)
        with self._lock:
            until, found = self._kept.get(key, (0.0, None))
        if until <= time.monotonic():
            found = self._learn(key)
        if found is None:
            raise DnsUnavailable("it did not answer a moment ago")
        return found

    def _learn(self, key: tuple[str, Kind]) -> DnsAnswer:
        try:
            found = self._resolver.ask(*key)
        except DnsUnavailable:
            self._keep(key, AWAY_KEPT, None)
            raise
        self._keep(key, min(max(found.seconds, SHORTEST), LONGEST), found)
        return found

    def _keep(self, key: tuple[str, Kind], seconds: float, found: DnsAnswer | None) -> None:
        with self._lock:
            self._kept.pop(key, None)
            while len(self._kept) >= self._most:
                del self._kept[next(iter(self._kept))]  # the oldest
            self._kept[key] = (time.monotonic() + seconds, found)


class BoundedResolver:
    """The questions of one mail together: none is begun after `seconds`, whatever its domains make of their DNS."""

    def __init__(self, resolver: Resolver, seconds: float) -> None:
        self._resolver = resolver
        self._end = time.monotonic() + seconds

    def ask(self, name: str, kind: Kind) -> DnsAnswer:
        if time.monotonic() >= self._end:
            raise DnsUnavailable("it took too long")
        return self._resolver.ask(name, kind)


def of_settings(settings: Settings) -> Resolver:
    """CRITTER_DNS's servers; when it is empty those of the machine, but simulated nobody's."""
    if settings.dns:
        return Remembering(NameServers(settings.dns))
    return Zone() if settings.mode == "simulated" else Remembering(NameServers())
