"""Starts TLS on a connection that is already open. gateway/doors/smtp/protocol calls it, for STARTTLS and for TLS from
the first octet."""

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
    """Returns the transport to use from now on; raises OSError when there is no handshake within `seconds`.

    A loop may read the client's first octets before it changes the protocol. They are then in our read buffer, and are
    handed on as octets of the handshake, whatever they are.
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
        await asyncio.sleep(0)  # after this the loop passes nothing more to us
        if buffer.unread and not begun.done():
            handshake = cast("asyncio.BufferedProtocol", transport.get_protocol())
            loop.call_soon(_hand_on, handshake, buffer.take())  # after the handshake's own start
        found = await begun
    finally:
        begun.cancel()
    if found is None:
        raise ConnectionAbortedError
    return found


def _hand_on(protocol: asyncio.BufferedProtocol, octets: bytes) -> None:
    """Gives octets to a protocol in the way in which the loop does."""
    while octets:
        room = protocol.get_buffer(len(octets))
        size = min(len(room), len(octets))  # type: ignore[arg-type]
        room[:size] = octets[:size]  # type: ignore[index]
        protocol.buffer_updated(size)
        octets = octets[size:]
