"""Whether a network address is a public one: what strangers name is fetched from and sent to such addresses alone."""

import ipaddress
from typing import Final

# An IPv4 address in the last 32 bits: translated (RFC 6052, RFC 8215), and the old compatible form (RFC 4291, 2.5.5.1)
CARRYING_IPV4: Final = tuple(map(ipaddress.IPv6Network, ("64:ff9b::/96", "64:ff9b:1::/48", "::/96")))


def is_public(address: str) -> bool:
    """Tells whether an address is public, and also the IPv4 address inside an IPv6 one: a translator on the way would
    lead there. Python's own is_global takes some of these for public, and which ones depends on its version."""
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv4Address):
        return found.is_global and not found.is_multicast
    inner = [found.ipv4_mapped, found.sixtofour, *(found.teredo or ())]
    if any(found in network for network in CARRYING_IPV4):
        inner.append(ipaddress.IPv4Address(int(found) & 0xFFFFFFFF))
    held = [one for one in inner if one is not None]
    known = found.is_global or found.sixtofour is not None  # a 6to4 address is as public as the one inside it
    own = known and not found.is_multicast and not found.is_site_local
    return own and all(is_public(str(one)) for one in held)
