"""P7: texts out through our carrier, against the library's own asynchronous HTTP client in a bare loop, and against
Kannel from its sendsms to its fakesmsc where that is installed."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import uvloop
from aiohttp import ClientSession, TCPConnector
from twilio.http.async_http_client import AsyncTwilioHttpClient
from twilio.rest import Client

from bench import kannel
from bench.kannel import Kannel
from bench.ports import free_port
from bench.result import Result
from bench.stub import ACCOUNT, Stub
from gateway.carriers.common.protocol import Outcome, Text
from gateway.carriers.twilio.sms import TwilioSms

TEXTS = 4000
ROUNDS = 5
LANES = 64
BODY = "kim: starting the ACME proposal (reply r to answer)"

Loop = Callable[[str, int], Coroutine[Any, Any, None]]


def texts(count: int) -> list[Text]:
    return [
        Text(n, "+15005550006", f"+1555{n:07d}", BODY, f"https://critter.example/sms/status/{n}", 14400)
        for n in range(count)
    ]


async def ours(base: str, count: int) -> None:
    carrier = TwilioSms(ACCOUNT, "token", base, connections=LANES)
    outcomes: list[Outcome] = []
    await carrier.send(texts(count), lambda _, outcome: outcomes.append(outcome))
    await carrier.close()
    assert [each.state for each in outcomes] == ["sent"] * count


async def _each(count: int, post: Callable[[Text], Awaitable[object]]) -> None:
    queue = iter(texts(count))

    async def lane() -> None:
        for text in queue:
            await post(text)

    await asyncio.gather(*(lane() for _ in range(LANES)))


def form(text: Text) -> dict[str, object]:
    return {
        "To": text.recipient,
        "StatusCallback": text.callback,
        "ValidityPeriod": text.validity,
        "From": text.sender,
        "Body": text.body,
    }


async def bare(base: str, count: int) -> None:
    """The peer: 64 loops around AsyncTwilioHttpClient.request and nothing else."""
    url = f"{base}/2010-04-01/Accounts/{ACCOUNT}/Messages.json"
    async with AsyncTwilioHttpClient() as http:
        await _each(count, lambda text: http.request("POST", url, data=form(text), auth=(ACCOUNT, "token")))


async def resource(base: str, count: int) -> None:
    """The library as its manual shows it: messages.create_async over the same client."""
    async with AsyncTwilioHttpClient() as http:
        client = Client(ACCOUNT, "token", http_client=http)
        client.api.base_url = base
        await _each(
            count,
            lambda text: client.messages.create_async(
                to=text.recipient,
                from_=text.sender,
                body=text.body,
                status_callback=text.callback,
                validity_period=text.validity,
            ),
        )


def rate(loop: Loop, stub: Stub) -> float:
    before, started = stub.count(), time.perf_counter()
    uvloop.run(loop(f"http://127.0.0.1:{stub.port}", TEXTS))
    spent = time.perf_counter() - started
    assert stub.count() - before == TEXTS
    return TEXTS / spent


async def kannel_alone(url: str, count: int) -> None:
    """64 loops around Kannel's sendsms and nothing else; no reports are asked for."""
    login = {"X-Kannel-Username": "critter", "X-Kannel-Password": kannel.PASSWORD}
    async with ClientSession(connector=TCPConnector(limit=LANES)) as http:

        async def post(text: Text) -> None:
            headers = {**login, "X-Kannel-From": text.sender, "X-Kannel-To": text.recipient}
            headers["Content-Type"] = "text/plain; charset=UTF-8"
            async with http.post(url, data=text.body.encode(), headers=headers) as answer:
                assert (await answer.text()).startswith("0: ")

        await _each(count, post)


def kannels_rate(peer: Kannel) -> float:
    """Kannel's rate until its center has the last text: what Kannel only keeps has not left."""
    before, started = len(peer.received()), time.perf_counter()
    uvloop.run(kannel_alone(peer.environ["KANNEL_URL"], TEXTS))
    while len(peer.received()) - before < TEXTS:
        if time.perf_counter() - started > 120:
            raise RuntimeError(f"{TEXTS - len(peer.received()) + before} texts are missing")
        time.sleep(0.02)
    return TEXTS / (time.perf_counter() - started)


def _against_kannel(mine: float) -> list[Result]:
    if problem := kannel.missing():
        print(f"P7 texts out: {problem}")
        return []
    with Kannel(free_port()) as peer:
        theirs = statistics.median(kannels_rate(peer) for _ in range(3))
    return [Result("P7 texts out", mine, "texts/s", "Kannel, sendsms to fakesmsc, x64", theirs, 0.9)]


def measure() -> list[Result]:
    """The rounds alternate, so that other load hits all of them; the median of the rounds counts."""
    with Stub("http") as stub:
        loops: tuple[Loop, ...] = (ours, bare, resource)
        rounds = [[rate(loop, stub) for loop in loops] for _ in range(ROUNDS)]
    mine, alone, manual = (statistics.median(column) for column in zip(*rounds, strict=True))
    return [
        Result("P7 texts out", mine, "texts/s", "AsyncTwilioHttpClient x64, bare loop", alone, 0.9),
        Result("P7 texts out", mine, "texts/s", "messages.create_async x64", manual, 0.9),
        *_against_kannel(mine),
    ]


if __name__ == "__main__":
    for result in measure():
        print(result.row())
