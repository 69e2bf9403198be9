"""The mail door in front of the real PostgreSQL: who may be written to, what a mail must be, and when it is 250."""

import os
import signal
import smtplib
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine
from sqlalchemy import text as sql

from gateway.doors.smtp.connection_limits import ConnectionLimits
from gateway.doors.smtp.server import BY_TOKEN
from gateway.mail.auth import trace_headers
from gateway.network.people import accounts
from gateway.security.signed_tokens import Signer
from gateway.settings.embedded import socket_folder
from gateway.store.database import claim_mode, transaction
from tests.support.database_proxy import DatabaseProxy
from tests.support.mail_process import LETTER, Client, opened
from tests.support.web_process import changed, process


@pytest.fixture(autouse=True)
def installed(engine: Engine) -> None:
    with transaction(engine) as session:
        claim_mode(session, "simulated")
        accounts.create_person(session, "kim", "Kim Lee")
        accounts.create_group(session, "sales", "Sales", "open", None)
        gone = accounts.create_person(session, "gone", "Gone Girl")
        accounts.deactivate(session, gone.id)


def rows(engine: Engine, query: str = "SELECT * FROM inbound ORDER BY id") -> list:
    with engine.connect() as connection:
        return list(connection.execute(sql(query)))


def test_each_recipient_is_judged_by_itself(settings, engine):
    signer = Signer(settings.secret_keys)
    token = {kind: signer.sign(kind, 5, 6) for kind in ("reply", "unsubscribe", "bounce", "page")}
    other = Signer(("another secret",)).sign("reply", 5, 6)
    judged = {
        "post@mail.example": "250",
        "Post@MAIL.example": "250",
        "sales@mail.example": "250",
        "KIM@mail.example": "250",
        "help@mail.example": "250",
        "postmaster@mail.example": "250",
        "Postmaster": "250",
        "abuse@mail.example": "250",
        f"r+{token['reply']}@mail.example": "250",
        f"R+{token['reply'].upper()}@mail.example": "250",
        f"u+{token['unsubscribe']}@mail.example": "250",
        f"b+{token['bounce']}@mail.example": "250",
        f"b+{token['reply']}@mail.example": "550 5.1.1",
        f"r+{token['page']}@mail.example": "550 5.1.1",
        f"r+{other}@mail.example": "550 5.1.1",
        f"r+{token['reply'][:-1]}@mail.example": "550 5.1.1",
        "r@mail.example": "550 5.1.1",
        "r+@mail.example": "550 5.1.1",
        "kim+x@mail.example": "550 5.1.1",
        "gone@mail.example": "550 5.1.1",
        "nobody@mail.example": "550 5.1.1",
        "k@mail.example": "550 5.1.1",
        '"kim lee"@mail.example': "550 5.1.1",
        "kim'--@mail.example": "550 5.1.1",
        "köm@mail.example": "550 5.1.1",
        "kim@elsewhere.example": "550 5.7.1",
        "kim@sub.mail.example": "550 5.7.1",
        "kim%elsewhere.example@mail.example": "550 5.1.1",
        "kim@mail.example@elsewhere.example": "553",
        "": "550 5.1.1",
    }
    with opened(settings), Client(settings.smtp_listen) as client:
        client.say("MAIL FROM:<a@b.example> SMTPUTF8")
        said = {address: client.say(f"RCPT TO:<{address}>") for address in judged}
    assert {address: reply[: len(judged[address])] for address, reply in said.items()} == judged


def test_one_mail_to_two_and_a_stranger_is_one_row(settings, engine):
    with opened(settings), Client(settings.smtp_listen) as client:
        client.say("MAIL FROM:<Kim@corp.example> SIZE=100 BODY=8BITMIME")
        assert client.say("RCPT TO:<sales@mail.example>").startswith("250")
        assert client.say("RCPT TO:<nobody@mail.example>").startswith("550")
        assert client.say("RCPT TO:<POST@mail.example>").startswith("250")
        assert client.say("RCPT TO:<post@mail.example>").startswith("250")
        client.say("DATA")
        client.send(LETTER + "..é\r\n.\r\n".encode())
        assert client.reply().startswith("250")
    (row,) = rows(engine)
    assert (row.channel, row.sender) == ("email", "kim@corp.example")
    assert row.recipients == ["post@mail.example", "sales@mail.example"]
    assert row.message_id == "<1@corp.example>"
    arrived = trace_headers.read(bytes(row.raw))
    assert arrived == (("127.0.0.1", "relay.example", "Kim@corp.example", False), LETTER + ".é\r\n".encode())
    assert bytes(row.raw).startswith(
        b"Return-Path: <Kim@corp.example>\r\nReceived: from relay.example ([127.0.0.1])\r\n"
    )
    assert (row.trusted, row.state) == (True, "new")


def test_the_same_mail_again_is_the_same_success(settings, engine):
    def again(_: int) -> str:
        with Client(settings.smtp_listen) as client:
            return client.mail()

    with opened(settings), ThreadPoolExecutor(20) as crowd:
        assert [reply[:3] for reply in crowd.map(again, range(20))] == ["250"] * 20
        with Client(settings.smtp_listen) as client:
            client.mail(LETTER + b"more\r\n")
            client.mail(to=("post@mail.example", "kim@mail.example"))
    assert [row.flagged for row in rows(engine)] == [False, True, True]


FROMS = {
    b"From: kim@corp.example": "kim@corp.example",
    b"from :Kim@Corp.example": None,
    b'From: "Lee, Kim" <KIM@corp.example>': "kim@corp.example",
    b"From: =?utf-8?q?K=C3=AFm?= <kim@corp.example>": "kim@corp.example",
    b"From: Kim\r\n Lee <kim@corp.example>": "kim@corp.example",
    b"From: kim@corp.example\r\nFrom: eve@evil.example": None,
    b"From: kim@corp.example\r\nSubject: x\r\nFROM: eve@evil.example": None,
    b"From: kim@corp.example, eve@evil.example": None,
    b"From: kim@corp.example)eve@evil.example": None,
    b"From: kim@corp.example(eve@evil.example": None,
    b"From: <kim@corp.example> <eve@evil.example>": None,
    b"From: friends: kim@corp.example, eve@evil.example;": None,
    b"From: kim@corp.example <kim@corp.example>": "kim@corp.example",
    b"From: Kim Lee [External] <kim@corp.example>": "kim@corp.example",
    b"From: Lee, Kim <kim@corp.example>": "kim@corp.example",
    "From: Kim <kim@b\u00fccher.example>".encode(): "kim@xn--bcher-kva.example",
    "From: Kim\u200b <kim@cor\u00adp.example>".encode(): "kim@corp.example",
    b"From: kim@corp.example <eve@evil.example>": None,
    b"From: kim@corp.example, Eve <eve@evil.example>": None,
    b"From: Eve (kim@corp.example) <eve@evil.example>": None,
    b"From:": None,
    b"From: nobody": None,
    b"Sender: kim@corp.example": None,
    b"X: y\r\n\r\nFrom: kim@corp.example": None,
}


def test_exactly_one_from_with_one_mailbox(settings, engine):
    """What is doubtful is refused, and nothing of it is kept (R29)."""
    said = {}
    with opened(settings):
        for header in FROMS:
            with Client(settings.smtp_listen) as client:
                said[header] = client.mail(header + b"\r\n\r\nhello\r\n")[:3]
    stored = {
        trace_headers.read(bytes(row.raw)).mail.removesuffix(b"\r\n\r\nhello\r\n"): row.sender for row in rows(engine)
    }
    taken = {header: sender for header, sender in FROMS.items() if sender}
    assert {header: stored.get(header) for header in taken} == taken
    refused = [header for header, sender in FROMS.items() if sender is None and header != b"from :Kim@Corp.example"]
    assert {header: said[header] for header in refused} == dict.fromkeys(refused, "550")
    assert not set(stored) & set(refused)


def test_a_report_needs_no_from(settings, engine):
    """Servers write `MAILER-DAEMON`, two mailboxes or nothing at all. Only a null sender and our token let it in so."""
    bounce = f"b+{Signer(settings.secret_keys).sign('bounce', 1, 2)}@mail.example"
    fields = (b"From: MAILER-DAEMON\r\n", b"From: a@x.example, b@x.example\r\n", b"From: <>\r\n", b"")
    with opened(settings), Client(settings.smtp_listen) as client:
        for number, field in enumerate(fields):
            mail = field + b"Subject: %d\r\n\r\nfailed\r\n" % number
            assert client.mail(mail, (bounce,), "").startswith("250")
            assert client.mail(mail, (bounce,), "mx@x.example").startswith("550")
            assert client.mail(mail, (bounce, "post@mail.example"), "").startswith("550")
            assert client.mail(mail, ("post@mail.example",), "").startswith("550")
    assert [row.sender for row in rows(engine)] == ["<>"] * 4


def test_mail_from_elsewhere_is_unproved_unless_our_own_token_is_all_it_needs(settings, engine):
    strict = changed(settings, CRITTER_MAIL_TRUST="10.0.0.0/8")
    signer = Signer(settings.secret_keys)
    unsubscribe = f"u+{signer.sign('unsubscribe', 1, 2)}@mail.example"
    bounce = f"b+{signer.sign('bounce', 1, 2)}@mail.example"
    with opened(strict), Client(strict.smtp_listen) as client:
        client.mail()
        client.mail(to=(unsubscribe,))
        client.mail(to=(unsubscribe, "post@mail.example"))
        client.mail(to=(bounce,), sender="")
        client.mail(to=(bounce,))
    assert [row.state for row in rows(engine)] == ["unproved", "new", "unproved", "new", "new"]
    assert [row.proof for row in rows(engine)] == [None, BY_TOKEN, None, BY_TOKEN, BY_TOKEN]
    assert bytes(rows(engine)[3].raw).startswith(b"Return-Path: <>\r\n")


@pytest.fixture
def proxy(servers):
    proxy = DatabaseProxy(socket_folder(servers.var) / ".s.PGSQL.5432")
    yield proxy
    proxy.pull()


def test_without_the_database_it_is_451_and_then_works_again(settings, engine, proxy):
    name = engine.url.database
    url = f"postgresql://critter@127.0.0.1:{proxy.port}/{name}?sslmode=disable&gssencmode=disable"
    through = changed(settings, CRITTER_DATABASE_URL=url)
    with opened(through), Client(through.smtp_listen) as client:
        assert client.mail().startswith("250")
        client.say("MAIL FROM:<kim@corp.example>")
        client.say("RCPT TO:<post@mail.example>")
        client.say("DATA")
        proxy.pull()
        client.send(LETTER + b"second\r\n.\r\n")
        assert client.reply() == "451 4.3.0 Something is wrong on our side, try again later"
        client.say("MAIL FROM:<kim@corp.example>")
        assert client.say("RCPT TO:<sales@mail.example>").startswith("451")
        proxy.plug_in()
        assert client.say("RCPT TO:<sales@mail.example>").startswith("250")
        client.say("RSET")
        assert client.mail(LETTER + b"second\r\n").startswith("250")
        assert client.mail(LETTER + b"second\r\n").startswith("250")
    assert len(rows(engine)) == 2


@pytest.mark.parametrize(
    "place",
    [
        "gateway.ledger.inbox.inbox.natural_key",
        "gateway.network.people.accounts.by_handle",
        "gateway.doors.smtp.header_peek.header",
        "gateway.doors.smtp.data_reader.DataReader.feed",
    ],
)
def test_our_own_faults_are_451_without_a_word(settings, monkeypatch, place):
    def fail(*_: object) -> None:
        raise RuntimeError("CANARY")

    with opened(settings), Client(settings.smtp_listen) as client:
        monkeypatch.setattr(place, fail)
        replies = [client.say("MAIL FROM:<a@b.example>"), client.say("RCPT TO:<sales@mail.example>")]
        replies += [client.say("RCPT TO:<post@mail.example>"), client.say("DATA")]
        client.send(LETTER + b".\r\n")
        replies.append(client.reply())
    assert "CANARY" not in "".join(replies)
    first = next(reply for reply in replies if reply[0] in "45")
    assert first.startswith(("451", "421"))


def listening(settings):
    return lambda: socket.create_connection(settings.smtp_listen, 1).close()


def test_kill_9_loses_no_mail_that_was_accepted(settings, engine):
    accepted: list[bytes] = []
    begun = threading.Event()

    def post(number: int) -> None:
        with smtplib.SMTP(*settings.smtp_listen, timeout=10) as client:
            for n in range(1000):
                marker = f"<{number}.{n}@corp.example>".encode()
                client.sendmail("kim@corp.example", ["post@mail.example"], LETTER.replace(b"<1@corp.example>", marker))
                accepted.append(marker)
                begun.set()

    with process(settings, "serve_mail", listening(settings)) as server, ThreadPoolExecutor(8) as crowd:
        work = [crowd.submit(post, number) for number in range(8)]
        assert begun.wait(10)
        time.sleep(0.3)
        os.kill(server.pid, signal.SIGKILL)
        for future in work:
            assert isinstance(future.exception(), (smtplib.SMTPException, OSError))
    assert len(accepted) > 20
    stored = {row.message_id.encode() for row in rows(engine)}
    assert stored >= set(accepted)


def test_sigterm_finishes_what_is_in_data_and_sends_the_rest_away(settings, engine):
    with process(settings, "serve_mail", listening(settings)) as server:
        with Client(settings.smtp_listen) as idle, Client(settings.smtp_listen) as sending:
            sending.say("MAIL FROM:<kim@corp.example>")
            sending.say("RCPT TO:<post@mail.example>")
            sending.say("DATA")
            sending.send(LETTER)
            server.send_signal(signal.SIGTERM)
            assert idle.reply().startswith("421")
            assert idle.reply() == ""
            with pytest.raises(OSError):
                socket.create_connection(settings.smtp_listen, 1)
            assert server.poll() is None
            sending.send(b".\r\n")
            assert sending.reply().startswith("250")
            assert sending.reply().startswith("421")
        assert server.wait(10) == 0
    assert len(rows(engine)) == 1


def test_the_fifty_first_recipient_waits_for_the_next_mail(settings, engine):
    with opened(settings, ConnectionLimits(recipients=3)), Client(settings.smtp_listen) as client:
        client.say("MAIL FROM:<kim@corp.example>")
        said = [client.say(f"RCPT TO:<{who}@mail.example>")[:3] for who in ("post", "kim", "sales", "help")]
        assert said == ["250", "250", "250", "452"]
        assert client.say("RCPT TO:<nobody@mail.example>").startswith("452")
        client.say("RSET")
        client.say("MAIL FROM:<kim@corp.example>")
        assert client.say("RCPT TO:<post@mail.example>").startswith("250")
        assert client.say("RCPT TO:<post@mail.example>").startswith("421")


def test_a_recipient_needs_no_domain(settings, engine):
    """Postmaster has to be taken so (RFC 5321, 4.5.1); the row says where it went."""
    with opened(settings), Client(settings.smtp_listen) as client:
        client.say("MAIL FROM:<kim@corp.example>")
        assert client.say("RCPT TO:<postmaster>").startswith("250")
        assert client.say("RCPT TO:<nobody>").startswith("550")
        client.say("DATA")
        client.send(LETTER + b".\r\n")
        assert client.reply().startswith("250")
    assert [row.recipients for row in rows(engine)] == [["postmaster@mail.example"]]
