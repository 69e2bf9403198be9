"""Everyone who is connected to the mail door, and how much room there is for them; the listener asks to come in.

When the door is full, whoever makes least progress has to go for a new one, whatever stage its mail is at (R66). To
hold a place costs an attacker nothing, to make progress costs as much as sending mail. What is our own doing, such as
a commit, is never held against anybody. Who had to go and comes again at once gets a place that is free, and pushes
nobody out: else a crowd that comes again and again would leave nobody the time for a mail.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, Protocol

from gateway.doors.origin_limits import ONE, Network, Usage, networks

SECOND = 1.0
CLOSING = "421 4.3.2 Closing, try again later"
IDLE = "421 4.4.2 Nothing was said for too long"
OVERSTAYED = "421 4.7.0 This connection has lasted long enough"
FOR_OTHERS = "421 4.3.2 Others wait for this place, come again"
AT_REST = 0.5  # seconds without progress, after which a place is given to somebody else
AT_REST_ALONE = 5.0  # the same for a place of one's own address, whose other places are not wanted by strangers
WAIT: Final = 30.0  # seconds in which an origin that had to go pushes nobody else out
WAITING_WEIGHT: Final = 10  # how much more each of its seconds without progress counts meanwhile
CUSTOMERS: Final = (ONE, 56, 48)  # widths of what one customer may have
MOST_WAITING: Final = 10_000
KEPT: Final = 10  # one in so many places is kept for relays that we know


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
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

    @property
    def places(self) -> dict[int, int]:
        """Connections of one origin, by its width. A /32 is a whole provider: half of the door."""
        peer = self.per_peer
        return {ONE: peer, 24: 3 * peer, 56: 2 * peer, 48: 4 * peer, 32: max(peer, self.connections // 2)}

    @property
    def octets(self) -> dict[int, int]:
        """Octets of large mails of one origin, by its width; one mail at least."""
        half, most = max(self.together // 2, self.message), max(self.together * 3 // 4, self.message)
        return {ONE: half, 24: most, 56: half, 48: most, 32: most}


class Client(Protocol):
    """A connection, as the house sees it."""

    since: float  # loop time of the beginning
    heard: float  # loop time of the last command, or of the last octets of a mail

    @property
    def is_known(self) -> bool:
        """A relay that we know, or somebody who signed in."""

    def stalled(self, now: float) -> float | None:
        """Seconds without progress; None while it waits for us."""

    def send_off(self, reply: str, *, now: bool) -> None: ...

    def refuse_mail(self) -> None:
        """The room of the mail that it is sending is wanted for others."""


class ConnectionLimiter:
    """Belongs to one loop."""

    def __init__(self, limits: ConnectionLimits, time: Callable[[], float], *, keeps_places: bool = False) -> None:
        """`keeps_places`: there are relays that we know, for which some places are kept."""
        self.limits = limits
        self._time = time
        self._clients: dict[Client, tuple[Network, ...]] = {}
        self._places = Usage(limits.places)
        self._octets = Usage(limits.octets)
        self._waiting = RecentlyEvicted(time)
        self._holders: dict[Client, tuple[tuple[Network, ...], int]] = {}  # octets of whom
        self._kept = limits.connections // KEPT if keeps_places else 0
        self._empty = asyncio.Event()
        self._empty.set()

    def enter(self, client: Client, peer: str) -> bool:
        """False: there is no room, or this origin has enough."""
        home = networks(peer)
        while full := self._places.exceeded(home):
            at_rest = AT_REST_ALONE if full.width == ONE else AT_REST
            if not self._part_with(self._of(full), client, home, at_rest):
                return False
        if not self._has_room(client, home):
            return False
        self._clients[client] = home
        self._places.add(home, 1)
        self._empty.clear()
        return True

    def _has_room(self, client: Client, home: tuple[Network, ...]) -> bool:
        if len(self._clients) < self.limits.connections - self._kept:
            return True
        strangers = [one for one in self._clients if not one.is_known]
        full = len(self._clients) >= self.limits.connections
        if client.is_known:  # any stranger makes room for it
            return not full or any(
                self._part_with(those, client, home, rest)
                for those, rest in ((strangers, 0.0), (self._clients, AT_REST))
            )
        if not full and len(strangers) < self.limits.connections - self._kept:
            return True
        return self._part_with(strangers, client, home, AT_REST) or self._trim(strangers, home)

    def _of(self, network: Network) -> list[Client]:
        return [client for client, home in self._clients.items() if network in home]

    def _part_with(
        self, clients: Iterable[Client], newcomer: Client, home: tuple[Network, ...], at_rest: float
    ) -> bool:
        """Sends off whoever of them makes least progress for what its origin uses; False when all get on."""
        if at_rest and self._waiting.has(home):
            return False
        found = [(self._rest(one), one) for one in clients if newcomer.is_known or not one.is_known]
        resting = [(rest * self._places.portion(self._clients[one]), one) for rest, one in found if rest >= at_rest]
        if not resting:
            return False
        return self._send_off(max(resting, key=lambda pair: pair[0])[1])

    def _rest(self, client: Client) -> float:
        """Seconds without progress, more for who had to go before; less than none while it waits for us."""
        rest = client.stalled(self._time())
        if rest is None:
            return -1.0
        return rest * WAITING_WEIGHT if self._waiting.has(self._clients[client]) else rest

    def _trim(self, clients: Iterable[Client], home: tuple[Network, ...]) -> bool:
        """All get on. Then an origin that uses more of its share than the new one would gives a place away."""
        portion = self._places.portion
        found = [(portion(self._clients[one]), self._rest(one), one) for one in clients]
        larger = [(size, rest, one) for size, rest, one in found if rest >= 0 and size > portion(home, 1)]
        if not larger or self._waiting.has(home):
            return False
        return self._send_off(max(larger, key=lambda each: each[:2])[2])

    def _send_off(self, client: Client) -> bool:
        self._waiting.add(self._clients[client])
        client.send_off(FOR_OTHERS, now=True)
        self.leave(client)
        return True

    def hold(self, client: Client, octets: int) -> bool:
        """So many more octets of this one's large mail are in memory, or fewer. False: there is no room, and none was
        taken. When it is full the mail that makes least progress gives its room up, then one of an origin that uses
        more of its share."""
        if octets <= 0:
            self._release(client, -octets)
            return True
        home = self._clients.get(client)
        if home is None or self._octets.exceeded(home, octets):
            return False
        while self._octets.total + octets > self.limits.together:
            if not self._take_from_others(client, home, octets):
                return False
        self._octets.add(home, octets)
        self._holders[client] = home, self._holders.get(client, (home, 0))[1] + octets
        return True

    def _release(self, client: Client, octets: int) -> None:
        """Also for one that has left: a mail is in memory until it is stored."""
        if octets:
            home, held = self._holders.pop(client)
            self._octets.add(home, -octets)
            if held > octets:
                self._holders[client] = home, held - octets

    def _take_from_others(self, client: Client, home: tuple[Network, ...], octets: int) -> bool:
        now, portion = self._time(), self._octets.portion
        others = [(one.stalled(now), portion(its), one) for one, (its, _) in self._holders.items()
                  if one is not client and (client.is_known or not one.is_known)]  # fmt: skip
        able = [(rest, size, one) for rest, size, one in others if rest is not None]
        resting = [(rest * size, one) for rest, size, one in able if rest >= AT_REST]
        larger = [(size, one) for _, size, one in able if size > portion(home, octets)]
        if not (found := resting or larger):
            return False
        victim = max(found, key=lambda pair: pair[0])[1]
        victim.refuse_mail()
        return victim not in self._holders

    def leave(self, client: Client) -> None:
        """May be told twice."""
        home = self._clients.get(client)
        if home is None:
            return
        del self._clients[client]
        self._places.add(home, -1)
        if not self._clients:
            self._empty.set()

    async def watch(self) -> None:
        """Sends off whoever is silent for too long or has stayed too long. Runs until it is cancelled."""
        while True:
            await asyncio.sleep(min(SECOND, self.limits.command / 4))
            now = self._time()
            for client in list(self._clients):
                if now - client.since > self.limits.connection:
                    client.send_off(OVERSTAYED, now=True)
                elif now - client.heard > self.limits.command:
                    client.send_off(IDLE, now=True)

    async def close(self, grace: float) -> None:
        """Everyone goes: whose mail is on its way has `grace` seconds for it."""
        for client in list(self._clients):
            client.send_off(CLOSING, now=False)
        try:
            await asyncio.wait_for(self._empty.wait(), grace)
        except TimeoutError:
            for client in list(self._clients):
                client.send_off(CLOSING, now=True)


class RecentlyEvicted:
    """The origins that had to go lately. By address, and by the networks that one IPv6 customer may have; not by what
    many customers share."""

    def __init__(self, time: Callable[[], float]) -> None:
        self._time = time
        self._until: OrderedDict[Network, float] = OrderedDict()

    def add(self, home: tuple[Network, ...]) -> None:
        for one in home:
            if one.width in CUSTOMERS:
                self._until.pop(one, None)
                self._until[one] = self._time() + WAIT
        while len(self._until) > MOST_WAITING:
            self._until.popitem(last=False)

    def has(self, home: tuple[Network, ...]) -> bool:
        now = self._time()
        return any(self._until.get(one, now) > now for one in home)


def origin(peer: str) -> str:
    """Whom a limit is for: an IPv4 address, or an IPv6 network, of which every customer has one whole. A socket of this
    machine has no address: all who use it are one."""
    return str(networks(peer)[0].name)
