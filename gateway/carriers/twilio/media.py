"""Fetches a picture that came with a text from where Twilio keeps it. workers/media calls it.

The address came in a web hook, so it is not trusted: we fetch only from Twilio's hosts, whose addresses are looked up
once and must be public, with at most three redirects, five seconds and five megabytes, and we give our credentials to
Twilio's API alone.
Source: https://www.twilio.com/docs/messaging/api/media-resource (redirects to the store; authentication by account)
"""

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

from gateway.carriers.common.public_resolver import PublicResolver
from gateway.errors import CarrierError

STORES: Final = ("media.twiliocdn.com", "mms.twiliocdn.com", "s3-external-1.amazonaws.com")
HOPS: Final = 3
SECONDS: Final = 5.0
LARGEST: Final = 5 * 1024 * 1024
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
                connector=TCPConnector(resolver=PublicResolver(self._trusts), use_dns_cache=False),
                timeout=ClientTimeout(total=SECONDS),
                trust_env=False,
            ) as session:
                return await self._follow(session, url)
        except InvalidURL:
            raise CarrierError("not an address", "permanent") from None
        except (ClientError, TimeoutError, OSError) as problem:
            raise CarrierError(type(problem).__name__, "transient") from None

    def _trusts(self, host: str) -> bool:
        """Settings allow that only on this machine, while simulated."""
        return host == self._home.hostname and not host.endswith("twilio.com")

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
