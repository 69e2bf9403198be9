"""Sends texts through Kannel's smsbox (sendsms), for operators who have an SMS center or a modem of their own.

Kannel gives no id and keeps no list, so it is no `MessageList`: a text in doubt is settled by its delivery report,
which carries our signed attempt in its address, or by policy. Source: Kannel 1.4.5 User's Guide, chapter 6, "SMS push
using HTTP POST".
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from gateway.carriers.common.http_client import HttpLink, explain_unanswered, is_unicode, send_each
from gateway.carriers.common.protocol import Outcome, Text
from gateway.carriers.common.send_gate import OPEN, Gate
from gateway.carriers.kannel.codes import EVERY_REPORT, read_answer
from gateway.settings import Settings
from gateway.sms.gsm7 import ALPHABET

GSM: Final = "0"  # its "coding"
UCS: Final = "2"
REPORT: Final = "?type=%d&answer=%A&report=%a&id=%F"  # Kannel fills these in


class KannelSms:
    """One per process; it belongs to the loop that first uses it. `home`: where Kannel reaches our web process."""

    channel = "sms"

    def __init__(
        self, url: str, username: str, password: str, home: str, timeout: float = 10.0, connections: int = 64
    ) -> None:
        self._link = HttpLink(url, timeout)
        self._connections = connections
        self._reports = f"{home}/sms/kannel/status/"
        self._login = {"X-Kannel-Username": username, "X-Kannel-Password": password}

    async def send(self, batch: Sequence[Text], settled: Callable[[Text, Outcome], None], gate: Gate = OPEN) -> None:
        """Sends all texts, at most `connections` of a batch at a time, and calls `settled` for each as it ends."""
        await send_each(batch, self._connections, self._attempt, settled, _blames_account, gate)

    async def _attempt(self, text: Text) -> Outcome:
        if not is_unicode(text.body):
            return Outcome("failed", reason="content", detail="not Unicode text")
        try:
            answer = await self._link.post(self._headers(text), text.body.encode())
        except Exception as problem:  # noqa: BLE001  # aiohttp raises many kinds; none may end the batch
            return explain_unanswered(problem)
        return read_answer(answer.status, answer.text)

    def _headers(self, text: Text) -> dict[str, str]:
        """Returns the headers, which have everything but the text itself: so neither the password nor the text is in a
        URL that proxies log."""
        return {
            **self._login,
            "X-Kannel-From": text.sender,
            "X-Kannel-To": text.recipient,
            "X-Kannel-Coding": GSM if ALPHABET.issuperset(text.body) else UCS,
            "X-Kannel-Validity": str(max(1, text.validity // 60)),  # minutes
            "X-Kannel-DLR-Mask": str(EVERY_REPORT),
            "X-Kannel-DLR-Url": self._reports + text.token + REPORT,
            "Content-Type": "text/plain; charset=UTF-8",
        }

    async def close(self) -> None:
        await self._link.close()


def make(settings: Settings) -> KannelSms:
    home = settings.kannel_callbacks or settings.public_url
    return KannelSms(settings.kannel_url, settings.kannel_username, settings.kannel_password, home)


def _blames_account(outcome: Outcome) -> bool:
    return outcome.pause
