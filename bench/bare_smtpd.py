"""Plain aiosmtpd with a handler that stores nothing: the peer of P2. `python -m bench.bare_smtpd PORT`."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from aiosmtpd.smtp import SMTP, Envelope, Session

from bench.ports import free_port


class Nothing:
    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        return "250 OK"


async def serve(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(lambda: SMTP(Nothing()), "127.0.0.1", port, backlog=512)
    await server.serve_forever()


@contextmanager
def running() -> Iterator[int]:
    """Its port; it runs in a process of its own until the block ends."""
    port = free_port()
    child = subprocess.Popen([sys.executable, "-m", "bench.bare_smtpd", str(port)])
    try:
        yield port
    finally:
        child.terminate()
        child.wait(10)


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
