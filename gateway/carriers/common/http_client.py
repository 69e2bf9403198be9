"""HTTP to a carrier that has no library of its own: kept connections, hard limits, nothing written to a log.

The Kannel and web hook carriers and smtp/oauth_tokens post through it. A missing answer means the same for every
carrier that speaks HTTP, so the Twilio carrier calls `explain_unanswered` too.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from aiohttp import (
    ClientConnectorDNSError,
    ClientConnectorError,
    ClientError,
    ClientResponse,
    ClientSession,
    ClientTimeout,
    ConnectionTimeoutError,
)
from aiohttp.abc import AbstractResolver
from yarl import URL

from gateway.carriers.common.http_send_gate import LOOK, GateCheck, GatedConnector
from gateway.carriers.common.protocol import Outcome
from gateway.carriers.common.send_gate import Gate, HasAttempt

ANSWER_LIMIT: Final = 64 * 1024
LONGEST_WAIT: Final = 3600.0  # seconds of a Retry-After that we believe

Parcel = TypeVar("Parcel", bound=HasAttempt)


class AnswerTooLong(Exception):
    """The answer was longer than its limit and was cut off: the request may or may not have taken effect."""


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """A whole answer: its status, its body as text, and the seconds after which it asks us to come again."""

    status: int
    text: str
    wait: float | None = None


class HttpLink:
    """Posts to one address. The session is opened at the first request, inside the loop that will use it.

    It only has POST: when a kept connection dies, aiohttp repeats a GET by itself, and that would be a second text.
    Redirects are answers like others: none is followed to another host.

    `connections`: the most at a time; 0 (no limit) for texts, because each number's send loop limits its own and no
    number must queue behind another. `resolver`: makes what looks hosts up, where strangers name them.
    """

    def __init__(
        self,
        url: str,
        timeout: float,
        connections: int = 0,
        resolver: Callable[[], AbstractResolver] | None = None,
    ) -> None:
        self._url = url
        self._resolver = resolver
        self._limits = ClientTimeout(total=timeout, connect=timeout / 2)
        self._connections = connections
        self._kept: ClientSession | None = None

    async def post(self, headers: Mapping[str, str], body: bytes, url: str | None = None) -> HttpResponse:
        """Raises whatever aiohttp raises, TimeoutError and AnswerTooLong; `explain_unanswered` says what they mean.
        `url`: another address than that of the link."""
        session = self._kept or self._open()
        target = URL(url or self._url, encoded=True)
        async with session.post(target, data=body, headers=headers, allow_redirects=False) as answer:
            text = await read_bounded(answer, ANSWER_LIMIT)
            return HttpResponse(answer.status, text, _seconds(answer.headers.get("Retry-After", "")))

    def _open(self) -> ClientSession:
        resolver = self._resolver() if self._resolver else None
        connector = GatedConnector(limit=self._connections, keepalive_timeout=15, resolver=resolver)
        self._kept = ClientSession(connector=connector, timeout=self._limits, trust_env=False)
        return self._kept

    async def close(self) -> None:
        session, self._kept = self._kept, None
        if session is not None:
            await session.close()


async def read_bounded(answer: ClientResponse, limit: int) -> str:
    """Reads the body as text; raises AnswerTooLong above `limit` octets. Leaving the request's block with a body half
    read closes the connection."""
    body = bytearray()
    async for block in answer.content.iter_any():
        body += block
        if len(body) > limit:
            raise AnswerTooLong
    return body.decode(errors="replace")


def explain_unanswered(problem: Exception) -> Outcome:
    """Returns the outcome when no whole answer came. Only a connection that was never made proves that nothing was
    sent."""
    kind = type(problem).__name__  # never its words: they may quote the request
    if isinstance(problem, ClientConnectorDNSError):
        return Outcome("retry", reason="dns", detail=kind)
    if isinstance(problem, ClientConnectorError | ConnectionTimeoutError):
        return Outcome("retry", reason="refused", detail=kind)
    if isinstance(problem, TimeoutError):
        return Outcome("unknown", reason="timeout", detail=kind)
    if isinstance(problem, AnswerTooLong):
        return Outcome("unknown", reason="too long", detail=kind)
    return Outcome("unknown", reason="cut" if isinstance(problem, ClientError | OSError) else "malformed", detail=kind)


async def send_each(
    batch: Sequence[Parcel],
    width: int,
    attempt: Callable[[Parcel], Awaitable[Outcome]],
    settled: Callable[[Parcel, Outcome], None],
    blames_account: Callable[[Outcome], bool],
    gate: Gate,
) -> None:
    """Tries all parcels, `width` at a time, and calls `settled` for each as it ends.

    Once an answer blames our own account the rest is not tried: it would get the same answer.
    """
    parcels = iter(batch)
    stopped: list[Outcome] = []

    async def lane() -> None:
        for parcel in parcels:
            look = GateCheck(gate, parcel)
            LOOK.set(look)
            outcome = stopped[0] if stopped else await attempt(parcel)
            if look.withdrawn:
                continue
            if look.unsent:
                outcome = Outcome("retry", reason=outcome.reason, detail=outcome.detail)
            if blames_account(outcome):
                stopped.append(outcome)
            settled(parcel, outcome)

    async with asyncio.TaskGroup() as lanes:
        for _ in range(min(width, len(batch))):
            lanes.create_task(lane())


def is_unicode(body: str) -> bool:
    """Tells whether a body can be encoded: a lone surrogate cannot be sent."""
    try:
        body.encode()
    except UnicodeEncodeError:
        return False
    return True


def _seconds(retry_after: str) -> float | None:
    """Returns Retry-After in seconds (RFC 9110, 10.2.3); its other form, a date, counts as none."""
    if not (retry_after.isascii() and retry_after.isdigit() and len(retry_after) <= 9):
        return None
    return min(float(retry_after), LONGEST_WAIT)
