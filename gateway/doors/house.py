"""Everyone who is connected to the mail door, and how much room there is for them; the listener asks to come in."""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Protocol

SECOND = 1.0
CLOSING = "421 4.3.2 Closing, try again later"
IDLE = "421 4.4.2 Nothing was said for too long"
OVERSTAYED = "421 4.7.0 This connection has lasted long enough"
FOR_OTHERS = "421 4.3.2 Others wait for this place, come again"
AT_REST = 0.5  # seconds of silence after which a place is given to somebody else, when there is no other


@dataclass(frozen=True, slots=True)
class Limits:
    """Octets, counts and seconds of one door (R7)."""

    message: int = 10 * 1024 * 1024
    recipients: int = 50  # of one mail
    commands: int = 20  # of any other command since the last completed mail
    command: float = 60.0  # seconds for one command, or for the next octets of a mail
    connection: float = 300.0  # seconds
    handshake: float = 10.0  # seconds for TLS to begin, and to end
    together: int = 32 * 1024 * 1024  # octets of all large mails in memory: one statement must store them in time
    per_peer: int = 20
    connections: int = 200


class Guest(Protocol):
    """A connection, as the house sees it."""

    since: float  # loop time of the beginning
    heard: float  # loop time of the last command, or of the last octets of a mail

    @property
    def at_rest(self) -> bool: ...

    def send_off(self, reply: str, *, now: bool) -> None: ...


class House:
    """Belongs to one loop."""

    def __init__(self, limits: Limits, time: Callable[[], float]) -> None:
        self.limits = limits
        self._time = time
        self._guests: dict[Guest, str] = {}
        self._origins: Counter[str] = Counter()
        self._held = 0  # octets
        self._empty = asyncio.Event()
        self._empty.set()

    def enter(self, guest: Guest, peer: str) -> bool:
        """False: there is no room, or this peer has enough."""
        home = origin(peer)
        if self._origins[home] >= self.limits.per_peer or not self._has_room():
            return False
        self._guests[guest] = home
        self._origins[home] += 1
        self._empty.clear()
        return True

    def _has_room(self) -> bool:
        """In a full house whoever has been silent for longest, and is in the middle of nothing, goes for a new one:
        a crowd that only stands there keeps nobody out."""
        if len(self._guests) < self.limits.connections:
            return True
        resting = min((guest for guest in self._guests if guest.at_rest), key=lambda guest: guest.heard, default=None)
        if resting is None or self._time() - resting.heard < AT_REST:
            return False
        resting.send_off(FOR_OTHERS, now=True)
        return len(self._guests) < self.limits.connections

    @property
    def is_overfull(self) -> bool:
        return self._held >= self.limits.together

    def hold(self, octets: int) -> bool:
        """So many more octets of large mails are in memory, or fewer. False: there is no room, and none was taken."""
        if octets > 0 and self._held + octets > self.limits.together:
            return False
        self._held += octets
        return True

    def leave(self, guest: Guest) -> None:
        """May be told twice."""
        home = self._guests.pop(guest, None)
        if home is None:
            return
        self._origins[home] -= 1
        if not self._origins[home]:
            del self._origins[home]
        if not self._guests:
            self._empty.set()

    async def watch(self) -> None:
        """Sends off whoever is silent for too long or has stayed too long. Runs until it is cancelled."""
        while True:
            await asyncio.sleep(min(SECOND, self.limits.command / 4))
            now = self._time()
            for guest in list(self._guests):
                if now - guest.since > self.limits.connection:
                    guest.send_off(OVERSTAYED, now=True)
                elif now - guest.heard > self.limits.command:
                    guest.send_off(IDLE, now=True)

    async def close(self, grace: float) -> None:
        """Everyone goes: whose mail is on its way has `grace` seconds for it."""
        for guest in list(self._guests):
            guest.send_off(CLOSING, now=False)
        try:
            await asyncio.wait_for(self._empty.wait(), grace)
        except TimeoutError:
            for guest in list(self._guests):
                guest.send_off(CLOSING, now=True)


def origin(peer: str) -> str:
    """Whom a limit is for: an IPv4 address, or an IPv6 network, of which every customer has one whole. A socket of this
    machine has no address: all who use it are one."""
    if not peer:
        return peer
    ip = ip_address(peer.partition("%")[0])
    if isinstance(ip, IPv6Address) and ip.ipv4_mapped is None:
        return str(ip_network((ip, 64), strict=False))
    return peer
