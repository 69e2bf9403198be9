"""The last leg of mails out: letters ready in memory, through our relay carrier, to a lean sink.

Its peer in the same run is a bare protocol that sends the same bytes again and again and only counts the replies: the
most that asyncio can do here. The whole road, which has the goals, is measured elsewhere.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Callable, Coroutine
from typing import Any, cast

import uvloop

from bench.result import Result
from bench.stub import Stub
from gateway.carriers.common.protocol import OutboundEmail, Outcome
from gateway.carriers.smtp.relay import SmtpRelay

LETTERS = 30_000
ROUNDS = 5
CONNECTIONS = 10
CONTENT = (
    b"From: Kim Lee via Critter <post@mail.example>\r\nTo: p@corp.example\r\nSubject: starting the proposal\r\n\r\n"
    + b"The quick brown fox jumps over the lazy dog and so on.\r\n" * 16
)


def letters(count: int) -> list[OutboundEmail]:
    return [OutboundEmail(n, f"b+{n:048d}@mail.example", f"p{n}@corp.example", CONTENT) for n in range(count)]


async def ours(port: int, count: int) -> float:
    batch, outcomes = letters(count), list[Outcome]()
    carrier = SmtpRelay(f"smtp://127.0.0.1:{port}", "bench.example", CONNECTIONS)
    started = time.perf_counter()
    await carrier.send(batch, lambda _, outcome: outcomes.append(outcome))
    spent = time.perf_counter() - started
    await carrier.close()
    assert [each.state for each in outcomes] == ["sent"] * count
    return count / spent


class Blast(asyncio.Protocol):
    """Counts reply lines: five until EHLO is answered, three for an envelope, one more for the content before it."""

    def __init__(self, count: int) -> None:
        self._left, self._lines = count, -8
        self._envelope = b"MAIL FROM:<b+%048d@mail.example>\r\nRCPT TO:<p@corp.example>\r\nDATA\r\n" % count
        self._letter = CONTENT + b".\r\n" + self._envelope
        self.done = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.write(b"EHLO bench.example\r\n" + self._envelope)

    def data_received(self, data: bytes) -> None:
        self._lines += data.count(b"\n")
        if self._lines < 0:
            return
        self._lines -= 4
        self._left -= 1
        if self._left >= 0:
            self._transport.write(self._letter)
        else:
            self._transport.close()
            self.done.set_result(None)


async def bare(port: int, count: int) -> float:
    started = time.perf_counter()
    loop, share = asyncio.get_running_loop(), count // CONNECTIONS
    made = [await loop.create_connection(lambda: Blast(share), "127.0.0.1", port) for _ in range(CONNECTIONS)]
    await asyncio.gather(*(blast.done for _, blast in made))
    return count / (time.perf_counter() - started)


def counted(stub: Stub, count: int, run: Callable[[], float]) -> float:
    """The rate, after a check that the sink has as many as were sent."""
    before = stub.count()
    rate = run()
    assert stub.count() - before == count
    return rate


def measure() -> list[Result]:
    """The rounds alternate, so that other load hits all of them; the median of the rounds counts."""
    with Stub("smtp") as stub:

        def looped(leg: Callable[[int, int], Coroutine[Any, Any, float]]) -> float:
            return counted(stub, LETTERS, lambda: uvloop.run(leg(stub.port, LETTERS)))

        rounds = [(looped(ours), looped(bare)) for _ in range(ROUNDS)]
    mine, most = (statistics.median(column) for column in zip(*rounds, strict=True))
    return [Result("mail out, last leg", mine, "mails/s", "bare pipelined protocol x10", most, 0.5)]


if __name__ == "__main__":
    for result in measure():
        print(result.row())
