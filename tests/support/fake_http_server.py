"""An HTTP server that says what a test tells it, for carriers: well, badly, late, by halves, or not at all."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

CLOSE = object()  # cut the connection here
WAIT = object()  # hold it open and say nothing


@dataclass
class Request:
    line: str
    headers: dict[str, str]
    body: bytes


def http(status: int, body: str | bytes, length: int | None = None, **headers: str) -> bytes:
    raw = body if isinstance(body, bytes) else body.encode()
    lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(raw) if length is None else length}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + raw


@dataclass
class FakeHttpServer:
    """Plays `script(request)`, a list of bytes, CLOSE and WAIT, for each request."""

    script: Callable[[Request], Sequence[object]]
    requests: list[Request] = field(default_factory=list)
    connections: int = 0
    url: str = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while await self._one(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # whoever is tried may hang up at any point
        finally:
            writer.transport.abort()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in head[1:-2])
        cased = dict(line.split(": ", 1) for line in head[1:-2])
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        request = Request(head[0], {name.lower(): value for name, value in cased.items()}, body)
        self.requests.append(request)
        for part in self.script(request):
            if part is CLOSE:
                return False
            if part is WAIT:
                await asyncio.sleep(60)
            assert isinstance(part, bytes)
            writer.write(part)
            await writer.drain()
        return True


@asynccontextmanager
async def serving(script: Callable[[Request], Sequence[object]] | Sequence[object]):
    server = FakeHttpServer(script if callable(script) else lambda _: script)
    listener = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    server.url = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
    async with listener:
        yield server
