"""The relay carrier against a real server that refuses, stalls, lies or hangs up wherever it is told to."""

import asyncio
import base64
import re
import shutil
import ssl
import subprocess
from collections import Counter
from contextlib import asynccontextmanager

import pytest
import uvloop
from aiosmtpd.smtp import SMTP

from gateway.carriers.common.protocol import Carrier, OutboundEmail
from gateway.carriers.smtp import relay as smtp_relay
from gateway.carriers.smtp.relay import SmtpRelay
from gateway.errors import SettingsError

CUT, WAIT = object(), object()
LOOPS = pytest.mark.parametrize("run", [asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])
MODES = pytest.mark.parametrize("pipelining", [True, False], ids=["pipelining", "lockstep"])
FULL = ["PIPELINING", "SIZE 1000000", "8BITMIME", "SMTPUTF8"]
CONTENT = b"From: kim@mail.example\r\nSubject: hello\r\n\r\n.a line\r\n..another\r\n.\r\nthe end\r\n"


@pytest.fixture(autouse=True)
def _short_back_off(monkeypatch):
    monkeypatch.setattr(smtp_relay, "BACK_OFF", 0.01)


def letter(number, content=CONTENT, recipient=None, envelope_from="b+token@mail.example"):
    return OutboundEmail(number, envelope_from, f"p{number}@corp.example" if recipient is None else recipient, content)


class Server:
    """Speaks SMTP by `script(verb, line)`: bytes to answer, CUT, WAIT, or None for the ordinary reply.

    The verbs are GREETING, EHLO, MAIL, RCPT, DATA, CONTENT (the whole of it is in), HALF (a kilobyte of it is in) …
    """

    def __init__(self, script=None, offers=FULL):
        self.script = script or (lambda verb, line: None)
        self.offers = offers
        self.connections = 0
        self.open = 0
        self.lines = []
        self.mails = []
        self.arrived = asyncio.Event()
        self.groups = []  # how many commands came in one read

    async def serve(self, reader, writer):
        self.connections += 1
        self.open += 1
        try:
            await self.talk(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the relay client may hang up at any point; the tests cut it on purpose
        finally:
            self.open -= 1
            writer.transport.abort()

    async def talk(self, reader, writer):
        going = await self.answer(writer, "GREETING", b"", b"220 sink\r\n")
        while going and (line := await reader.readline()):
            self.groups.append(reader._buffer.count(b"\n"))
            verb = line[:4].decode("latin-1").strip().upper()
            self.lines.append(line)
            going = await self.answer(writer, verb, line, self.ordinary(verb))
            if verb == "DATA" and going == b"354":
                going = await self.content(reader, writer)

    async def content(self, reader, writer):
        if self.script("HALF", b"") is CUT:
            await reader.readexactly(1024)
            return False
        lines = [b""]
        while lines[-1] != b".\r\n":
            lines.append(await reader.readuntil(b"\n"))
        data = b"".join(lines)
        self.mails.append(data)
        self.arrived.set()
        return await self.answer(writer, "CONTENT", data, b"250 2.0.0 Ok: queued as 4F8A1\r\n")

    async def answer(self, writer, verb, line, ordinary):
        reply = self.script(verb, line)
        reply = ordinary if reply is None else reply
        if reply is CUT:
            return False
        if reply is WAIT:
            await asyncio.sleep(60)
        writer.write(reply)
        await writer.drain()
        return reply[:3] if verb != "QUIT" else False

    def ordinary(self, verb):
        if verb == "EHLO":
            return b"".join(b"250-%b\r\n" % each.encode() for each in ["sink", *self.offers]) + b"250 HELP\r\n"
        return {"DATA": b"354 go\r\n", "QUIT": b"221 bye\r\n", "STAR": b"220 go\r\n"}.get(verb, b"250 2.1.0 ok\r\n")


@asynccontextmanager
async def relay(script=None, offers=FULL, scheme="smtp", login="", server_tls=None, **options):
    server = Server(script, offers)
    listener = await asyncio.start_server(server.serve, "127.0.0.1", 0, ssl=server_tls, limit=1 << 20)
    url = f"{scheme}://{login}127.0.0.1:{listener.sockets[0].getsockname()[1]}"
    carrier = SmtpRelay(url, "critter.example", **{"timeout": 5.0, "connections": 3, **options})
    try:
        yield server, carrier
    finally:
        await carrier.close()
        listener.close()


async def send(carrier, *batch):
    settled = {}

    def note(parcel, outcome):
        assert parcel.attempt not in settled
        settled[parcel.attempt] = outcome

    await asyncio.wait_for(carrier.send(batch, note), 20)
    assert sorted(settled) == sorted(each.attempt for each in batch)
    return [settled[each.attempt] for each in batch]


async def outcomes_of(script, *batch, **options):
    async with relay(script, **options) as (_, carrier):
        return await send(carrier, *(batch or [letter(1)]))


def on(verb, reply, match=b"", times=10**6):
    """A script: this reply to the first `times` such commands that contain `match`."""
    left = [times]

    def script(said, line):
        if said == verb and match in line and left[0] > 0:
            left[0] -= 1
            return reply
        return None

    return script


def offers(pipelining):
    return FULL if pipelining else FULL[1:]


def short(outcome):
    return outcome.state, outcome.reason


@LOOPS
@MODES
def test_letters_arrive_as_written(run, pipelining):
    async def story():
        async with relay(offers=offers(pipelining), connections=1) as (server, carrier):
            kind: Carrier[OutboundEmail] = carrier
            return await send(kind, *map(letter, range(5))), server

    outcomes, server = run(story())
    assert [(each.state, each.carrier_id, each.reason) for each in outcomes] == [("sent", "4F8A1", "")] * 5
    stuffed = CONTENT.replace(b"\r\n.", b"\r\n..") + b".\r\n"
    assert server.mails == [stuffed] * 5
    assert server.connections == 1
    said = [line.strip().decode() for line in server.lines]
    assert said[:4] == [
        "EHLO critter.example",
        f"MAIL FROM:<b+token@mail.example> SIZE={len(CONTENT)}",
        "RCPT TO:<p0@corp.example>",
        "DATA",
    ]
    assert [line for line in said if line.startswith("RCPT")] == [f"RCPT TO:<p{n}@corp.example>" for n in range(5)]
    assert (max(server.groups) > 1) is pipelining


def test_the_envelope_of_the_next_travels_with_the_content():
    async def story():
        async with relay(connections=1) as (server, carrier):
            await send(carrier, letter(1), letter(2))
        return server

    server = asyncio.run(story())
    assert [line[:4] for line in server.lines if line[:4] != b"QUIT"] == [b"EHLO", *[b"MAIL", b"RCPT", b"DATA"] * 2]
    assert server.groups[:7] == [0, 2, 1, 0, 2, 1, 0]


@pytest.mark.parametrize("command", ["MAIL", "RCPT", "DATA", "CONTENT"])
@pytest.mark.parametrize(
    ("reply", "state", "reason", "detail"),
    [
        (b"550 5.1.1 <p1@corp.example> who?\r\n", "failed", "550", " 5.1.1"),
        (b"452-4.2.2 full\r\n452 4.2.2 p1@corp.example\r\n", "retry", "452", " 4.2.2"),
        (b"554 no\r\n", "failed", "554", ""),
    ],
)
@MODES
def test_one_refused_letter_leaves_the_others(pipelining, command, reply, state, reason, detail):
    async def story():
        turn = {"RCPT": on("RCPT", reply, b"p1@"), "MAIL": on("MAIL", reply, b"bad"), "DATA": None, "CONTENT": None}
        content = CONTENT.replace(b"hello", b"bad")
        script = turn[command] or on(command, reply, b"", times=1)
        batch = [letter(1, content, envelope_from="bad@mail.example"), *map(letter, (2, 3))]
        async with relay(script, offers(pipelining), connections=1) as (server, carrier):
            return await send(carrier, *batch), server

    outcomes, server = asyncio.run(story())
    assert [short(each) for each in outcomes] == [(state, reason), ("sent", ""), ("sent", "")]
    assert outcomes[0].detail == command.replace("CONTENT", "content") + detail
    assert outcomes[0].pause is False
    assert server.connections == 1
    assert sum(mail != b".\r\n" and b"hello" in mail for mail in server.mails) == 2


def test_a_refused_recipient_whose_data_is_wanted_all_the_same():
    """A lone dot goes there, and never somebody else's content."""

    async def story():
        async with relay(on("RCPT", b"550 no\r\n", b"p1@"), connections=1) as (server, carrier):
            return await send(carrier, *map(letter, range(3))), server

    outcomes, server = asyncio.run(story())
    assert [short(each) for each in outcomes] == [("sent", ""), ("failed", "550"), ("sent", "")]
    assert Counter(mail == b".\r\n" for mail in server.mails) == {False: 2, True: 1}


def test_a_refused_recipient_and_no_data():
    def script(verb, line):
        if verb == "RCPT" and b"p1@" in line:
            script.refused = True
            return b"550 no\r\n"
        if verb == "DATA" and script.refused:
            script.refused = False
            return b"503 no recipients\r\n"
        return None

    script.refused = False

    async def story():
        async with relay(script, connections=1) as (server, carrier):
            return await send(carrier, *map(letter, range(3))), server

    outcomes, server = asyncio.run(story())
    assert [short(each) for each in outcomes] == [("sent", ""), ("failed", "550"), ("sent", "")]
    assert len(server.mails) == 2
    assert b"RSET\r\n" in server.lines


def test_every_letter_refused():
    outcomes = asyncio.run(outcomes_of(on("RCPT", b"550 no\r\n"), *map(letter, range(30))))
    assert {short(each) for each in outcomes} == {("failed", "550")}


CUTS = [
    ("GREETING", "retry", "cut"),
    ("EHLO", "retry", "cut"),
    ("MAIL", "retry", "cut"),
    ("RCPT", "retry", "cut"),
    ("DATA", "retry", "cut"),
    ("HALF", "retry", "cut"),
    ("CONTENT", "unknown", "cut"),
]
LONG = CONTENT + b"x" * 70 + b"\r\n"
LONG += (b"y" * 70 + b"\r\n") * 120_000


@LOOPS
@MODES
@pytest.mark.parametrize(("place", "state", "reason"), CUTS)
def test_a_connection_that_ends_there(run, pipelining, place, state, reason):
    content = LONG if place == "HALF" else CONTENT
    outcomes = run(outcomes_of(on(place, CUT), letter(1, content), offers=offers(pipelining)))
    assert [short(each) for each in outcomes] == [(state, reason)]


@pytest.mark.parametrize("place", ["EHLO", "MAIL", "RCPT", "DATA", "CONTENT"])
@MODES
def test_after_one_cut_the_rest_goes_over_a_new_connection(pipelining, place):
    async def story():
        async with relay(on(place, CUT, times=1), offers(pipelining), connections=1) as (server, carrier):
            return await send(carrier, *map(letter, range(4))), server

    outcomes, server = asyncio.run(story())
    states = Counter(each.state for each in outcomes)
    assert server.connections == 2
    assert states["sent"] >= 2
    assert states["unknown"] == (place == "CONTENT")
    assert states["failed"] == 0
    arrived = Counter(re.findall(rb"hello", b"".join(server.mails)))[b"hello"]
    assert arrived == states["sent"] + states["unknown"]


def test_the_letter_behind_an_unanswered_content_is_not_unknown():
    outcomes = asyncio.run(outcomes_of(on("CONTENT", CUT), letter(1), letter(2), connections=1))
    assert sorted(short(each) for each in outcomes) == [("retry", "cut"), ("unknown", "cut")]


@MODES
@pytest.mark.parametrize("place", ["GREETING", "EHLO", "MAIL", "RCPT", "DATA", "CONTENT"])
def test_421_means_not_taken(pipelining, place):
    outcomes = asyncio.run(
        outcomes_of(on(place, b"421 4.3.2 closing\r\n"), *map(letter, range(3)), offers=offers(pipelining))
    )
    assert {short(each) for each in outcomes} == {("retry", "421")}


@MODES
@pytest.mark.parametrize("place", ["GREETING", "EHLO", "MAIL", "RCPT", "DATA", "CONTENT"])
def test_silence_is_not_waited_for(pipelining, place):
    outcomes = asyncio.run(outcomes_of(on(place, WAIT), offers=offers(pipelining), timeout=0.15))
    assert [short(each) for each in outcomes] == [("unknown" if place == "CONTENT" else "retry", "timeout")]


@pytest.mark.parametrize("place", ["GREETING", "EHLO", "MAIL", "RCPT", "DATA", "CONTENT"])
@pytest.mark.parametrize(
    "nonsense",
    [
        b"hello\r\n",
        b"\r\n",
        b"25\r\n",
        b"999 what\r\n",
        b"199 what\r\n",
        b"2" * 70_000,
        b"250-x\r\n" * 10_000,
        b"\0\xff\r\n",
    ],
)
def test_nonsense_ends_the_connection(place, nonsense):
    [outcome] = asyncio.run(outcomes_of(on(place, nonsense), timeout=0.5))
    assert outcome.state == ("unknown" if place == "CONTENT" else "retry")
    # a long piece of nonsense may run into the next reply of the group, and be noticed a reply later
    assert outcome.reason == "protocol" or (len(nonsense) > 9999 and outcome.reason in ("354", "timeout"))


@pytest.mark.parametrize(
    ("place", "reply", "state", "reason"),
    [
        ("DATA", b"250 ok\r\n", "retry", "protocol"),
        ("MAIL", b"354 go\r\n", "retry", "354"),
        ("CONTENT", b"354 go\r\n", "unknown", "protocol"),
        ("MAIL", b"503 bad sequence\r\n", "retry", "503"),
        ("GREETING", b"554 go away\r\n", "retry", "554"),
    ],
)
def test_a_reply_that_cannot_be_meant(place, reply, state, reason):
    assert [short(each) for each in asyncio.run(outcomes_of(on(place, reply)))] == [(state, reason)]


def test_a_dripping_reply_does_not_outlive_the_timeout():
    async def story():
        async def drip(reader, writer):
            while True:
                writer.write(b"220-x\r\n")
                await asyncio.sleep(0.03)

        listener = await asyncio.start_server(drip, "127.0.0.1", 0)
        url = f"smtp://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
        outcomes = await send(SmtpRelay(url, "critter.example", timeout=0.3), letter(1))
        listener.close()
        return outcomes

    assert [short(each) for each in asyncio.run(story())] == [("retry", "timeout")]


async def elsewhere(url, **options):
    return await send(SmtpRelay(url, "critter.example", timeout=5.0, **options), *map(letter, range(20)))


@LOOPS
@pytest.mark.parametrize(
    ("url", "reason"), [("smtp://127.0.0.1:1", "refused"), ("smtp://relay.critter.invalid:25", "dns")]
)
def test_no_relay_there(run, url, reason):
    outcomes = run(elsewhere(url))
    assert {(each.state, each.reason, each.pause) for each in outcomes} == {("retry", reason, False)}


@pytest.mark.parametrize("url", ["", "http://relay.example", "smtp", "smtp://relay.example:port", "smtp://u:pw-x@[::1"])
def test_a_url_that_is_none(url):
    with pytest.raises(SettingsError) as problem:
        SmtpRelay(url, "critter.example")
    assert "pw-x" not in str(problem.value)


def test_unsendable_letters_never_reach_the_wire():
    bad = [
        letter(1, b"a\nb\r\n"),
        letter(2, b"a\rb\r\n"),
        letter(3, b"a\0b\r\n"),
        letter(4, b"a\r\n" + b"x" * 999 + b"\r\n"),
        letter(5, recipient="p@corp.example>\r\nDATA"),
        letter(6, recipient="two@corp.example> <three@corp.example"),
        letter(7, recipient=""),
        letter(8, envelope_from="a\nb@mail.example"),
        letter(9, recipient="x" * 250 + "@corp.example"),
    ]
    script = on("NONE", b"")

    async def story():
        async with relay(script, connections=1) as (server, carrier):
            return await send(carrier, *bad, letter(10)), server

    outcomes, server = asyncio.run(story())
    assert [short(each) for each in outcomes] == [("failed", "content")] * 4 + [("failed", "address")] * 5 + [
        ("sent", "")
    ]
    assert len(server.mails) == 1


def test_what_the_server_offers_decides_the_parameters():
    async def mails(extensions, *batch):
        async with relay(offers=extensions, connections=1) as (server, carrier):
            outcomes = await send(carrier, *batch)
        return [line for line in server.lines if line.startswith(b"MAIL")], [short(each) for each in outcomes]

    eight, wide = letter(1, "Größe\r\n".encode()), letter(2, b"x\r\n", recipient="kim@bücher.example")
    null = letter(3, b"x\r\n", envelope_from="")
    lines, outcomes = asyncio.run(mails(FULL, eight, wide, null))
    assert lines == [
        b"MAIL FROM:<b+token@mail.example> SIZE=9 BODY=8BITMIME\r\n",
        b"MAIL FROM:<b+token@mail.example> SIZE=3 SMTPUTF8\r\n",
        b"MAIL FROM:<> SIZE=3\r\n",
    ]
    lines, outcomes = asyncio.run(mails([], eight, wide, null))
    assert lines == [b"MAIL FROM:<b+token@mail.example>\r\n", b"MAIL FROM:<>\r\n"]
    assert outcomes == [("sent", ""), ("failed", "smtputf8"), ("sent", "")]


def test_a_server_of_before_ehlo():
    async def story():
        async with relay(on("EHLO", b"502 what?\r\n"), connections=1) as (server, carrier):
            return await send(carrier, letter(1), letter(2)), server

    outcomes, server = asyncio.run(story())
    assert [each.state for each in outcomes] == ["sent", "sent"]
    assert server.lines[1] == b"HELO critter.example\r\n"


LOGIN = "kim%40corp.example:p%3Ass@"


def authenticated(verb, line):
    if verb == "AUTH" and line.startswith(b"AUTH PLAIN"):
        return b"235 ok\r\n" if base64.b64decode(line[11:]) == b"\0kim@corp.example\0p:ss" else b"535 no\r\n"
    steps = {b"AUTH LOGIN\r\n": b"334 VXNlcm5hbWU6\r\n", b"a2ltQGNvcnAuZXhhbXBsZQ==\r\n": b"334 UGFzc3dvcmQ6\r\n"}
    return b"235 ok\r\n" if line == b"cDpzcw==\r\n" else steps.get(line)


@pytest.mark.parametrize("mechanisms", ["AUTH PLAIN LOGIN", "AUTH LOGIN", "AUTH=LOGIN PLAIN"])
def test_a_login(mechanisms):
    outcomes = asyncio.run(outcomes_of(authenticated, letter(1), login=LOGIN, offers=[*FULL, mechanisms]))
    assert [short(each) for each in outcomes] == [("sent", "")]


@pytest.mark.parametrize(
    ("reply", "mechanisms", "reason", "pause"),
    [
        (b"535 5.7.8 wrong\r\n", "AUTH PLAIN", "535", True),
        (b"534 too weak\r\n", "AUTH LOGIN", "534", True),
        (b"454 later\r\n", "AUTH PLAIN", "454", False),
        (b"250 ok\r\n", "AUTH CRAM-MD5", "auth", True),
        (CUT, "AUTH PLAIN", "cut", False),
    ],
)
def test_a_login_that_is_not_taken_pauses_the_carrier(reply, mechanisms, reason, pause):
    async def story():
        async with relay(on("AUTH", reply), login=LOGIN, offers=[*FULL, mechanisms], connections=2) as (
            server,
            carrier,
        ):
            return await send(carrier, *map(letter, range(40))), server

    outcomes, server = asyncio.run(story())
    assert {(each.state, each.reason, each.pause) for each in outcomes} == {("retry", reason, pause)}
    assert server.connections <= (2 if pause else 6)


@MODES
def test_530_to_a_letter_pauses_the_carrier(pipelining):
    script = on("MAIL", b"530 5.7.0 log in first\r\n")
    outcomes = asyncio.run(outcomes_of(script, *map(letter, range(40)), offers=offers(pipelining)))
    assert {(each.state, each.reason) for each in outcomes} <= {("retry", "530")}
    assert all(each.pause for each in outcomes[:1])
    assert sum(each.pause for each in outcomes) >= 30


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    if not shutil.which("openssl"):
        pytest.skip("needs the openssl command")
    folder = tmp_path_factory.mktemp("tls")
    command = (
        "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1"
    )
    subprocess.run([*command.split(), "-keyout", "key", "-out", "cert"], cwd=folder, check=True, capture_output=True)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(folder / "cert", folder / "key")
    return server, ssl.create_default_context(cafile=folder / "cert")


@LOOPS
def test_smtps(run, certificate):
    server_tls, trusting = certificate
    options = {"scheme": "smtps", "server_tls": server_tls}
    batch = [*map(letter, range(30)), letter(99, LONG[:400_000].rpartition(b"\r\n")[0] + b"\r\n")]
    assert {short(each) for each in run(outcomes_of(None, *batch, context=trusting, **options))} == {("sent", "")}
    assert {short(each) for each in run(outcomes_of(None, letter(1), **options))} == {("retry", "tls")}


class Box:
    """What aiosmtpd, the independent peer, has taken."""

    def __init__(self):
        self.mails = []

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        self.mails.append((envelope.mail_from, envelope.rcpt_tos, envelope.original_content))
        return "250 OK id=1rAbC-xyz"


@asynccontextmanager
async def aiosmtpd(scheme="smtp", context=None, **options):
    box = Box()
    loop = asyncio.get_running_loop()
    listener = await loop.create_server(lambda: SMTP(box, **options), "127.0.0.1", 0)
    url = f"{scheme}://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
    carrier = SmtpRelay(url, "critter.example", timeout=5.0, connections=3, context=context)
    yield box, carrier
    await carrier.close()
    listener.close()
    await asyncio.sleep(0.05)


@LOOPS
def test_starttls_with_aiosmtpd(run, certificate):
    server_tls, trusting = certificate

    async def story(context):
        options = {"tls_context": server_tls, "require_starttls": True}
        async with aiosmtpd("smtp+starttls", context, **options) as (box, carrier):
            return await send(carrier, *map(letter, range(20))), box

    outcomes, box = run(story(trusting))
    assert {(each.state, each.carrier_id) for each in outcomes} == {("sent", "1rAbC-xyz")}
    assert sorted(box.mails) == sorted(("b+token@mail.example", [f"p{n}@corp.example"], CONTENT) for n in range(20))
    outcomes, box = run(story(None))
    assert {short(each) for each in outcomes} == {("retry", "tls")}
    assert not box.mails


def test_no_starttls_no_mail():
    outcomes = asyncio.run(outcomes_of(None, letter(1), scheme="smtp+starttls"))
    assert [(each.state, each.reason, each.pause) for each in outcomes] == [("retry", "tls", True)]


def test_what_follows_starttls_in_clear_is_dropped():
    """A reply slipped in before TLS must not answer a command said under TLS."""
    script = on("STAR", b"220 go\r\n250-sink\r\n250 AUTH PLAIN\r\n")
    outcomes = asyncio.run(outcomes_of(script, letter(1), scheme="smtp+starttls", offers=[*FULL, "STARTTLS"]))
    assert short(outcomes[0])[0] == "retry"


@LOOPS
def test_aiosmtpd_takes_what_we_send(run):
    async def story():
        async with aiosmtpd() as (box, carrier):
            batch = [letter(n, CONTENT.replace(b"hello", b"%d" % n)) for n in range(60)]
            return await send(carrier, *batch), box

    outcomes, box = run(story())
    assert {each.state for each in outcomes} == {"sent"}
    expected = [(f"p{n}@corp.example", CONTENT.replace(b"hello", b"%d" % n)) for n in range(60)]
    assert sorted((rcpt[0], content) for _, rcpt, content in box.mails) == sorted(expected)


@LOOPS
def test_connections_are_kept_between_batches(run):
    async def story():
        async with relay(connections=2) as (server, carrier):
            for n in range(5):
                assert {each.state for each in await send(carrier, *map(letter, range(n, n + 20)))} == {"sent"}
            return server

    server = run(story())
    assert server.connections == 2
    assert len(server.mails) == 100


def test_a_few_letters_take_few_connections():
    async def story():
        async with relay(connections=10) as (server, carrier):
            await send(carrier, *map(letter, range(9)))
            return server.connections

    assert asyncio.run(story()) == 2


def test_a_kept_connection_that_has_ended_costs_no_letter():
    """The server hangs up between batches, before or just as the next one begins."""
    turn = []

    def script(verb, line):
        if verb == "MAIL":
            turn.append(1)
            return [None, CUT, None, b"421 idle too long\r\n", None][len(turn) - 1]
        return None

    async def story():
        async with relay(script, connections=1) as (server, carrier):
            return [(await send(carrier, letter(n)))[0].state for n in range(3)], server.connections

    assert asyncio.run(story()) == (["sent"] * 3, 3)


def test_idle_connections_are_closed():
    async def story():
        async with relay(connections=1, idle=0.05) as (server, carrier):
            await send(carrier, letter(1))
            await asyncio.sleep(0.3)
            seen = server.open, server.lines[-1]
            outcomes = await send(carrier, letter(2))
            return seen, server.connections, outcomes[0].state

    assert asyncio.run(story()) == ((0, b"QUIT\r\n"), 2, "sent")


def test_a_connection_carries_so_many_and_no_more():
    async def story():
        async with relay(connections=1, per_connection=7) as (server, carrier):
            outcomes = await send(carrier, *map(letter, range(20)))
            return server, outcomes

    server, outcomes = asyncio.run(story())
    assert {each.state for each in outcomes} == {"sent"}
    assert server.connections == 3


@MODES
def test_a_server_that_takes_one_mail_a_connection(pipelining):
    def script(verb, line):
        return b"250 ok\r\n" if verb == "CONTENT" else None

    class OneShot(Server):
        async def content(self, reader, writer):
            await super().content(reader, writer)
            return False

    async def story():
        server = OneShot(script, offers(pipelining))
        listener = await asyncio.start_server(server.serve, "127.0.0.1", 0)
        url = f"smtp://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
        outcomes = await send(SmtpRelay(url, "critter.example", connections=1), *map(letter, range(6)))
        listener.close()
        return Counter(each.state for each in outcomes), len(server.mails)

    states, arrived = asyncio.run(story())
    assert states["sent"] == arrived >= 3
    assert states["sent"] + states["retry"] == 6


def test_cancelled_in_the_middle():
    async def story():
        settled = {}
        async with relay(on("CONTENT", WAIT), connections=1) as (server, carrier):
            batch = [letter(1), letter(2), letter(3)]
            work = asyncio.create_task(carrier.send(batch, lambda parcel, out: settled.update({parcel.attempt: out})))
            await asyncio.wait_for(server.arrived.wait(), 5)
            work.cancel()
            with pytest.raises(asyncio.CancelledError):
                await work
        return {number: short(outcome) for number, outcome in settled.items()}

    assert asyncio.run(story()) == {1: ("unknown", "cancelled"), 2: ("retry", "cancelled")}


def test_a_bug_in_the_listener_is_not_swallowed():
    def broken(parcel, outcome):
        raise KeyError(parcel.attempt)

    async def story():
        async with relay() as (_, carrier):
            await carrier.send([letter(1)], broken)

    with pytest.raises(ExceptionGroup) as problem:
        asyncio.run(story())
    assert problem.group_contains(KeyError)


def test_nothing_private_is_told():
    scripts = [
        on("RCPT", b"550 5.1.1 <p1@corp.example> unknown\r\n"),
        on("AUTH", b"535 kim@corp.example\r\n"),
        on("MAIL", CUT),
    ]
    for script in scripts:
        told = repr(asyncio.run(outcomes_of(script, login=LOGIN, offers=[*FULL, "AUTH PLAIN"])))
        assert "corp.example" not in told
        assert "p:ss" not in told


def test_an_empty_batch():
    assert asyncio.run(outcomes_empty()) == []


async def outcomes_empty():
    return await send(SmtpRelay("smtp://127.0.0.1:1", "critter.example"))
