"""Access tokens by client credentials (RFC 6749 4.4), kept until shortly before they expire.
gateway/carriers/smtp/handshake logs in with them."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any, Final
from urllib.parse import urlencode

from gateway.carriers.common.http_client import HttpLink, HttpResponse, explain_unanswered
from gateway.errors import CarrierError

EARLY: Final = 300.0  # seconds before a token expires at which a new one is fetched
SHARE: Final = 0.5  # of its lifetime, after which a token that lives less than twice EARLY is fetched anew
TIMEOUT: Final = 10.0  # seconds
# The errors of RFC 6749 5.2 that say what an operator has to put right; their codes are shown as they are.
OURS: Final = frozenset({"invalid_client", "unauthorized_client", "invalid_scope", "invalid_request", "invalid_grant"})


class Tokens:
    """One per process; several connections share its token. It belongs to the loop that first uses it."""

    def __init__(self, url: str, client_id: str, client_secret: str, scope: str) -> None:
        self._link = HttpLink(url, TIMEOUT, 1)
        fields = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": client_secret}
        self._form = urlencode({**fields, "scope": scope}).encode()
        self._lock = asyncio.Lock()
        self._token = ""
        self._renew_at = self._ends_at = 0.0
        self._doubted = False  # the last token was refused, and none was accepted since

    async def token(self) -> str:
        """Returns a token that is valid for some minutes. Raises CarrierError: "permanent" when we are refused."""
        async with self._lock:
            if time.monotonic() >= self._renew_at:
                await self._fetch()
            return self._token

    def taken(self) -> None:
        """Notes that the server accepted the token."""
        self._doubted = False

    def refused(self, token: str) -> bool:
        """Notes that the server refused the token; returns whether another one may be accepted. If a new token is
        refused too, the token is not the cause."""
        if token != self._token:
            return True
        again, self._doubted = not self._doubted, not self._doubted
        self._token, self._renew_at, self._ends_at = "", 0.0, 0.0
        return again

    async def _fetch(self) -> None:
        """Fetches a new token. Errors of the endpoint are ignored while the old token is still valid."""
        try:
            self._keep(await self._ask())
        except CarrierError:
            if time.monotonic() >= self._ends_at:
                raise

    async def _ask(self) -> HttpResponse:
        try:
            return await self._link.post({"Content-Type": "application/x-www-form-urlencoded"}, self._form)
        except Exception as problem:  # noqa: BLE001  # aiohttp raises many kinds; none of them has done anything
            raise CarrierError(f"token {explain_unanswered(problem).reason}", "transient") from None

    def _keep(self, answer: HttpResponse) -> None:
        """Keeps the token of an answer. The answer's words are never passed on: they name the tenant."""
        body = _object(answer.text)
        token, life = body.get("access_token"), body.get("expires_in")
        if answer.status == 200 and isinstance(token, str) and token.isascii() and token.isprintable() and token:
            seconds = float(life) if isinstance(life, int | float | str) and str(life).isdigit() else 0.0
            now = time.monotonic()
            self._token, self._ends_at = token, now + seconds
            self._renew_at = now + max(seconds - EARLY, seconds * SHARE)
        elif body.get("error") in OURS:
            raise CarrierError(str(body["error"]), "permanent")
        else:
            raise CarrierError(f"token {answer.status}", "transient")

    async def close(self) -> None:
        await self._link.close()


def _object(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
