"""The connection limiter of the mail door: it counts the clients and their memory, and decides who may connect.

When the door is full, a new client takes the place of the one that makes least progress, whatever stage its mail is at
(R66). Holding a place costs an attacker nothing, but making progress costs as much as sending mail. Time that we take
ourselves, such as for a commit, never counts against a client. An origin that had to go and reconnects at once gets a
free place, or that of one of its own which stands still for long; it evicts nobody else: otherwise many clients that
reconnect again and again would leave nobody the time for a mail.
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
AT_REST = 0.5  # seconds without progress, after which a place may be given to another client
AT_REST_ALONE = 5.0  # the same when a client wants a place from another client of its own address
WAIT: Final = 30.0  # seconds in which an origin that was evicted evicts nobody else
WAITING_WEIGHT: Final = 10  # each of its seconds without progress counts so many times meanwhile
CUSTOMERS: Final = (ONE, 56, 48)  # widths of the networks that one customer may have
MOST_WAITING: Final = 10_000  # evicted networks that are remembered
KEPT: Final = 10  # one in so many places is reserved for relays that we know


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """Octets, counts and seconds of one door (R7)."""

    message: int = 10 * 1024 * 1024
    recipients: int = 50  # of one mail
    commands: int = 20  # of any other command since the last completed mail
    command: float = 60.0  # seconds until the next command, or the next octets of a mail
    connection: float = 300.0  # seconds
    handshake: float = 10.0  # seconds for TLS to begin, and to end
    together: int = 32 * 1024 * 1024  # octets of all large mails in memory; one statement must store them in time
    per_peer: int = 20
    connections: int = 200

    @property
    def places(self) -> dict[int, int]:
        """Connections of one origin, by its width. A /32 is a whole provider and may have half of the door."""
        peer = self.per_peer
        return {ONE: peer, 24: 3 * peer, 56: 2 * peer, 48: 4 * peer, 32: max(peer, self.connections // 2)}

    @property
    def octets(self) -> dict[int, int]:
        """Octets of large mails of one origin, by its width; at least enough for one mail."""
        half, most = max(self.together // 2, self.message), max(self.together * 3 // 4, self.message)
        return {ONE: half, 24: most, 56: half, 48: most, 32: most}


class Client(Protocol):
    """A connection, as the connection limiter sees it."""

    since: float  # loop time at which it began
    last_heard: float  # loop time of the last command, or of the last octets of a mail

    @property
    def is_known(self) -> bool:
        """Whether it is a relay that we know, or somebody who signed in."""

    def stalled(self, now: float) -> float | None:
        """Returns the seconds without progress; None while it waits for us."""

    def send_off(self, reply: str, *, now: bool) -> None: ...

    def refuse_mail(self) -> None:
        """Refuses the mail that it is sending: others need its memory."""


class ConnectionLimiter:
    """Decides which clients may connect and stay. It belongs to one loop."""

    def __init__(self, limits: ConnectionLimits, time: Callable[[], float], *, keeps_places: bool = False) -> None:
        """`keeps_places`: there are relays that we know, for which some places are reserved."""
        self.limits = limits
        self._time = time
        self._clients: dict[Client, tuple[Network, ...]] = {}
        self._places = Usage(limits.places)
        self._octets = Usage(limits.octets)
        self._waiting = RecentlyEvicted(time)
        self._holders: dict[Client, tuple[tuple[Network, ...], int]] = {}  # by client: its origin, octets in memory
        self._kept = limits.connections // KEPT if keeps_places else 0
        self._empty = asyncio.Event()
        self._empty.set()

    def enter(self, client: Client, peer: str) -> bool:
        """Lets a client in; returns False when there is no room, or this origin has its share already."""
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
        if client.is_known:  # any unknown client must make room for it
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
        """Evicts the one of these clients that makes least progress, weighted by how much its origin uses; returns
        False when all make progress."""
        if at_rest and self._waiting.has(home):
            return self._replace_own(clients, home)
        found = [(self._rest(one), one) for one in clients if newcomer.is_known or not one.is_known]
        resting = [(rest * self._places.portion(self._clients[one]), one) for rest, one in found if rest >= at_rest]
        if not resting:
            return False
        return self._send_off(max(resting, key=lambda pair: pair[0])[1])

    def _replace_own(self, clients: Iterable[Client], home: tuple[Network, ...]) -> bool:
        """Evicts a client of the newcomer's own address that stands still for long: whoever shares an address with a
        crowd need not wait until the crowd is forgiven, and nobody else loses a place."""
        now = self._time()
        own = [(one.stalled(now) or 0.0, one) for one in clients
               if self._clients[one][0] == home[0] and not one.is_known]  # fmt: skip
        resting = [(rest, one) for rest, one in own if rest >= AT_REST_ALONE]
        return bool(resting) and self._send_off(max(resting, key=lambda pair: pair[0])[1])

    def _rest(self, client: Client) -> float:
        """Returns the seconds without progress, more for an origin that was evicted before; -1 while it waits for
        us."""
        rest = client.stalled(self._time())
        if rest is None:
            return -1.0
        return rest * WAITING_WEIGHT if self._waiting.has(self._clients[client]) else rest

    def _trim(self, clients: Iterable[Client], home: tuple[Network, ...]) -> bool:
        """Is called when all clients make progress: an origin that uses more of its share than the new one would then
        gives up a place."""
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
        """Counts so many more octets (or fewer, if negative) of this client's large mail in memory; returns False when
        there is no room, and then counts nothing. When the memory is full, the mail that makes least progress gives its
        room up, then one of an origin that uses more of its share."""
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
        """Gives octets back, also for a client that has left: a mail is in memory until it is stored."""
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
        """Removes a client; it may be called twice."""
        home = self._clients.get(client)
        if home is None:
            return
        del self._clients[client]
        self._places.add(home, -1)
        if not self._clients:
            self._empty.set()

    async def watch(self) -> None:
        """Sends off clients that are silent for too long or have stayed too long. It runs until it is cancelled."""
        while True:
            await asyncio.sleep(min(SECOND, self.limits.command / 4))
            now = self._time()
            for client in list(self._clients):
                if now - client.since > self.limits.connection:
                    client.send_off(OVERSTAYED, now=True)
                elif now - client.last_heard > self.limits.command:
                    client.send_off(IDLE, now=True)

    async def close(self, grace: float) -> None:
        """Sends off all clients; a client whose mail is coming in has `grace` seconds to finish it."""
        for client in list(self._clients):
            client.send_off(CLOSING, now=False)
        try:
            await asyncio.wait_for(self._empty.wait(), grace)
        except TimeoutError:
            for client in list(self._clients):
                client.send_off(CLOSING, now=True)


class RecentlyEvicted:
    """The origins that were evicted recently. They are kept by address and by the networks that one IPv6 customer may
    have, not by networks that many customers share."""

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
    """Returns the name of the origin that a limit is for: an IPv4 address, or an IPv6 /64, which every customer has
    whole. A local socket has no address: all who use it are one origin."""
    return str(networks(peer)[0].name)
