"""SMTP with aiosmtpd's commands, over a read buffer of our own that keeps to the limits. gateway/doors/smtp/server
decides what is accepted.

aiosmtpd itself trusts the client: an exception becomes a permanent 500 with its text, an endless line grows in memory
without limit, NOOPs and idle connections cost nothing. So we read lines and DATA ourselves, and only the commands are
aiosmtpd's.
"""

import asyncio
import logging
import re
from collections import deque
from typing import Any

from aiosmtpd.smtp import syntax

from gateway.doors.smtp import auth
from gateway.doors.smtp.auth import GarbledError, SignIn
from gateway.doors.smtp.connection import ConnectionStage, Security
from gateway.doors.smtp.connection_limits import ConnectionLimiter
from gateway.doors.smtp.fast_path import GO_ON, TEMPORARY, FastPath
from gateway.doors.smtp.read_buffer import TooLongError
from gateway.doors.smtp.tls_upgrade import upgrade

BAD_SYNTAX = "500 5.5.2 Not a command line: UTF-8 without control characters, ended by CR LF"
TOO_LONG = "500 5.5.2 Line too long"
TOO_MANY = "421 4.7.0 Too many commands without a mail"
NOT_MAIL = "421 4.7.0 This is a mail server"
OTHER_PROTOCOLS = {"GET", "POST", "PUT", "HEAD", "OPTIONS", "CONNECT"}  # a web page made a browser connect to us
INJECTED = "554 5.5.1 Nothing may follow STARTTLS before TLS begins"
FORGERS = "421 4.7.0 Too many wrong passwords"
WRONG_PASSWORDS = 3  # on one connection
PLAIN_PATH = re.compile(r"<([A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]{1,255})>(?: +(.*))?")
CONTROL = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")

log = logging.getLogger(__name__)


class Listeners:
    """Returns the protocol object for each connection: one whose own connection has ended, or a new one. Making one
    costs more than taking in a mail, because aiosmtpd then looks through all its methods."""

    def __init__(
        self,
        handler: Any,
        limiter: ConnectionLimiter,
        hostname: str,
        loop: asyncio.AbstractEventLoop,
        security: Security = Security(),
        kind: "type[SmtpProtocol] | None" = None,
    ) -> None:
        self._given = (handler, limiter, hostname, loop, security)
        self._kind = kind or SmtpProtocol
        self._idle: deque[SmtpProtocol] = deque(maxlen=limiter.limits.connections)

    def __call__(self) -> "SmtpProtocol":
        return self._idle.pop() if self._idle else self._kind(*self._given, self._idle)


class SmtpProtocol(FastPath):
    """The commands, as the one task of a connection handles them."""

    async def _handle_client(self) -> None:
        if self._security.at_once:
            await self._secure()
        await self.push(f"220 {self.hostname} {self.protocol}")
        while self._stage is not ConnectionStage.GONE:
            try:
                await self._take_command(await self._wire.line())
            except EOFError:
                self._hang_up()
            except TooLongError:
                self._part(TOO_LONG)
            except Exception as error:  # noqa: BLE001  it is our fault: it is logged, and the client may try again
                await self._fail(error)

    async def _fail(self, error: Exception) -> None:
        log.error("a mail command failed", exc_info=error)
        await self.push(TEMPORARY)

    async def _take_command(self, line: bytes) -> None:
        self._octets = 0
        self.last_heard = self.loop.time()
        text = _readable(line)
        if text is None:
            self._spent["?"] += 1
            await self.push(BAD_SYNTAX)
            return
        word, _, argument = text.partition(" ")
        command = word.upper()
        method = self._smtp_methods.get(command)
        if self._too_many(command if method else "?"):
            self._part(TOO_MANY)
        elif command in OTHER_PROTOCOLS:
            self._part(NOT_MAIL)
        elif method is None:
            await self.push("500 5.5.1 No such command")
        else:
            await method(argument.strip() or None)
            self._note_step()

    def offered(self) -> list[str]:
        """Returns what EHLO offers in addition to aiosmtpd's own lines."""
        if not self._secured:
            return ["250-STARTTLS"] if self._security.certificates else []
        return ["250-AUTH PLAIN LOGIN"] if self._security.sign_in else []

    @syntax("STARTTLS")
    async def smtp_STARTTLS(self, arg: str | None) -> None:  # noqa: N802
        if self._secured:
            await self.push("503 5.5.1 TLS is on")
        elif self._security.certificates is None:
            await self.push("454 4.7.0 There is no TLS here")
        elif arg:
            await self.push("501 5.5.4 STARTTLS takes no argument")
        elif self._wire.unread:
            self._part(INJECTED)
        else:
            await self.push("220 2.0.0 Go ahead")
            await self._secure()

    async def _secure(self) -> None:
        """Switches to TLS, with the current certificate. If the handshake fails the connection ends."""
        assert self.transport is not None
        assert self._security.certificates is not None
        self._stage = ConnectionStage.SECURING
        context, seconds = self._security.certificates.context(self._home()), self._limiter.limits.handshake
        try:
            transport = await upgrade(self.transport, self, self._wire, context, seconds)
        except (OSError, RuntimeError) as error:
            self._security.certificates.complain(error, self._home())
            self._hang_up()
            return
        if self._stage is not ConnectionStage.SECURING:
            return
        self.transport, self._stage, self._secured = transport, ConnectionStage.TALKING, True
        self.last_heard = self.loop.time()
        self._wire.move(transport)  # what is in the buffer now already came under TLS
        self._forget()
        if transport.get_extra_info("ssl_object").getpeercert():  # empty unless the authority in our settings signed it
            self.proof = "relay: client certificate"
        self._note_step()

    @syntax("AUTH <mechanism>")
    async def smtp_AUTH(self, arg: str | None) -> None:  # noqa: N802
        if await self.check_helo_needed("EHLO"):
            return
        if not self._secured:
            await self.push("538 5.7.11 Only over TLS")
        elif self._security.sign_in is None:
            await self.push("502 5.5.1 Nobody signs in here")
        elif self.session.authenticated or self.envelope.mail_from is not None:
            await self.push("503 5.5.1 Once, and before a mail")
        elif not arg:
            await self.push(auth.UNKNOWN_MECHANISM)
        else:
            await self._sign_in(self._security.sign_in, arg)

    async def _sign_in(self, sign_in: SignIn, argument: str) -> None:
        try:
            name, password = await auth.parse_auth(argument, self._ask)
        except GarbledError as garbled:
            await self.push(str(garbled))
            return
        with self.our_turn():
            verdict = await sign_in.judge(self._home(), name, password)
        self.last_heard = self.loop.time()
        if verdict is auth.GOOD:
            self.session.authenticated = True
            self.proof = f"relay: signed in as {name}"
        self._spent["wrong password"] += verdict is auth.BAD
        if self._spent["wrong password"] >= WRONG_PASSWORDS:
            self._part(FORGERS)
        await self.push(verdict)

    async def _ask(self, words: str) -> bytes:
        self._stage = ConnectionStage.ASKED
        await self.push(auth.challenge(words))
        line = await self._wire.line()
        if self._stage is ConnectionStage.ASKED:
            self._stage = ConnectionStage.TALKING
        self.last_heard = self.loop.time()
        return line.rstrip(b"\r\n")

    @syntax("QUIT")
    async def smtp_QUIT(self, arg: str | None) -> None:  # noqa: N802
        self._part("221 2.0.0 Bye")

    def _getaddr(self, arg: str) -> tuple[str | None, str | None]:
        """Returns the address and what follows it. Plain addresses are read here: aiosmtpd takes twenty times as
        long."""
        if plain := PLAIN_PATH.fullmatch(arg):
            return plain[1], plain[2] or ""
        try:
            return super()._getaddr(arg)
        except (IndexError, ValueError, AttributeError):  # the library's parser raises these on odd input
            return None, None

    @syntax("DATA")
    async def smtp_DATA(self, arg: str | None) -> None:  # noqa: N802
        if await self.check_helo_needed():
            return
        if not self.envelope.rcpt_tos:
            await self.push("503 5.5.1 RCPT first")
        elif arg:
            await self.push("501 5.5.4 DATA takes no argument")
        else:
            await self.push(GO_ON)
            self._begin_content()
            self._note_step()
            self._hear(self._wire.take())


def _readable(line: bytes) -> str | None:
    """Returns the text of a command line; None if the line is not one."""
    if not line.endswith(b"\r\n") or CONTROL.search(line, 0, len(line) - 2):
        return None
    try:
        return line[:-2].decode()
    except UnicodeDecodeError:
        return None
