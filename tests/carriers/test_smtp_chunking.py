"""Letters as chunks, many on their way at once: to a server that refuses some of them, hangs up or falls silent."""

import asyncio
from contextlib import asynccontextmanager

import pytest
import uvloop

from gateway.carriers.smtp import connection
from gateway.carriers.smtp import relay as smtp_relay
from gateway.carriers.smtp.relay import SmtpRelay
from tests.carriers.test_smtp_relay import CONTENT, CUT, FULL, Server, letter, on, send

LOOPS = pytest.mark.parametrize("run", [asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])


@pytest.fixture(autouse=True)
def _short_back_off(monkeypatch):
    monkeypatch.setattr(smtp_relay, "BACK_OFF", 0.01)


class ChunkServer(Server):
    """Keeps what a strict server keeps: a transaction that RSET or a taken letter ends."""

    def __init__(self, script):
        super().__init__(script, [*FULL, "CHUNKING"])
        self.taken = []
        self.delay = 0.0  # seconds before it answers for a letter
        self.waiting = []  # how many more letters had come by then, for each

    @property
    def most_waiting(self):
        return max(self.waiting)

    async def talk(self, reader, writer):
        going = await self.answer(writer, "GREETING", b"", b"220 sink\r\n")
        sender, recipients = None, []
        while going and (line := await reader.readline()):
            verb = line[:4].decode().upper()
            self.lines.append(line)
            reply = self.ordinary(verb)
            if verb == "BDAT":
                content = await reader.readexactly(int(line.split()[1]))
                await asyncio.sleep(self.delay)
                self.waiting.append(bytes(reader._buffer).count(b"BDAT"))
                reply = b"250 2.0.0 Ok: queued as 4F8A1\r\n" if recipients else b"503 5.5.1 no recipients\r\n"
            elif verb == "MAIL" and sender:
                reply = b"503 5.5.1 nested MAIL\r\n"
            elif verb == "RCPT" and not sender:
                reply = b"503 5.5.1 need MAIL\r\n"
            going = await self.answer(writer, verb, line, reply)
            if verb == "RSET" or (verb == "BDAT" and going == b"250"):
                if verb == "BDAT":
                    self.taken.append((sender, recipients, content))
                sender, recipients = None, []
            elif verb == "MAIL" and going == b"250":
                sender = line
            elif verb == "RCPT" and going == b"250":
                recipients.append(line)


@asynccontextmanager
async def relay(script=None, **options):
    server = ChunkServer(script)
    listener = await asyncio.start_server(server.serve, "127.0.0.1", 0, limit=1 << 20)
    url = f"smtp://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
    carrier = SmtpRelay(url, "critter.example", **{"timeout": 5.0, "connections": 3, **options})
    try:
        yield server, carrier
    finally:
        await carrier.close()
        listener.close()


@LOOPS
def test_letters_arrive_whole_each_under_its_own_sender(run):
    async def story():
        async with relay() as (server, carrier):
            batch = [letter(n, envelope_from=f"b+{n}@mail.example") for n in range(40)]
            outcomes = await send(carrier, *batch)
            assert [(one.state, one.carrier_id) for one in outcomes] == [("sent", "4F8A1")] * 40
            assert not any(line.startswith(b"DATA") for line in server.lines)
            told = {(sender.split(b">")[0], *(rcpt.strip() for rcpt in to), text) for sender, to, text in server.taken}
            assert told == {
                (b"MAIL FROM:<b+%d@mail.example" % n, b"RCPT TO:<p%d@corp.example>" % n, CONTENT) for n in range(40)
            }

    run(story())


@pytest.mark.parametrize("command", ["MAIL", "RCPT", "BDAT"])
def test_a_refused_letter_leaves_those_behind_it_alone(command):
    """The strict server would give it the sender of the refused one, were nothing said between them."""

    async def story():
        refusal = on(command, b"550 5.1.1 no\r\n", {"MAIL": b"+4@", "RCPT": b"p4@", "BDAT": b""}[command], 1)
        async with relay(refusal, connections=1) as (server, carrier):
            batch = [letter(n, envelope_from=f"b+{n}@mail.example") for n in range(8)]
            outcomes = await send(carrier, *batch)
            bad = 0 if command == "BDAT" else 4
            assert [one.state for one in outcomes] == ["failed" if n == bad else "sent" for n in range(8)]
            assert (outcomes[bad].reason, outcomes[bad].detail.split()[0]) == (
                "550",
                {"BDAT": "content"}.get(command, command),
            )
            assert len(server.taken) == 7
            for sender, to, _ in server.taken:
                assert sender.split(b"+")[1].split(b"@")[0] == to[0].split(b"<p")[1].split(b"@")[0]
                assert len(to) == 1

    asyncio.run(story())


def late(command, reply, number):
    """A script: this reply to that command, the `number`th time it is said."""
    said = []

    def script(verb, line):
        said.extend([verb] * (verb == command))
        return reply if verb == command and len(said) == number else None

    return script


def test_a_cut_leaves_at_most_a_window_in_doubt():
    """The window grows from letter to letter while the server is quick."""

    async def story():
        for number, most in ((1, connection.FIRST), (20, connection.WINDOW)):
            async with relay(late("BDAT", CUT, number), connections=1) as (server, carrier):
                outcomes = await send(carrier, *(letter(n) for n in range(40)))
                states = [one.state for one in outcomes]
                assert most // 2 <= states.count("unknown") <= most
                assert states.count("sent") == 40 - states.count("unknown")
                assert server.connections == 2

    asyncio.run(story())


def test_421_is_a_refusal_of_all_that_is_on_its_way():
    async def story():
        async with relay(on("RCPT", b"421 4.3.2 later\r\n", times=1), connections=1) as (_, carrier):
            states = [one.state for one in await send(carrier, *(letter(n) for n in range(20)))]
            assert states.count("retry") == connection.FIRST
            assert states.count("sent") == 20 - connection.FIRST

    asyncio.run(story())


def test_530_pauses_the_carrier_and_loses_nothing():
    async def story():
        async with relay(on("MAIL", b"530 5.7.0 log in\r\n"), connections=1) as (server, carrier):
            outcomes = await send(carrier, *(letter(n) for n in range(20)))
            assert {(one.state, one.pause) for one in outcomes} == {("retry", True)}
            assert (server.connections, server.taken) == (1, [])

    asyncio.run(story())


def test_a_rested_connection_that_has_ended_costs_no_letter():
    async def story():
        async with relay(connections=1) as (server, carrier):
            assert [one.state for one in await send(carrier, letter(1))] == ["sent"]
            server.script = on("RSET", CUT, times=1)
            assert [one.state for one in await send(carrier, letter(2), letter(3))] == ["sent", "sent"]
            assert server.connections == 2

    asyncio.run(story())


def test_a_content_without_its_last_end_of_line_gets_one():
    async def story():
        async with relay() as (server, carrier):
            assert (await send(carrier, letter(1, b"Subject: x\r\n\r\nopen")))[0].state == "sent"
            assert server.taken[0][2].endswith(b"open\r\n")

    asyncio.run(story())


def test_silence_is_not_waited_for():
    async def story():
        async with relay(on("BDAT", b"", times=1), connections=1, timeout=0.2) as (_, carrier):
            states = [one.state for one in await send(carrier, *(letter(n) for n in range(4)))]
            assert states == ["unknown"] * 2 + ["sent"] * 2


def test_a_slow_server_gets_one_at_a_time():
    """What is written cannot be taken back: a letter does not wait at the server behind seven others."""

    async def story():
        async with relay(connections=1) as (server, carrier):
            server.delay = 0.5
            outcomes = await send(carrier, *(letter(n) for n in range(5)))
            assert [one.state for one in outcomes] == ["sent"] * 5
            assert server.most_waiting <= 2
            assert server.waiting[-2:] == [0, 0]

    asyncio.run(story())


def test_a_bug_in_the_listener_is_not_swallowed():
    async def story():
        async with relay() as (_, carrier):
            with pytest.raises(ExceptionGroup):
                await carrier.send([letter(1)], lambda *_: 1 / 0)

    asyncio.run(story())
