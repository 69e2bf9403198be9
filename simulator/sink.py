"""The mail relay that Critter sends to: it takes pipelined SMTP fast (RFC 5321, 2920), and fails when told to."""

import asyncio
import re
from typing import cast

from simulator.receiving import receive, refuse
from simulator.world import World

LONGEST_LINE = 4096
LONGEST_MAIL = 32 << 20
EHLO = b"250-sink.example\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 SIZE %d\r\n" % LONGEST_MAIL
OK = b"250 2.0.0 OK\r\n"
GO_ON = b"354 End with a dot on its own line\r\n"
# What a pipelining client sends for one mail; it is read in one go while no fault is on.
WHOLE = re.compile(rb"MAIL FROM:<([^<>\r\n]*)>[^\r\n]*\r\nRCPT TO:<([^<>\r\n]+)>[^\r\n]*\r\nDATA\r\n", re.IGNORECASE)
WHOLE_ANSWER = OK + OK + GO_ON
PATH = re.compile(rb"(?:MAIL FROM|RCPT TO):\s*<([^<>]*)>", re.IGNORECASE)


class Session(asyncio.Protocol):
    """One connection. Bytes wait in a buffer until they are a command, or a mail up to its dot."""

    def __init__(self, world: World, sessions: set["Session"]) -> None:
        self._world, self._sessions = world, sessions
        self._transport: asyncio.Transport | None = None
        self._buffer, self._at, self._searched = b"", 0, 0
        self._sender: str | None = None
        self._recipients: list[str] = []
        self._in_data = self._delayed = False
        self._timer: asyncio.TimerHandle | None = None
        self._out: list[bytes] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's has only the same methods
        self._sessions.add(self)
        self._transport.write(b"220 sink.example ESMTP\r\n")

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._sessions.discard(self)
        if self._timer:
            self._timer.cancel()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if self._timer is None:
            self._work()

    def close(self) -> None:
        """Cuts the connection now."""
        if self._transport:
            self._transport.abort()
        self._transport = None

    def _work(self) -> None:
        """Does all that the buffer holds, then answers it in one write; the ledger is flushed first."""
        while self._transport and (self._mail() if self._in_data else self._command()):
            pass
        self._buffer, self._at, self._searched = self._buffer[self._at :], 0, max(0, self._searched - self._at)
        self._world.ledger.flush()
        if self._transport and self._out:
            self._transport.write(b"".join(self._out))
        self._out.clear()

    # Commands: each returns whether there may be more to do with what is in the buffer.

    def _command(self) -> bool:
        if self._sender is None and not self._world.faults.on and (whole := WHOLE.match(self._buffer, self._at)):
            self._sender, self._recipients = _text(whole[1]), [_text(whole[2])]
            self._start_data(whole.end(), WHOLE_ANSWER)
            return True
        end = self._buffer.find(b"\n", self._at)
        if end < 0 or end - self._at > LONGEST_LINE:
            return self._too_long(LONGEST_LINE, b"500 5.5.2 Line too long\r\n", end)
        line = self._buffer[self._at : end].rstrip(b"\r")
        self._at = end + 1
        self._answer(line[:4].upper(), line)
        return True

    def _too_long(self, limit: int, answer: bytes, end: int = -1) -> bool:
        if end >= 0 or len(self._buffer) - self._at > limit:
            self._hang_up(answer)
        return False

    def _hang_up(self, answer: bytes) -> None:
        if self._transport:
            self._transport.write(b"".join(self._out) + answer)
            self._transport.close()
        self._transport = None

    def _answer(self, verb: bytes, line: bytes) -> None:
        match verb:
            case b"EHLO" | b"HELO":
                self._forget()
                self._out.append(EHLO if verb == b"EHLO" else b"250 sink.example\r\n")
            case b"MAIL" | b"RCPT":
                self._path(verb, line)
            case b"DATA":
                self._data()
            case b"RSET" | b"NOOP":
                self._forget() if verb == b"RSET" else None
                self._out.append(OK)
            case b"QUIT":
                self._hang_up(b"221 2.0.0 Bye\r\n")
            case _:
                self._out.append(b"502 5.5.1 Not a command here\r\n")

    def _path(self, verb: bytes, line: bytes) -> None:
        path = PATH.match(line)
        if not path or (verb == b"RCPT" and not path[1]):
            self._out.append(b"501 5.5.4 Not an address\r\n")
        elif (verb == b"MAIL") != (self._sender is None):
            self._out.append(b"503 5.5.1 Not now\r\n")
        elif not self._turned_away("mail" if verb == b"MAIL" else "rcpt", _text(path[1])):
            if verb == b"MAIL":
                self._sender = _text(path[1])
            else:
                self._recipients.append(_text(path[1]))
            self._out.append(OK)

    def _data(self) -> None:
        if self._recipients:
            self._start_data(self._at, GO_ON)
        else:
            self._out.append(b"554 5.5.1 No valid recipients\r\n")

    def _start_data(self, at: int, answer: bytes) -> None:
        self._in_data, self._at, self._searched = True, at, at
        self._out.append(answer)

    # The mail itself.

    def _mail(self) -> bool:
        end = self._end_of_mail()
        if end < 0:
            self._searched = max(self._at, len(self._buffer) - 4)
            return self._too_long(LONGEST_MAIL, b"552 5.3.4 Too big\r\n")
        if self._wait():
            return False
        content = self._buffer[self._at : end]
        self._at = end + 3
        self._settle(_unstuffed(content))
        self._forget()
        return True

    def _end_of_mail(self) -> int:
        """Where the line with the lone dot begins, or -1."""
        if self._buffer.startswith(b".\r\n", self._at):
            return self._at
        found = self._buffer.find(b"\r\n.\r\n", self._searched)
        return found + 2 if found >= 0 else -1

    def _wait(self) -> bool:
        """Begins the delay that a fault asks for; once per mail."""
        fault = None if self._delayed else self._world.faults.strike("smtp-delay", *self._who())
        if fault:
            self._delayed = True
            self._timer = asyncio.get_running_loop().call_later(fault.params["seconds"], self._go_on)
        return fault is not None

    def _go_on(self) -> None:
        self._timer = None
        self._work()

    def _settle(self, content: bytes) -> None:
        sender, faults = self._sender or "", self._world.faults
        if faults.on and faults.strike("smtp-cut-before-dot", *self._who()):
            refuse(self._world, sender, self._recipients, content, "cut")
            self.close()
        elif not self._turned_away("dot", content=content):
            cut = faults.on and faults.strike("smtp-cut-after-dot", *self._who())
            receive(self._world, sender, self._recipients, content, "cut" if cut else 250)
            self.close() if cut else self._out.append(OK)

    def _turned_away(self, at: str, address: str = "", content: bytes = b"") -> bool:
        """Answers 4xx or 5xx when a fault says so here."""
        if not self._world.faults.on:
            return False
        who = (address,) if address else self._who()
        for name in ("smtp-4xx", "smtp-5xx"):
            if fault := self._world.faults.strike(name, *who, at=at):
                recipients = self._recipients if at == "dot" else who
                refuse(self._world, self._sender or "", recipients, content, fault.params["code"])
                self._out.append(f"{fault.params['code']} {fault.params['text']}\r\n".encode())
                return True
        return False

    def _who(self) -> tuple[str, ...]:
        return (*self._recipients, self._sender or "")

    def _forget(self) -> None:
        self._sender, self._recipients, self._in_data, self._delayed = None, [], False, False


def _text(path: bytes) -> str:
    return path.decode("utf-8", "replace")


def _unstuffed(content: bytes) -> bytes:
    """Removes the dot that a client adds in front of a line's own (RFC 5321, 4.5.2)."""
    if content.startswith(b"."):
        content = content[1:]
    return content.replace(b"\r\n.", b"\r\n") if b"\r\n." in content else content
