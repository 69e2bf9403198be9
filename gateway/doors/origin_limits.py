"""Which networks an address belongs to, and how much of a door each origin uses. The mail door and the web server use
it.

An attacker has one address, or a network: an IPv6 customer gets a /64 at least, often a /56 or a /48, and a provider
has a /32. So everything is counted at each of these widths, and each width has a limit of its own.
"""

from collections import Counter
from collections.abc import Mapping
from functools import lru_cache
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Final, NamedTuple

WIDE_IPV6: Final = (56, 48, 32)
ONE: Final = 0  # the width of one IPv4 address, one IPv6 /64 (every customer has a whole one), or one local socket


class Network(NamedTuple):
    """One origin at one width; `width` is ONE or the length of the prefix."""

    width: int
    name: str | int


@lru_cache(10_000)
def networks(peer: str) -> tuple[Network, ...]:
    """Returns the networks of an address, the narrowest first. A local socket has no address: all who use it count as
    one origin. The same holds for a name that is no address."""
    try:
        ip = ip_address(peer.partition("%")[0])
    except ValueError:
        return (Network(ONE, peer),)
    if isinstance(ip, IPv6Address):
        if ip.ipv4_mapped is None:
            bits, customer = int(ip), str(ip_network((ip, 64), strict=False))
            return (Network(ONE, customer), *(Network(width, bits >> 128 - width) for width in WIDE_IPV6))
        ip = ip.ipv4_mapped
    return Network(ONE, str(ip)), Network(24, int(ip) >> 8)


class Usage:
    """How much of one resource, connections or octets, each origin uses now."""

    def __init__(self, shares: Mapping[int, int]) -> None:
        """`shares`: for each width, the most that one origin may use."""
        self._shares = shares
        self._used: Counter[Network] = Counter()
        self.total = 0

    def add(self, origin: tuple[Network, ...], amount: int) -> None:
        self.total += amount
        for network in origin:
            self._used[network] += amount
            if not self._used[network]:
                del self._used[network]

    def exceeded(self, origin: tuple[Network, ...], more: int = 1) -> Network | None:
        """Returns the narrowest of the origin's networks that would have more than its share; None if none would."""
        return next((one for one in origin if self._used[one] + more > self._shares[one.width]), None)

    def portion(self, origin: tuple[Network, ...], more: int = 0) -> float:
        """Returns how much of its share the origin uses, at the width where that is most; 1 is the whole share."""
        return max((self._used[one] + more) / self._shares[one.width] for one in origin)
