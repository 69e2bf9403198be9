"""TLS on a connection that is open already. The listener calls it, for STARTTLS and for TLS from the first octet."""

import asyncio
import ssl
from typing import cast

from gateway.doors.smtp.read_buffer import ReadBuffer


async def upgrade(
    transport: asyncio.Transport,
    protocol: asyncio.Protocol,
    buffer: ReadBuffer,
    context: ssl.SSLContext,
    seconds: float,
) -> asyncio.Transport:
    """The transport to use from now on; raises OSError when there is no handshake within `seconds`.

    A loop may read the other side's first octets before it changes the protocol. They lie in our wire then, and are
    handed on: as octets of the handshake, whatever they say.
    """
    loop = asyncio.get_running_loop()
    begun = loop.create_task(
        loop.start_tls(
            transport,
            protocol,
            context,
            server_side=True,
            ssl_handshake_timeout=seconds,
            ssl_shutdown_timeout=seconds,
        )
    )
    try:
        await asyncio.sleep(0)  # from here on nothing more comes to us
        if buffer.unread and not begun.done():
            handshake = cast("asyncio.BufferedProtocol", transport.get_protocol())
            loop.call_soon(_hand_on, handshake, buffer.take())  # behind its own beginning
        found = await begun
    finally:
        begun.cancel()
    if found is None:
        raise ConnectionAbortedError
    return found


def _hand_on(protocol: asyncio.BufferedProtocol, octets: bytes) -> None:
    """As the loop hands over what it reads."""
    while octets:
        room = protocol.get_buffer(len(octets))
        size = min(len(room), len(octets))  # type: ignore[arg-type]
        room[:size] = octets[:size]  # type: ignore[index]
        protocol.buffer_updated(size)
        octets = octets[size:]
