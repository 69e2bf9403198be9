"""The gate in front of HTTP requests: asked when their connection is there, which is just before they are written.

A connection may take seconds to be made. So it does not help to ask before the request is handed to aiohttp.
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
    """What was to leave may not leave any more; nothing of it was written."""


@dataclass(slots=True)
class GateCheck:
    """The last look at one parcel, and what came of it."""

    gate: Gate
    parcel: HasAttempt
    withdrawn: bool = False
    unsent: bool = False  # the time was over, or the process ended, while it was asked about


LOOK: Final[ContextVar[GateCheck | None]] = ContextVar("look", default=None)  # of the request that this task makes now


class GatedConnector(TCPConnector):
    """Gives a connection to a request with a look only when that may still leave; the connection is kept either way."""

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
