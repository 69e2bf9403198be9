"""The mail listener against callers who do not play by the rules: it keeps to its limits and serves the others."""

import random
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine
from sqlalchemy import text as sql

from gateway.doors.smtp.connection_limits import ConnectionLimits
from gateway.doors.smtp.data_reader import DataReader
from gateway.mail.auth import trace_headers
from gateway.store.database import claim_mode, transaction
from tests.support.mail_process import LETTER, Client, opened

MIB = 1024 * 1024


@pytest.fixture
def installed(engine: Engine) -> None:
    with transaction(engine) as session:
        claim_mode(session, "simulated")


def stored(engine: Engine) -> list[bytes]:
    with engine.connect() as connection:
        raws = connection.execute(sql("SELECT raw FROM inbound ORDER BY id")).scalars()
        return [trace_headers.read(bytes(raw)).mail for raw in raws]


def in_data(client: Client) -> None:
    client.say("MAIL FROM:<kim@corp.example>")
    client.say("RCPT TO:<post@mail.example>")
    assert client.say("DATA").startswith("354")


# What a mail is


SMUGGLED = b"MAIL FROM:<eve@evil.example>\r\nRCPT TO:<post@mail.example>\r\nDATA\r\n"
SMUGGLED += b"From: eve@evil.example\r\n\r\nsmuggled\r\n.\r\n"
LINE_ENDS = [b"\n", b"\r", b"\r\n", b"\n\r", b"\r\r\n", b"\n\n", b"\r\n\x00"]
FALSE_ENDS = [a + b"." + b for a in LINE_ENDS for b in LINE_ENDS if b"\r\n.\r\n" not in a + b"." + b]


def test_no_false_end_of_a_mail_smuggles_a_second_one(settings, engine, installed):
    with opened(settings):
        for end in FALSE_ENDS:
            with Client(settings.smtp_listen) as client:
                in_data(client)
                client.send(LETTER + b"first" + end + SMUGGLED)
                client.send(b"QUIT\r\n")
                said = client.reply()
                clean = not set(b"\r\n") & set(end.replace(b"\r\n", b""))  # but for the NUL
                assert said.startswith("250" if clean else "550 5.6.11"), end
                assert client.reply().startswith("221"), end
    mails = stored(engine)
    assert mails
    assert not [raw for raw in mails if b"\x00" not in raw]


def test_what_is_pipelined_behind_a_mail_is_the_next_mail(settings, engine, installed):
    one = b"MAIL FROM:<kim@corp.example>\r\nRCPT TO:<post@mail.example>\r\nDATA\r\n"
    with opened(settings), Client(settings.smtp_listen) as client:
        client.send((one + LETTER + b"..dot\r\n.\r\n" + one + LETTER + b".\r\n") * 2 + b"QUIT\r\n")
        said = [client.reply()[:3] for _ in range(17)]
    assert said == ["250", "250", "354", "250"] * 4 + ["221"]
    assert stored(engine) == [LETTER + b".dot\r\n", LETTER]


DIALOGUE = (
    b"EHLO relay.example\r\nDATA\r\nMAIL FROM:<kim@corp.example> SIZE=90\r\nRCPT TO:<post@mail.example>\r\n"
    b"rcpt to:<nobody@mail.example>\r\nRCPT TO:<help@mail.example> NOTIFY=NEVER\r\nMAIL FROM:<kim@corp.example>\r\n"
    b"DATA\r\n" + LETTER + b"..\r\n.\r\n"
    b"NOOP\r\nMAIL FROM:<>\r\nRSET\r\nmail from: <kim@corp.example> BODY=8BITMIME\r\nRCPT TO:<post@mail.example>\r\n"
    b"DATA\r\n" + LETTER + b"bare\nline\r\n.\r\nHURRY\r\nMAIL FROM:<a@b.example> SIZE=99999999\r\nQUIT\r\n"
)
SAID = "250 503 250 250 550 555 503 354 250 250 250 250 250 250 354 550 500 552 221"


@pytest.mark.parametrize("seed", [None, *range(8)])
def test_a_dialogue_is_the_same_however_it_is_cut(settings, engine, installed, seed):
    """Whatever comes together or in pieces, plain commands and others are answered alike and in order."""
    cuts = random.Random(seed)
    with opened(settings), Client(settings.smtp_listen) as client:
        client.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        at = 0
        while at < len(DIALOGUE):
            size = len(DIALOGUE) if seed is None else cuts.randint(1, 60)
            client.send(DIALOGUE[at : at + size])
            at += size
            time.sleep(0 if seed is None else 0.002)
        said = [client.reply()[:3] for _ in SAID.split()]
    assert " ".join(said) == SAID
    assert stored(engine) == [LETTER + b".\r\n"]


def test_who_has_said_all_still_hears_that_the_mail_is_stored(settings, engine, installed):
    with opened(settings), Client(settings.smtp_listen) as client:
        in_data(client)
        client.send(LETTER + b".\r\n")
        client.socket.shutdown(socket.SHUT_WR)
        assert (client.reply()[:3], client.reply()) == ("250", "")
    assert stored(engine) == [LETTER]


def test_talking_before_the_banner_and_starttls_in_the_clear(settings, installed):
    with opened(settings), Client(settings.smtp_listen, greet=False) as client:
        client.send(b"EHLO early.example\r\nSTARTTLS\r\nAUTH PLAIN AGFiYwBkZWY=\r\nMAIL FROM:<a@b.example>\r\n")
        banner, hello, tls, auth, mail = [client.reply() for _ in range(5)]
    assert banner == "220 mail.example ESMTP"
    assert {"250-PIPELINING", "250-8BITMIME", "250-SMTPUTF8", "250-SIZE 10485760"} < set(hello.split("\n"))
    assert "STARTTLS" not in hello
    assert "AUTH" not in hello
    assert (tls[:3], auth[:3], mail[:3]) == ("454", "538", "250")


@given(
    st.lists(st.sampled_from([b"a", b".", b"..", b"\r\n", b"\r", b"\n", b"\r\n.\r\n", b"x" * 998, b"y" * 1001])),
    st.integers(0, 2**32),
)
def test_a_mail_is_the_same_however_it_is_cut(parts: list[bytes], seed: int):
    data = b"".join(parts) + b"\r\n.\r\nREST"
    assert cut(data, random.Random(seed)) == cut(data, None)


def cut(data: bytes, cuts: random.Random | None) -> tuple[str | None, bytes | None, bytes]:
    content, at, rest = DataReader(5000), 0, None
    while rest is None:
        size = cuts.randint(1, 9) if cuts else len(data)
        rest = content.feed(data[at : at + size])
        at += size
    fault = content.fault and content.fault[:3]
    return fault, None if fault else content.octets(), rest + data[at:]


@pytest.mark.parametrize(("line", "code"), [(998, "250"), (999, "500"), (5000, "500"), (100_000, "500")])
def test_lines_of_a_thousand_octets_and_no_more(settings, installed, line, code):
    with opened(settings), Client(settings.smtp_listen) as client:
        assert client.mail(LETTER + b"." * (line + 1) + b"\r\n" + b"x" * line + b"\r\n")[:3] == code
        assert client.mail()[:3] == "250"


def test_a_mail_may_be_as_large_as_announced_and_no_larger(settings, engine, installed):
    body = LETTER + b"x" * 70 + b"\r\n"
    with opened(settings, ConnectionLimits(message=len(body))), Client(settings.smtp_listen) as client:
        assert client.mail(body).startswith("250")
        assert client.mail(body + b"\r\n").startswith("552")
        assert client.say(f"MAIL FROM:<kim@corp.example> SIZE={len(body) + 1}").startswith("552")
    assert stored(engine) == [body]


# What a connection may cost


def test_large_mails_share_their_room(settings, engine, installed):
    """Who finds none is asked to come again; small mails always find some."""
    large = LETTER + b"a line\r\n" * 20_000  # 160 kB
    with opened(settings, ConnectionLimits(together=250_000)), ExitStack() as held:
        one, other, small = [held.enter_context(Client(settings.smtp_listen)) for _ in range(3)]
        in_data(one)
        one.send(large)
        assert within(5, lambda: other.mail(large).startswith("452 4.3.1"))
        assert small.mail().startswith("250")
        one.send(b"1\r\n.\r\n")
        assert one.reply().startswith("250")
        assert other.mail(large + b"2\r\n").startswith("250")
        in_data(one)
        one.send(large)
        one.close()  # what it held is free again
        assert within(5, lambda: other.mail(large + b"3\r\n").startswith("250"))
    assert [raw[-3:] for raw in stored(engine)][-4:] == [b"o\r\n", b"1\r\n", b"2\r\n", b"3\r\n"]


@pytest.mark.parametrize(
    "command", ["NOOP", "RSET", "VRFY a", "EHLO a.example", "MAIL FROM:<a@b.example>", "HELP", "XYZ", ""]
)
def test_no_command_can_be_repeated_for_ever(settings, installed, command):
    with opened(settings), Client(settings.smtp_listen) as client:
        client.send(f"{command}\r\n".encode() * 1000)
        replies = []
        while reply := client.reply():
            replies.append(reply)
    assert replies[-1].startswith("421")
    assert len(replies) <= 21


def test_a_mail_gives_the_commands_back(settings, installed):
    with opened(settings), Client(settings.smtp_listen) as client:
        for _ in range(3):
            assert {client.say("NOOP")[:3] for _ in range(15)} == {"250"}
            assert client.mail().startswith("250")


def test_silence_and_slowness_end(settings, installed):
    with opened(settings, ConnectionLimits(command=0.4, connection=1.5)):
        begin = time.monotonic()
        with (
            Client(settings.smtp_listen) as silent,
            Client(settings.smtp_listen) as loris,
            Client(settings.smtp_listen) as busy,
        ):
            drip = threading.Thread(target=dripping, args=(loris,), daemon=True)
            drip.start()
            assert silent.reply().startswith("421 4.4.2")
            assert loris.reply().startswith("421 4.4.2")
            assert time.monotonic() - begin < 2
            busy.close()
        with Client(settings.smtp_listen) as busy:
            begin = time.monotonic()
            with suppress(AssertionError):  # it may be told so in the middle of a mail
                while time.monotonic() - begin < 5 and busy.mail().startswith("250"):
                    time.sleep(0.1)
            assert 1 < time.monotonic() - begin < 4


def dripping(client: Client) -> None:
    """A command of which one letter comes now and then is no command."""
    with suppress(OSError):
        for letter in b"NOOP" * 20:
            client.send(bytes([letter]))
            time.sleep(0.1)


def test_one_address_has_twenty_places(settings, installed):
    with opened(settings), ExitStack() as held:
        crowd = [held.enter_context(Client(settings.smtp_listen, greet=False)) for _ in range(25)]
        assert [client.reply()[:3] for client in crowd].count("220") == 20


def test_a_full_house_gives_the_place_of_a_silent_one_away(settings, installed):
    with opened(settings, ConnectionLimits(connections=3)), ExitStack() as held:
        crowd = [held.enter_context(Client(settings.smtp_listen, greet=False)) for _ in range(3)]
        assert [client.reply()[:3] for client in crowd] == ["220"] * 3
        assert within(5, lambda: taken(settings))
        assert "421 4.3.2" in "".join(client.reply() for client in crowd[:1])


def taken(settings) -> bool:
    try:
        with Client(settings.smtp_listen) as client:
            return client.mail().startswith("250")
    except (OSError, AssertionError):
        return False


def within(seconds: float, act) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if act():
            return True
        time.sleep(0.05)
    return False


def test_a_session_cut_at_any_octet_leaves_all_or_nothing(settings, engine, installed):
    """Every octet of a session: a whole mail or none, no slot kept, no trouble for the next one."""
    session = (
        b"EHLO a.example\r\nMAIL FROM:<kim@corp.example>\r\nRCPT TO:<post@mail.example>\r\nDATA\r\n"
        + LETTER
        + b".\r\nQUIT\r\n"
    )

    def cut_at(octets: int) -> None:
        with suppress(OSError), socket.create_connection(settings.smtp_listen, 5) as caller:
            caller.sendall(session[:octets])
            if octets % 2:
                caller.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # ends with a reset

    with opened(settings, ConnectionLimits(per_peer=1000)) as running, ThreadPoolExecutor(8) as crowd:
        list(crowd.map(cut_at, range(0, len(session), 2)))
        list(crowd.map(cut_at, range(1, len(session), 7)))
        assert within(3, lambda: taken(settings))
        assert running.thread.is_alive()
    assert stored(engine) == [LETTER]


def test_no_stream_of_words_is_a_fault_of_ours(settings, installed, caplog):
    """Random words: always an answer or the end, never 4xx for what they sent, never an exception in the log."""
    words = [
        b"MAIL FROM:",
        b"RCPT TO:",
        b"<",
        b">",
        b"EHLO x",
        b"HELO",
        b"\r\n",
        b"\r\n",
        b"\n",
        b"\0",
        b"\xff",
        b" ",
        b"@",
    ]
    words += [
        b'"',
        b"(",
        b"\\",
        b" SIZE=",
        b" BODY=",
        b"post@mail.example",
        b"a",
        b"VRFY ",
        b"HELP ",
        b"AUTH ",
        b"PLAIN",
        b"[",
        b":",
        b",",
        b";",
    ]
    dice = random.Random(20)
    with opened(settings, ConnectionLimits(per_peer=1000, command=3)):
        for _ in range(150):
            stream = b"".join(dice.choice(words) for _ in range(40))
            with Client(settings.smtp_listen) as client:
                client.send(stream + b"\r\nQUIT\r\n")
                replies = []
                while reply := client.reply():
                    replies.append(reply)
                assert replies, stream
                assert not [
                    reply for reply in replies if reply[0] == "4" and reply[:3] != "421" and reply[:3] != "454"
                ], stream
    assert "Traceback" not in caplog.text


def test_the_greeting_tells_no_version(settings, installed):
    with opened(settings), Client(settings.smtp_listen) as client:
        assert client.greeting == "220 mail.example ESMTP"
        assert "aiosmtpd" not in client.say("HELP").lower()
