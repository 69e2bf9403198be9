"""LMTP (RFC 2033), by which a mail server on our side hands mail over: SMTP with LHLO, and a reply for each recipient.

What comes this way is all the Internet's mail, so nothing about the connection proves its writer. doors/smtp/server
opens it.
"""

import re

from aiosmtpd.smtp import syntax

from gateway.doors.smtp.connection import OK
from gateway.doors.smtp.protocol import SmtpProtocol

WRONG_GREETING = "500 5.5.1 This is LMTP: say LHLO"
LMTP_OK = "250 2.0.0 OK"
PLAIN_REPLY = re.compile(rb"([245])\d\d (?!\d\.\d)")


class Lmtp(SmtpProtocol):
    trusts = False
    protocol = "LMTP"

    async def push(self, status: str | bytes) -> None:
        """With the enhanced codes that LMTP must have and aiosmtpd's own replies lack; the greeting and LHLO have
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
        """One for each recipient that was taken (RFC 2033 4.2): all fare alike, for they are one row."""
        return "\r\n".join([status] * len(self.envelope.rcpt_tos))
