"""Fetches a picture that came with a text from where Twilio keeps it. workers/media calls it.

The address came in a web hook, so it is not trusted: we fetch only from Twilio's hosts, whose addresses are looked up
once and must be public, with at most three redirects, five seconds and five megabytes, and we give our credentials to
Twilio's API alone.
Source: https://www.twilio.com/docs/messaging/api/media-resource (redirects to the store; authentication by account)
"""

import ipaddress
import socket
from typing import Final
from urllib.parse import SplitResult, urljoin, urlsplit

from aiohttp import (
    ClientError,
    ClientResponse,
    ClientSession,
    ClientTimeout,
    InvalidURL,
    TCPConnector,
    encode_basic_auth,
)
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver

from gateway.errors import CarrierError

STORES: Final = ("media.twiliocdn.com", "mms.twiliocdn.com", "s3-external-1.amazonaws.com")
HOPS: Final = 3
SECONDS: Final = 5.0
LARGEST: Final = 5 * 1024 * 1024
# An IPv4 address in the last 32 bits: translated (RFC 6052, RFC 8215), and the old compatible form (RFC 4291, 2.5.5.1)
CARRYING_IPV4: Final = tuple(map(ipaddress.IPv6Network, ("64:ff9b::/96", "64:ff9b:1::/48", "::/96")))
REDIRECTS: Final = (301, 302, 303, 307, 308)


class TwilioMedia:
    """It belongs to one loop. `api_base` names the one host that may be on this machine: the simulator."""

    def __init__(self, account_sid: str, auth_token: str, api_base: str) -> None:
        self._login = encode_basic_auth(account_sid, auth_token)
        self._home = urlsplit(api_base)

    async def fetch(self, url: str) -> bytes:
        """Raises CarrierError: permanent for an address that may not be asked or is refused, transient for the rest."""
        try:
            async with ClientSession(
                connector=TCPConnector(resolver=_PublicOnly(self._home.hostname), use_dns_cache=False),
                timeout=ClientTimeout(total=SECONDS),
                trust_env=False,
            ) as session:
                return await self._follow(session, url)
        except InvalidURL:
            raise CarrierError("not an address", "permanent") from None
        except (ClientError, TimeoutError, OSError) as problem:
            raise CarrierError(type(problem).__name__, "transient") from None

    async def _follow(self, session: ClientSession, url: str) -> bytes:
        for _ in range(HOPS + 1):
            self._refuse_foreign(url)
            headers = {"Authorization": self._login} if self._at_home(url) else {}
            async with session.get(url, headers=headers, allow_redirects=False) as answer:
                if answer.status not in REDIRECTS:
                    return await _content(answer)
                url = _joined(url, answer.headers.get("Location", ""))
        raise CarrierError("too many redirects", "permanent")

    def _at_home(self, url: str) -> bool:
        parts = urlsplit(url)
        return (parts.scheme, parts.netloc) == (self._home.scheme, self._home.netloc)

    def _refuse_foreign(self, url: str) -> None:
        parts = _parts(url)
        store = parts.scheme == "https" and parts.netloc in STORES
        if not (store or self._at_home(url)):
            raise CarrierError("not Twilio's address", "permanent")


def _parts(url: str) -> SplitResult:
    try:
        return urlsplit(url)
    except ValueError:
        raise CarrierError("not an address", "permanent") from None


def _joined(url: str, location: str) -> str:
    try:
        return urljoin(url, location)
    except ValueError:
        raise CarrierError("not an address", "permanent") from None


class _PublicOnly(AbstractResolver):
    """Looks a host up once and returns only public addresses, so that no name leads into our own network."""

    def __init__(self, home: str | None) -> None:
        self._home = home
        self._resolver = ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = await self._resolver.resolve(host, port, family)
        if host == self._home and not host.endswith("twilio.com"):
            return found  # settings allow that only on this machine, while simulated
        if not all(_is_public(one["host"]) for one in found):
            raise CarrierError("not a public address", "permanent")
        return found

    async def close(self) -> None:
        await self._resolver.close()


def _is_public(address: str) -> bool:
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
    return own and all(_is_public(str(one)) for one in held)


async def _content(answer: ClientResponse) -> bytes:
    if answer.status != 200:
        passing = answer.status == 429 or answer.status >= 500
        raise CarrierError(str(answer.status), "transient" if passing else "permanent")
    content = bytearray()
    async for piece in answer.content.iter_chunked(1 << 16):
        content += piece
        if len(content) > LARGEST:
            raise CarrierError("larger than 5 MB", "permanent")
    return bytes(content)
