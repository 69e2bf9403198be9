"""The HTTP client under Twilio's library: kept connections, hard limits, nothing written to a log."""

from __future__ import annotations

from functools import lru_cache
from typing import Any
from urllib.parse import quote_plus

from aiohttp import ClientSession, ClientTimeout, encode_basic_auth
from twilio.http.async_http_client import AsyncTwilioHttpClient
from twilio.http.response import Response

from gateway.carriers.common.http_client import ANSWER_LIMIT, read_bounded
from gateway.carriers.common.http_send_gate import GatedConnector

PAGE_LIMIT = 4 * 1024 * 1024


class ForeignAddress(Exception):
    """A page pointed to another server, which must not get our credentials."""


class BoundedHttpClient(AsyncTwilioHttpClient):  # type: ignore[misc]  # the library has no types
    """Twilio's asynchronous client with its one request method replaced.

    The library's own method logs every address and parameter, reads answers of any length, and has no timeout unless
    each call gives one. The session is opened at the first request, inside the loop that will use it. `connections`:
    the most at a time; 0 (no limit) for texts, because each number's send loop limits its own.
    """

    def __init__(self, home: str, timeout: float, connections: int) -> None:
        super().__init__(pool_connections=False, timeout=timeout)
        self._home = home.rstrip("/") + "/"
        self._limits = ClientTimeout(total=timeout, connect=timeout / 2)
        self._connections = connections
        self._kept: ClientSession | None = None

    async def request(
        self,
        method: str,
        url: str,
        params: dict[str, Any] | None = None,
        data: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        **_ours_hold: object,  # limits and redirect rules that a caller may pass: ours apply instead
    ) -> Response:
        if not url.startswith(self._home):
            raise ForeignAddress
        sent_headers = {**(headers or {}), "Authorization": _login(*auth)} if auth else headers
        body = _form(data) if data else None
        session = self._kept or self._open()
        async with session.request(
            method, url, params=params, data=body, headers=sent_headers, allow_redirects=False
        ) as answer:
            text = await read_bounded(answer, PAGE_LIMIT if method == "GET" else ANSWER_LIMIT)
            return Response(answer.status, text, answer.headers)

    def _open(self) -> ClientSession:
        # The keepalive is below the idle time of Twilio's edge, so a text seldom meets a connection that is ending.
        connector = GatedConnector(limit=self._connections, keepalive_timeout=15)
        self._kept = ClientSession(connector=connector, timeout=self._limits, trust_env=False)
        return self._kept

    async def close(self) -> None:
        session, self._kept = self._kept, None
        if session is not None:
            await session.close()


@lru_cache(maxsize=4)
def _login(name: str, secret: str) -> str:
    return encode_basic_auth(name, secret)


def _form(data: dict[str, Any]) -> bytes:
    """Encodes a form as aiohttp would, in a quarter of the time: Twilio's field names are letters and need no
    quoting."""
    return "&".join([f"{name}={quote_plus(str(value))}" for name, value in data.items()]).encode()
