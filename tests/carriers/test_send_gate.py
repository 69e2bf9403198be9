"""The last look of every carrier: just before a request is written, however long it waited for its turn (R65)."""

import asyncio
import time
from collections.abc import Sequence

import pytest

from gateway.carriers.common.protocol import OutboundEmail, Outcome, Text
from gateway.carriers.common.send_gate import HasAttempt
from gateway.carriers.smtp.relay import SmtpRelay
from tests.carriers.test_carriers import KINDS, Kind, texts
from tests.carriers.test_smtp_chunking import relay as chunk_relay
from tests.carriers.test_smtp_relay import FULL, Server, letter, relay
from tests.support.fake_http_server import WAIT, FakeHttpServer, serving


class Turnstile:
    """Lets through what is not among the `withdrawn`; what was decided `good_for` seconds ago is asked about again."""

    def __init__(self, good_for: float, withdrawn: Sequence[int] = ()) -> None:
        self.good_for, self.withdrawn = good_for, set(withdrawn)
        self.start = time.monotonic()
        self.decided: dict[int, float] = {}
        self.asked: list[list[int]] = []

    def fresh(self, parcel: HasAttempt) -> bool:
        return time.monotonic() - self.decided.get(parcel.attempt, self.start) <= self.good_for

    async def ask(self, parcels: Sequence[HasAttempt]) -> frozenset[int]:
        self.asked.append([one.attempt for one in parcels])
        await asyncio.sleep(0.01)
        allowed = frozenset(one.attempt for one in parcels) - self.withdrawn
        self.decided.update(dict.fromkeys(allowed, time.monotonic()))
        return allowed


@pytest.fixture(params=list(KINDS))
def kind(request: pytest.FixtureRequest) -> Kind:
    return KINDS[request.param]


def handed_over(kind: Kind, gate: Turnstile, batch: list[Text]) -> tuple[dict[int, Outcome], FakeHttpServer]:
    async def story() -> tuple[dict[int, Outcome], FakeHttpServer]:
        async with serving(lambda _: [kind.taken]) as server:
            carrier, told = kind.make(server.url, 30.0), dict[int, Outcome]()
            await carrier.send(batch, lambda text, outcome: told.__setitem__(text.attempt, outcome), gate)
            await carrier.close()
            return told, server

    return asyncio.run(story())


def test_what_is_fresh_is_not_asked_about(kind: Kind) -> None:
    gate = Turnstile(60.0)
    told, server = handed_over(kind, gate, texts(5))
    assert [one.state for one in told.values()] == ["sent"] * 5
    assert gate.asked == []
    assert len(server.requests) == 5


def test_what_waited_too_long_is_asked_about_and_not_sent_when_something_changed(kind: Kind) -> None:
    gate = Turnstile(0.0, withdrawn=[2, 4])
    gate.good_for = -1.0
    allowed = Turnstile.ask

    async def ask(parcels: Sequence[HasAttempt]) -> frozenset[int]:
        answer = await allowed(gate, parcels)
        gate.decided.update({attempt: time.monotonic() + 60 for attempt in answer})
        return answer

    gate.ask = ask  # type: ignore[method-assign]
    told, server = handed_over(kind, gate, texts(5))
    assert {attempt: one.state for attempt, one in told.items()} == {1: "sent", 3: "sent", 5: "sent"}
    assert len(server.requests) == 3


def test_a_connection_that_takes_long_is_time_too(kind: Kind, monkeypatch: pytest.MonkeyPatch) -> None:
    """The decision was fresh when the text was handed over, and not any more when its connection was made."""
    from aiohttp import TCPConnector

    made = TCPConnector._create_connection

    async def slowly(*given, **named):  # type: ignore[no-untyped-def]
        await asyncio.sleep(0.4)
        return await made(*given, **named)

    monkeypatch.setattr(TCPConnector, "_create_connection", slowly)
    gate = Turnstile(0.2, withdrawn=[1])
    told, server = handed_over(kind, gate, texts(2))
    assert list(told) == [2]
    assert len(server.requests) == 1
    assert {attempt for asked in gate.asked for attempt in asked} == {1, 2}


def test_nobody_queues_behind_the_slow_answers_of_others(kind: Kind) -> None:
    """A hundred requests that nobody answers, handed over one by one as several numbers do, and one more."""

    async def story() -> float:
        async with serving(lambda request: [WAIT]) as server:
            carrier = kind.make(server.url, 30.0)
            sends = [asyncio.create_task(carrier.send([text], lambda *_: None)) for text in texts(100)]
            while len(server.requests) < 100:
                assert time.monotonic() - begun < 5, len(server.requests)
                await asyncio.sleep(0.01)
            late = time.monotonic()
            sends.append(asyncio.create_task(carrier.send(texts(1), lambda *_: None)))
            while len(server.requests) < 101:
                assert time.monotonic() - late < 5
                await asyncio.sleep(0.005)
            waited = time.monotonic() - late
            for send in sends:
                send.cancel()
            await asyncio.gather(*sends, return_exceptions=True)
            await carrier.close()
            return waited

    begun = time.monotonic()
    assert asyncio.run(asyncio.wait_for(story(), 20)) < 0.5


# Mail


def dawdling(verb: str, seconds: float) -> Server:
    """A server that takes its time before it answers one command."""

    class Dawdling(Server):
        async def answer(self, writer, said, line, ordinary):  # type: ignore[no-untyped-def]
            if said == verb:
                await asyncio.sleep(seconds)
            return await super().answer(writer, said, line, ordinary)

    return Dawdling


def posted(server_type: type, gate: Turnstile, count: int, offers: list[str]) -> tuple[dict[int, Outcome], Server]:
    async def story() -> tuple[dict[int, Outcome], Server]:
        server = server_type(None, offers)
        listener = await asyncio.start_server(server.serve, "127.0.0.1", 0, limit=1 << 20)
        url = f"smtp://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
        carrier, told = SmtpRelay(url, "critter.example", connections=1, timeout=5.0), dict[int, Outcome]()
        batch = [letter(n, content=b"Subject: number %d\r\n\r\nwords\r\n" % n) for n in range(count)]
        await asyncio.wait_for(carrier.send(batch, lambda one, out: told.__setitem__(one.attempt, out), gate), 30)
        await carrier.close()
        listener.close()
        return told, server

    return asyncio.run(story())


def subjects(server: Server) -> set[int]:
    return {int(data.split(b"number ")[1].split(b"\r\n")[0]) for data in server.mails}


@pytest.mark.parametrize("offers", [FULL, FULL[1:]], ids=["pipelining", "lockstep"])
@pytest.mark.parametrize("verb", ["CONTENT", "MAIL", "DATA"])
def test_a_mail_behind_a_slow_relay_is_asked_about(verb: str, offers: list[str]) -> None:
    """Whichever command the relay takes its time with: no words of a withdrawn mail leave, the others arrive once."""
    gate = Turnstile(0.3, withdrawn=[3, 5])
    told, server = posted(dawdling(verb, 0.2), gate, 8, offers)
    assert subjects(server) == {0, 1, 2, 4, 6, 7}
    assert len(server.mails) == 6
    assert {attempt for attempt, one in told.items() if one.state == "sent"} == {0, 1, 2, 4, 6, 7}
    assert not {3, 5} & told.keys()
    assert len(gate.asked) < 16, "they are asked about together"


@pytest.mark.parametrize("offers", [FULL, FULL[1:]], ids=["pipelining", "lockstep"])
def test_what_is_withdrawn_between_the_envelope_and_the_content_stays(offers: list[str]) -> None:
    """Each answer comes after longer than a decision is good for: it is asked once more before its words leave."""
    gate = Turnstile(0.15, withdrawn=[1])
    told, server = posted(dawdling("DATA", 0.3), gate, 3, offers)
    assert subjects(server) == {0, 2}
    assert told.keys() == {0, 2}
    assert {one.state for one in told.values()} == {"sent"}


def test_a_mail_in_chunks_is_asked_about() -> None:
    async def story() -> None:
        async with chunk_relay(connections=1) as (server, carrier):
            server.delay = 0.2
            gate, told = Turnstile(0.3, withdrawn=[4, 6]), dict[int, Outcome]()
            batch = [letter(n) for n in range(8)]
            await carrier.send(batch, lambda one, outcome: told.__setitem__(one.attempt, outcome), gate)
            assert told.keys() == {0, 1, 2, 3, 5, 7}
            assert len(server.taken) == 6
            assert server.connections == 1

    asyncio.run(story())


def test_a_mail_that_waited_for_its_connection_is_asked_about() -> None:
    async def story() -> None:
        async with relay(connections=1) as (server, carrier):
            await asyncio.sleep(0.1)
            gate, told = Turnstile(0.05, withdrawn=[0]), dict[int, Outcome]()
            await asyncio.sleep(0.1)
            batch: list[OutboundEmail] = [letter(0), letter(1)]
            await carrier.send(batch, lambda one, outcome: told.__setitem__(one.attempt, outcome), gate)
            assert told.keys() == {1}
            assert len(server.mails) == 1

    asyncio.run(story())
