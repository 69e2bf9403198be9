"""The mail door as tests run it, in a thread with its own loop; and a client that says exactly what it is told."""

import asyncio
import socket
import ssl
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import uvloop

from critter.processes.app import DoorResources, build
from gateway.doors.smtp import server
from gateway.doors.smtp.connection_limits import ConnectionLimits
from gateway.settings import Settings

LETTER = b"From: Kim <kim@corp.example>\r\nTo: post@mail.example\r\nMessage-ID: <1@corp.example>\r\n\r\nhello\r\n"


@dataclass
class Running:
    settings: Settings
    parts: DoorResources
    loop: asyncio.AbstractEventLoop
    stop: asyncio.Event
    thread: threading.Thread

    def finish(self) -> None:
        self.loop.call_soon_threadsafe(self.stop.set)


@contextmanager
def opened(settings: Settings, limits: ConnectionLimits = ConnectionLimits()) -> Iterator[Running]:
    """The door, listening; closed and all threads ended when the block ends."""
    parts = build(settings)
    begun: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = Future()

    async def serve() -> None:
        stop = asyncio.Event()
        begun.set_result((asyncio.get_running_loop(), stop))
        await server.serve(settings, parts.engine, parts.intake, stop, limits)

    def run() -> None:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(serve())

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    loop, stop = begun.result(5)
    running = Running(settings, parts, loop, stop, thread)
    _wait(settings.smtp_listen)
    try:
        yield running
    finally:
        with suppress(RuntimeError):
            running.finish()
        thread.join(25)
        assert not thread.is_alive()
        parts.close()


def _wait(place: tuple[str, int]) -> None:
    for _ in range(500):
        try:
            socket.create_connection(place, 1).close()
        except OSError:
            threading.Event().wait(0.01)
        else:
            return
    raise AssertionError("it never listened")


class Client:
    """Raw lines in and out, so that nothing is tidied up on the way."""

    def __init__(
        self,
        place: tuple[str, int] | str,
        greet: bool = True,
        tls: ssl.SSLContext | None = None,
        home: str = "",
        hello: str = "EHLO relay.example",
    ) -> None:
        """`tls` from the first octet; `home` is the address that the connection comes from."""
        if isinstance(place, str):
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.settimeout(10)
            self.socket.connect(place)
        else:
            self.socket = socket.create_connection(place, 10, (home, 0) if home else None)
        if tls:
            self.socket = tls.wrap_socket(self.socket, server_hostname="127.0.0.1")
        self._file = self.socket.makefile("rb")
        if greet:
            self.greeting = self.reply()
            self.hello = self.say(hello)

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._file.close()
        self.socket.close()

    def secure(self, tls: ssl.SSLContext) -> None:
        """STARTTLS; nothing is said afterwards."""
        assert self.say("STARTTLS").startswith("220")
        self._file.close()
        self.socket = tls.wrap_socket(self.socket, server_hostname="127.0.0.1")
        self._file = self.socket.makefile("rb")

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def reply(self) -> str:
        """All lines of one reply; empty when the other side has hung up."""
        lines = []
        while line := self._line():
            lines.append(line)
            if line[3:4] != "-":
                break
        return "\n".join(lines)

    def _line(self) -> str:
        try:
            return self._file.readline().decode().rstrip("\r\n")
        except ConnectionError:
            return ""

    def say(self, line: str) -> str:
        self.send(line.encode() + b"\r\n")
        return self.reply()

    def mail(
        self, content: bytes = LETTER, to: tuple[str, ...] = ("post@mail.example",), sender: str = "kim@corp.example"
    ) -> str:
        """One mail, each step of which must be taken; the reply to its end."""
        assert self.say(f"MAIL FROM:<{sender}>").startswith("250")
        for address in to:
            assert self.say(f"RCPT TO:<{address}>").startswith("250"), address
        assert self.say("DATA").startswith("354")
        self.send(content + b".\r\n")
        return self.reply()
