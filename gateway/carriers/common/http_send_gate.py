"""The send gate for HTTP requests: it is asked when the connection is open, which is just before a request is written.

A connection may take seconds to open, so asking before the request is handed to aiohttp would be too early.
"""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final

from aiohttp import ClientRequest, ClientTimeout, TCPConnector
from aiohttp.connector import Connection
from aiohttp.tracing import Trace

from gateway.carriers.common.send_gate import Gate, HasAttempt, may_leave


class SendWithdrawn(Exception):
    """The parcel may not leave any more; nothing of it was written."""


@dataclass(slots=True)
class GateCheck:
    """The last check of one parcel before it leaves, and its result."""

    gate: Gate
    parcel: HasAttempt
    withdrawn: bool = False
    unsent: bool = False  # the timeout came, or the process ended, while the gate was being asked


# The check for the request that the current task makes.
LOOK: Final[ContextVar[GateCheck | None]] = ContextVar("look", default=None)


class GatedConnector(TCPConnector):
    """Gives a connection to a request that has a GateCheck only if its parcel may still leave; the connection is kept
    either way."""

    async def connect(self, req: ClientRequest, traces: list[Trace], timeout: ClientTimeout) -> Connection:  # noqa: ASYNC109
        connection = await super().connect(req, traces, timeout)
        look = LOOK.get()
        if look is None or look.gate.fresh(look.parcel):
            return connection
        look.unsent = True
        try:
            look.withdrawn = not await may_leave(look.gate, look.parcel)
        except BaseException:
            connection.close()
            raise
        if look.withdrawn:
            connection.release()
            raise SendWithdrawn
        look.unsent = False
        return connection
