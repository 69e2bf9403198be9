"""Sends texts through the operator's own web hook: signed JSON to one address, for any carrier that we do not support.

It has no list, so it is no `MessageList`: a text in doubt is settled by its status call, or by policy.
docs/extending.md describes the interface; the signature is that of Standard Webhooks
(gateway/security/standard_webhooks.py).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

from gateway.carriers.common.http_client import HttpLink, explain_unanswered, is_unicode, send_each
from gateway.carriers.common.protocol import Outcome, Text
from gateway.carriers.common.send_gate import OPEN, Gate
from gateway.carriers.webhook.codes import read_answer
from gateway.security import standard_webhooks
from gateway.settings import Settings


class HookSms:
    """One per process; it belongs to the loop that first uses it. `home`: where the other side reaches us."""

    channel = "sms"

    def __init__(self, url: str, secret: str, home: str, timeout: float = 10.0, connections: int = 64) -> None:
        self._link = HttpLink(url, timeout)
        self._connections = connections
        self._key = standard_webhooks.key_of(secret)
        self._status = f"{home}/sms/hook/status/"

    async def send(self, batch: Sequence[Text], settled: Callable[[Text, Outcome], None], gate: Gate = OPEN) -> None:
        """Sends all texts, at most `connections` of a batch at a time, and calls `settled` for each as it ends."""
        await send_each(batch, self._connections, self._attempt, settled, _blames_account, gate)

    async def _attempt(self, text: Text) -> Outcome:
        if not is_unicode(text.body):
            return Outcome("failed", reason="content", detail="not Unicode text")
        body = self._body(text)
        headers = {**standard_webhooks.sign(self._key, str(text.attempt), body), "Content-Type": "application/json"}
        try:
            return read_answer(await self._link.post(headers, body))
        except Exception as problem:  # noqa: BLE001  # aiohttp raises many kinds; none may end the batch
            return explain_unanswered(problem)

    def _body(self, text: Text) -> bytes:
        """Returns the JSON body. `id` is the attempt, which is also in the signed header: whoever gets a text twice can
        fold the two."""
        fields = {
            "id": str(text.attempt),
            "from": text.sender,
            "to": text.recipient,
            "text": text.body,
            "callback": self._status + text.token,
            "valid_seconds": text.validity,
        }
        return json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode()

    async def close(self) -> None:
        await self._link.close()


def make(settings: Settings) -> HookSms:
    return HookSms(settings.hook_url, settings.hook_secrets[0], settings.public_url)


def _blames_account(outcome: Outcome) -> bool:
    return outcome.pause
