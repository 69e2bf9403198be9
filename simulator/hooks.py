"""Sends requests to Critter, signed as Twilio signs them: texts from phones, and status callbacks."""

import base64
import hashlib
import hmac
import time
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

from aiohttp import ClientError, ClientSession, ClientTimeout, TCPConnector
from yarl import URL

from simulator.local import is_local_url
from simulator.options import Options

HEADERS = {
    "Content-Type": "application/x-www-form-urlencoded; charset=UTF-8",
    "User-Agent": "TwilioProxy/1.1",
    "Accept": "*/*",
}


def sign(token: str, url: str, params: Mapping[str, str]) -> str:
    """X-Twilio-Signature: HMAC-SHA1 over the URL and the sorted names, each followed by its value."""
    told = url + "".join(name + params[name] for name in sorted(params))
    return base64.b64encode(hmac.digest(token.encode(), told.encode("utf-8", "replace"), hashlib.sha1)).decode()


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: an HTTP status, or the reason why there is none."""

    status: int | None
    ms: float
    reason: str = ""

    @property
    def fine(self) -> bool:
        return self.status is not None and self.status < 400


class Hooks:
    """Keeps connections to Critter open; it never connects to anything that is not this machine."""

    def __init__(self, options: Options) -> None:
        self._token, self._connect = options.tokens[0], options.connect
        self._timeout = ClientTimeout(total=options.hook_timeout)
        self._session = ClientSession(connector=TCPConnector(limit=0, keepalive_timeout=30.0), headers=HEADERS)

    async def post(self, url: str, params: Mapping[str, str]) -> Answer:
        """Sends one signed POST; a failed connection is an answer too."""
        target = self._target(url)
        if target is None:
            return Answer(None, 0.0, "not on this machine")
        headers = {"X-Twilio-Signature": sign(self._token, url, params)}
        body = urlencode(params, errors="replace").encode()
        began = time.perf_counter()
        try:
            async with self._session.post(
                target, data=body, headers=headers, timeout=self._timeout, allow_redirects=False
            ) as response:
                await response.read()
                return Answer(response.status, _ms(began))
        except TimeoutError:
            return Answer(None, _ms(began), "timeout")
        except (ClientError, OSError) as error:
            return Answer(None, _ms(began), type(error).__name__)

    async def close(self) -> None:
        await self._session.close()

    def _target(self, url: str) -> URL | None:
        """A URL of this machine is called as it is (a fallback has its own port), any other one through `connect`."""
        if is_local_url(url):
            return URL(url, encoded=True)
        if not self._connect:
            return None
        parts = urlsplit(url)
        return URL(self._connect.rstrip("/") + parts.path + (f"?{parts.query}" if parts.query else ""), encoded=True)


def _ms(began: float) -> float:
    return round((time.perf_counter() - began) * 1000, 2)
