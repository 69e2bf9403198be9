"""Who gets a place at a full mail door, and who has to go: a limiter with a clock of its own, and made-up clients."""

from dataclasses import dataclass, field
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.doors.origin_limits import ONE, Usage, networks
from gateway.doors.smtp import connection_limits as houses
from gateway.doors.smtp.connection_limits import ConnectionLimiter, ConnectionLimits, origin

MIB = 1024 * 1024


@dataclass
class Clock:
    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


@dataclass(eq=False)
class Client:
    """`progressed`: when it last got on; None while it waits for us."""

    limiter: ConnectionLimiter
    progressed: float | None = 1000.0
    is_known: bool = False
    since: float = 1000.0
    last_heard: float = 1000.0
    told: list[str] = field(default_factory=list)
    refused: bool = False
    held: int = 0

    def stalled(self, now: float) -> float | None:
        return None if self.progressed is None else now - self.progressed

    def send_off(self, reply: str, *, now: bool) -> None:
        self.told.append(reply)

    def refuse_mail(self) -> None:
        self.refused = True
        self.limiter.hold(self, -self.held)
        self.held = 0

    def hold(self, octets: int) -> bool:
        taken = self.limiter.hold(self, octets)
        self.held += octets if taken else 0
        return taken


def door(clock: Clock, **limits: int) -> ConnectionLimiter:
    return ConnectionLimiter(ConnectionLimits(**limits), clock)


# Origins


def test_an_address_is_counted_at_every_width():
    assert [one.width for one in networks("2001:db8:1:2::9")] == [ONE, 56, 48, 32]
    assert [one.width for one in networks("192.0.2.9")] == [ONE, 24]
    assert networks("::ffff:192.0.2.9") == networks("192.0.2.9")
    assert networks("fe80::1%eth0") == networks("fe80::2")
    assert [one.width for one in networks("")] == [ONE]
    assert networks("no address") != networks("")
    assert origin("2001:db8:1:2::9") == "2001:db8:1:2::/64"


@given(st.integers(0, 2**128 - 1), st.integers(0, 2**128 - 1), st.integers(0, 128))
def test_two_addresses_share_just_the_networks_that_they_are_both_in(one, rest, shared):
    """Made of any two, the second with the first bits of the first: without them two hardly ever share anything."""
    other = one >> 128 - shared << 128 - shared | rest & (1 << 128 - shared) - 1
    first, second = (networks(str(ip_address(number))) for number in (one, other))
    if len(first) == len(second) == 4:
        for width, a, b in zip((64, 56, 48, 32), first, second, strict=True):
            assert (a == b) == (one >> 128 - width == other >> 128 - width)


@given(
    st.lists(
        st.tuples(st.sampled_from(["192.0.2.1", "192.0.2.2", "2001:db8::1", "2001:db8:0:1::1"]), st.integers(1, 9))
    )
)
def test_what_is_given_back_is_forgotten(added):
    usage = Usage(ConnectionLimits().places)
    for address, amount in added:
        usage.add(networks(address), amount)
    assert usage.total == sum(amount for _, amount in added)
    for address, amount in added:
        usage.add(networks(address), -amount)
    assert (usage.total, usage._used) == (0, {})


@pytest.mark.parametrize(
    ("addresses", "most"),
    [
        ([f"192.0.2.{n % 4}" for n in range(300)], 60),  # a /24
        ([f"2001:db8:1:2::{n:x}" for n in range(300)], 20),  # a customer's /64
        ([f"2001:db8:1:{n % 256:x}::1" for n in range(300)], 40),  # a /56 has 256 of those
        ([f"2001:db8:1:{n * 256:x}::1" for n in range(250)], 80),  # a /48 has 256 of these
        ([f"2001:db8:{n:x}::1" for n in range(300)], 100),  # a provider's /32
    ],
)
def test_no_origin_has_the_whole_door_at_whatever_width(addresses, most):
    """Nobody stalls here: without a share for each width all 200 places would be theirs."""
    limiter = door(Clock())
    inside = [one for address in addresses if limiter.enter(one := Client(limiter), address)]
    assert len(inside) - sum(bool(one.told) for one in inside) == most


# Places


def test_whoever_makes_least_progress_goes_and_nobody_who_waits_for_us():
    clock = Clock()
    limiter = door(clock, connections=3)
    ours, old, young = Client(limiter, None), Client(limiter, 990.0), Client(limiter, 999.9)
    for number, client in enumerate((ours, old, young)):
        assert limiter.enter(client, f"192.0.{number}.1")
    assert limiter.enter(Client(limiter), "192.0.9.1")
    assert [bool(client.told) for client in (ours, old, young)] == [False, True, False]
    assert not limiter.enter(Client(limiter), "192.0.10.1")  # nobody has stalled for long enough
    clock.now += houses.AT_REST
    assert limiter.enter(Client(limiter), "192.0.10.1")
    assert young.told


def test_one_of_many_goes_before_one_alone():
    """An honest client with a slow line, and a crowd of ten addresses that does a little."""
    clock = Clock()
    limiter = door(clock)
    slow = Client(limiter, 995.0)
    crowd = [Client(limiter, 999.4) for _ in range(199)]
    assert limiter.enter(slow, "198.51.100.1")
    assert all(limiter.enter(one, f"10.{number % 10}.0.1") for number, one in enumerate(crowd))
    for number in range(100):
        assert limiter.enter(Client(limiter), f"203.{number}.113.1")
    assert not slow.told
    assert sum(bool(one.told) for one in crowd) == 100


def test_a_crowd_that_gets_on_gives_places_away_as_well():
    """Ten addresses that send just fast enough never to stall."""
    limiter = door(Clock())
    crowd = [Client(limiter) for _ in range(200)]
    assert all(limiter.enter(one, f"10.{number % 10}.0.1") for number, one in enumerate(crowd))
    assert all(limiter.enter(Client(limiter), f"203.{number}.113.1") for number in range(50))
    assert sum(bool(one.told) for one in crowd) == 50


def test_equals_who_get_on_keep_their_places():
    limiter = door(Clock(), connections=20)
    crowd = [Client(limiter) for _ in range(20)]
    assert all(limiter.enter(one, f"10.{number}.0.1") for number, one in enumerate(crowd))
    assert not limiter.enter(Client(limiter), "10.99.0.1")
    assert not any(one.told for one in crowd)


def test_who_is_new_cannot_push_out_others_by_coming_again_and_again():
    """A flood of connections from one network costs its own places alone."""
    clock = Clock()
    limiter = door(clock)
    honest = [Client(limiter, 999.8) for _ in range(100)]
    assert all(limiter.enter(one, f"203.{number}.113.1") for number, one in enumerate(honest))
    for number in range(2000):
        limiter.enter(Client(limiter, clock.now), f"2001:db8:{number:x}::1")
    assert not any(one.told for one in honest)


@pytest.mark.parametrize("stage", [None, 999.99, 900.0])
def test_known_relays_always_get_in(stage):
    limiter = ConnectionLimiter(ConnectionLimits(), Clock(), keeps_places=True)
    strangers = [Client(limiter, stage) for _ in range(400)]
    for number, one in enumerate(strangers):
        limiter.enter(one, f"10.{number % 250}.{number}.1" if number < 250 else f"11.{number % 250}.1.1")
    relays = [Client(limiter, 1000.0, is_known=True) for _ in range(20)]
    assert all(limiter.enter(one, "192.0.2.1") for one in relays)
    for number in range(400):
        limiter.enter(Client(limiter, 1000.0), f"12.{number % 250}.1.1")
    assert not any(one.told for one in relays)


def test_one_address_gives_a_place_that_stands_still_for_long_to_its_own():
    clock = Clock()
    limiter = door(clock, per_peer=2)
    first, second = Client(limiter), Client(limiter)
    assert limiter.enter(first, "192.0.2.1")
    assert limiter.enter(second, "192.0.2.1")
    clock.now += 1
    assert not limiter.enter(Client(limiter), "192.0.2.1")
    clock.now += houses.AT_REST_ALONE
    second.progressed = clock.now
    assert limiter.enter(Client(limiter), "192.0.2.1")
    assert (bool(first.told), bool(second.told)) == (True, False)


@pytest.mark.parametrize("full", [{"per_peer": 10}, {"per_peer": 20, "connections": 11}], ids=["its share", "the door"])
def test_who_shares_an_address_with_a_crowd_waits_for_its_slow_ones_alone(full):
    """An honest client behind the same router: the crowd had to go, and nobody of that address pushes others out."""
    clock = Clock()
    limiter = door(clock, **full)
    other = Client(limiter, clock.now)
    assert limiter.enter(other, "203.0.113.1")
    crowd = [Client(limiter) for _ in range(10)]
    assert all(limiter.enter(one, "192.0.2.1") for one in crowd)
    clock.now += houses.AT_REST_ALONE
    other.progressed = clock.now - 2.0
    for number in range(5):
        honest = Client(limiter, clock.now)
        assert limiter.enter(honest, "192.0.2.1"), number
        limiter.leave(honest)
        assert limiter.enter(Client(limiter, clock.now), "192.0.2.1"), "the crowd fills it again"
    assert not other.told
    for one in crowd:
        one.progressed = clock.now - 1.0
    assert not limiter.enter(Client(limiter, clock.now), "192.0.2.1"), "those that get on keep their places"


@given(st.data())
def test_whatever_comes_the_counts_are_those_of_who_is_inside(data):
    clock = Clock()
    limiter = door(clock, connections=8, per_peer=3)
    addresses = [f"10.0.{n}.{m}" for n in range(3) for m in range(3)] + [
        f"2001:db8:{n}::{m}" for n in (1, 2) for m in (1, 2)
    ]
    inside: list[Client] = []
    for _ in range(data.draw(st.integers(1, 60))):
        clock.now += data.draw(st.sampled_from([0.0, 0.3, 2.0]))
        if inside and data.draw(st.booleans()):
            gone = inside.pop(data.draw(st.integers(0, len(inside) - 1)))
            limiter.leave(gone)
        client = Client(limiter, data.draw(st.sampled_from([None, clock.now, clock.now - 3])), data.draw(st.booleans()))
        if limiter.enter(client, data.draw(st.sampled_from(addresses))):
            inside.append(client)
        inside = [one for one in inside if not one.told]
        assert set(inside) == set(limiter._clients)
        assert limiter._places.total == len(inside) <= 8
    for one in inside:
        limiter.leave(one)
    assert not limiter._places._used


# Memory


def full_of_large_mails(
    limiter: ConnectionLimiter, count: int, address: str, progressed: float | None = 1000.0
) -> list[Client]:
    clients = [Client(limiter, progressed) for _ in range(count)]
    for number, client in enumerate(clients):
        assert limiter.enter(client, address.format(number))
        client.hold(8 * MIB)
    return clients


def test_one_origin_has_half_of_the_memory():
    limiter = door(Clock())
    mails = full_of_large_mails(limiter, 4, "192.0.2.1")
    assert [one.held for one in mails] == [8 * MIB, 8 * MIB, 0, 0]


def test_who_stalls_gives_its_memory_up():
    limiter = door(Clock())
    crowd = full_of_large_mails(limiter, 4, "10.{}.0.1", 990.0)
    crowd[1].progressed = 999.9
    honest = Client(limiter)
    assert limiter.enter(honest, "203.0.113.1")
    assert honest.hold(9 * MIB)
    assert [one.refused for one in crowd].count(True) == 2
    assert not crowd[1].refused


def test_who_has_much_gives_way_to_who_has_little():
    limiter = door(Clock())
    crowd = full_of_large_mails(limiter, 2, "10.0.0.1") + full_of_large_mails(limiter, 2, "10.9.0.1")
    honest = Client(limiter)
    assert limiter.enter(honest, "203.0.113.1")
    assert honest.hold(5 * MIB)
    assert [one.refused for one in crowd].count(True) == 1
    another = Client(limiter)
    assert limiter.enter(another, "10.0.0.1")
    assert not another.hold(8 * MIB)  # it would have more than anybody else


def test_what_is_being_stored_keeps_its_memory_and_gives_it_back_when_its_client_has_gone():
    limiter = door(Clock())
    stored = full_of_large_mails(limiter, 4, "10.{}.0.1", None)
    honest = Client(limiter)
    assert limiter.enter(honest, "203.0.113.1")
    assert not honest.hold(1)
    for one in stored:
        limiter.leave(one)
    assert not honest.hold(1)
    limiter.hold(stored[0], -8 * MIB)
    assert honest.hold(8 * MIB)


def test_a_mail_of_the_largest_size_fits_whatever_it_is():
    limiter = door(Clock(), message=25 * MIB)
    (mail,) = [Client(limiter)]
    assert limiter.enter(mail, "192.0.2.1")
    assert mail.hold(25 * MIB)
