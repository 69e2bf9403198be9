"""Deletes Twilio's own copy of a text, with its words and numbers. workers/redaction calls it.

Source: https://www.twilio.com/docs/messaging/api/message-resource#delete-a-message-resource
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

from aiohttp import ClientError

from gateway.carriers.twilio.http import BoundedHttpClient

AT_ONCE: Final = 5
SECONDS: Final = 5.0
GONE: Final = (204, 404)  # deleted now, or before


class TwilioRecords:
    """It belongs to one loop; `delete` closes it after use."""

    def __init__(self, account_sid: str, auth_token: str, api_base: str) -> None:
        self._http = BoundedHttpClient(api_base, SECONDS, AT_ONCE)
        self._login = (account_sid, auth_token)
        self._folder = f"{api_base.rstrip('/')}/2010-04-01/Accounts/{account_sid}/Messages"

    async def delete(self, sids: Sequence[str]) -> dict[str, int | str]:
        """Deletes the copies; returns how each request ended: Twilio's HTTP status, or the name of the error on the
        way. 409: the text is still on its way and cannot be deleted yet."""
        try:
            answers = await asyncio.gather(*(self._delete(sid) for sid in sids))
        finally:
            await self._http.close()
        return dict(zip(sids, answers, strict=True))

    async def _delete(self, sid: str) -> int | str:
        try:
            answer = await self._http.request("DELETE", f"{self._folder}/{sid}.json", auth=self._login)
        except (ClientError, TimeoutError, OSError) as problem:
            return type(problem).__name__
        return int(answer.status_code)
