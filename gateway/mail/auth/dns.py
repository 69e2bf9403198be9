"""DNS look-ups to prove who wrote a mail, with timeouts, a cache, and fixed zones for tests.

workers/mail_auth and `critter explain --mail` make a resolver with `of_settings`. In simulated mode no server is asked
unless CRITTER_DNS names one.
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
MOST_RECORDS: Final = 50  # of one answer; the rest of a longer one is ignored
LONGEST_TEXT: Final = 8_192  # octets of one TXT record that are read
MOST_NAMES: Final = 10_000  # in the cache
SHORTEST, LONGEST = 30.0, 3_600.0  # seconds in the cache, whatever the TTL says
NOTHING_KEPT: Final = 60.0  # seconds for "there is no such name"
AWAY_KEPT: Final = 15.0  # seconds until a name whose servers did not answer is asked for again
ANSWERS: Final = (A, AAAA, MX, PTR, TXT)


class DnsUnavailable(Exception):
    """DNS gave no answer: a timeout, or SERVFAIL. It may answer later; until then nothing is known."""


class DnsAnswer(NamedTuple):
    """The records of a name, and for how many seconds they are valid."""

    records: tuple[Record, ...]
    seconds: float


class Resolver(Protocol):
    """Asks for records of one kind. Raises DnsUnavailable; a missing name or kind is an empty answer."""

    def ask(self, name: str, kind: Kind) -> DnsAnswer: ...


class Zone:
    """A resolver with fixed records that asks no server: empty in simulated mode, filled in tests. A value that is a
    DnsUnavailable is raised."""

    def __init__(self, records: Mapping[tuple[str, Kind], tuple[Record, ...] | DnsUnavailable] | None = None) -> None:
        self._records = dict(records or {})

    def ask(self, name: str, kind: Kind) -> DnsAnswer:
        found = self._records.get((name.rstrip(".").lower(), kind), ())
        if isinstance(found, DnsUnavailable):
            raise found
        return DnsAnswer(found, LONGEST)


class NameServers:
    """The real DNS. `servers`: addresses and ports; without any, the machine's own servers are asked."""

    def __init__(self, servers: tuple[tuple[str, int], ...] = (), patience: float = PATIENCE) -> None:
        self._resolver = dns.resolver.Resolver(configure=not servers)
        if servers:
            self._resolver.nameservers = [dns.nameserver.Do53Nameserver(host, port) for host, port in servers]
        self._resolver.lifetime = patience
        self._resolver.timeout = patience / 2  # so that a lost packet is sent again

    def ask(self, name: str, kind: Kind) -> DnsAnswer:
        try:
            answer = self._resolver.resolve(name, kind, search=False, raise_on_no_answer=False)
        except (dns.resolver.LifetimeTimeout, dns.resolver.NoNameservers) as silent:
            raise DnsUnavailable(type(silent).__name__) from None
        except dns.resolver.NXDOMAIN:
            return DnsAnswer((), NOTHING_KEPT)
        except (dns.exception.DNSException, ValueError):  # an invalid name, or an invalid answer
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
    """Caches answers for their TTL, but at least half a minute and at most an hour; failures briefly. Thread-safe."""

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
    """Bounds the time for one mail: after `seconds` no question begins, however slow the DNS of its domains is."""

    def __init__(self, resolver: Resolver, seconds: float) -> None:
        self._resolver = resolver
        self._end = time.monotonic() + seconds

    def ask(self, name: str, kind: Kind) -> DnsAnswer:
        if time.monotonic() >= self._end:
            raise DnsUnavailable("it took too long")
        return self._resolver.ask(name, kind)


def of_settings(settings: Settings) -> Resolver:
    """A resolver for the servers in CRITTER_DNS; when that is empty, for the machine's, but for none in simulated
    mode."""
    if settings.dns:
        return Remembering(NameServers(settings.dns))
    return Zone() if settings.mode == "simulated" else Remembering(NameServers())
