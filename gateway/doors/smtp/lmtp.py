"""LMTP (RFC 2033), by which our own mail server hands mail over: SMTP with LHLO, and a reply for each recipient.

Mail from the whole Internet comes this way, so nothing about the connection proves who wrote a mail.
gateway/doors/smtp/server opens it.
"""

import re

from aiosmtpd.smtp import syntax

from gateway.doors.smtp.fast_path import OK
from gateway.doors.smtp.protocol import SmtpProtocol

WRONG_GREETING = "500 5.5.1 This is LMTP: say LHLO"
LMTP_OK = "250 2.0.0 OK"
PLAIN_REPLY = re.compile(rb"([245])\d\d (?!\d\.\d)")


class Lmtp(SmtpProtocol):
    trusts = False
    protocol = "LMTP"

    async def push(self, status: str | bytes) -> None:
        """Adds the enhanced codes that LMTP must have and aiosmtpd's own replies lack; the greeting and LHLO have
        none."""
        line = status.encode() if isinstance(status, str) else status
        if (plain := PLAIN_REPLY.match(line)) and not line.startswith(b"220 "):
            line = line[:4] + plain[1] + b".0.0 " + line[4:]
        await super().push(line)

    def _answer_plain(self, line: bytes) -> str | None:
        reply = super()._answer_plain(line)
        return LMTP_OK if reply is OK else reply

    @syntax("LHLO hostname")
    async def smtp_LHLO(self, arg: str | None) -> None:  # noqa: N802
        await super().smtp_EHLO(arg or "")

    async def smtp_EHLO(self, arg: str | None) -> None:  # noqa: N802
        await self.push(WRONG_GREETING)

    async def smtp_HELO(self, arg: str | None) -> None:  # noqa: N802
        await self.push(WRONG_GREETING)

    async def check_helo_needed(self, helo: str = "LHLO") -> bool:
        return bool(await super().check_helo_needed("LHLO"))

    def offered(self) -> list[str]:
        return [*super().offered(), "250-ENHANCEDSTATUSCODES"]

    def _answer(self, status: str) -> str:
        """Returns one reply for each accepted recipient (RFC 2033 4.2); all are the same, because they are one row."""
        return "\r\n".join([status] * len(self.envelope.rcpt_tos))
