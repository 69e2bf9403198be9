"""The mail door as a mail server on our side sees it: LMTP, over a port or a socket of the machine (RFC 2033)."""

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlalchemy import text as sql

from gateway.doors.smtp.connection_limits import ConnectionLimits
from gateway.network.people import accounts
from gateway.settings import Settings
from gateway.store.database import claim_mode, transaction
from tests.support.mail_process import LETTER, Client, opened
from tests.support.web_process import changed

HELLO = "LHLO relay.example"


@pytest.fixture(params=["port", "socket"])
def lmtp(
    request: pytest.FixtureRequest,
    engine: Engine,
    settings: Settings,
    free_port: Callable[[], int],
    tmp_path_factory: pytest.TempPathFactory,
) -> Settings:
    """Loopback is trusted over SMTP, so that it shows that it is not over LMTP."""
    with transaction(engine) as session:
        claim_mode(session, "simulated")
        accounts.create_person(session, "kim", "Kim Lee")
    place = f"unix:{tmp_path_factory.mktemp('run')}/lmtp" if request.param == "socket" else f"127.0.0.1:{free_port()}"
    return changed(settings, CRITTER_LMTP_LISTEN=place)


def rows(engine: Engine) -> list:
    with engine.connect() as connection:
        return list(connection.execute(sql("SELECT recipients, state, proof FROM inbound ORDER BY id")))


def test_every_recipient_has_a_reply_of_its_own(lmtp, engine):
    with opened(lmtp), Client(lmtp.lmtp_listen, hello=HELLO) as client:
        assert client.greeting == "220 mail.example LMTP"
        offers = {"250-PIPELINING", "250-ENHANCEDSTATUSCODES", "250-8BITMIME", "250-SMTPUTF8", "250-SIZE 10485760"}
        assert offers <= set(client.hello.split("\n"))
        client.send(
            b"MAIL FROM:<kim@corp.example>\r\nRCPT TO:<post@mail.example>\r\nRCPT TO:<nobody@mail.example>\r\n"
            b"RCPT TO:<kim@mail.example>\r\nRCPT TO:<post@mail.example>\r\nDATA\r\n" + LETTER + b".\r\nQUIT\r\n"
        )
        said = [client.reply()[:9] for _ in range(10)]
    assert said == [
        "250 2.0.0",
        "250 2.0.0",
        "550 5.1.1",
        "250 2.0.0",
        "250 2.0.0",
        "354 End w",
        *["250 2.0.0"] * 3,
        "221 2.0.0",
    ]
    assert [tuple(row) for row in rows(engine)] == [(["kim@mail.example", "post@mail.example"], "unproved", None)]


def test_what_is_refused_is_refused_to_each(lmtp, engine):
    with opened(lmtp, ConnectionLimits(message=len(LETTER) + 9)), Client(lmtp.lmtp_listen, hello=HELLO) as client:
        for bad, code in ((LETTER + b"far more", "552"), (LETTER[:-2] + b"\n", "550"), (b"To: x\r\n\r\nhi\r\n", "550")):
            client.say("MAIL FROM:<kim@corp.example>")
            client.say("RCPT TO:<post@mail.example>")
            client.say("RCPT TO:<kim@mail.example>")
            client.say("DATA")
            client.send(bad + b"\r\n.\r\n")
            assert [client.reply()[:3] for _ in range(2)] == [code, code]
        assert client.mail().startswith("250")
    assert len(rows(engine)) == 1


def test_it_is_not_smtp(lmtp, engine):
    with opened(lmtp), Client(lmtp.lmtp_listen, greet=False) as client:
        client.reply()
        assert client.say("MAIL FROM:<kim@corp.example>").startswith("503")
        assert [client.say(f"{word} relay.example")[:3] for word in ("EHLO", "HELO", "LHLO")] == ["500", "500", "250"]
        client.say("MAIL FROM:<kim@corp.example>")
        client.say("RCPT TO:<nobody@mail.example>")
        assert client.say("DATA").startswith("503 5.")  # no recipient, so no mail
        with Client(lmtp.smtp_listen) as other:
            assert other.say("LHLO relay.example").startswith("500")
            assert other.mail().startswith("250")
    assert [(row.state, row.proof) for row in rows(engine)] == [("new", "relay: CRITTER_MAIL_TRUST")]


def test_its_limits_are_the_same(lmtp):
    with opened(lmtp, ConnectionLimits(per_peer=2)):
        crowd = [Client(lmtp.lmtp_listen, greet=False) for _ in range(3)]
        assert [client.reply()[:3] for client in crowd] == ["220", "220", "421"]
        crowd[0].send(b"NOOP\r\n" * 30)
        said = [crowd[0].reply()[:3] for _ in range(21)]
        assert said == ["250"] * 20 + ["421"]
        for client in crowd:
            client.close()


def test_a_socket_that_a_killed_door_left_is_replaced_and_tidied(lmtp):
    if not isinstance(lmtp.lmtp_listen, str):
        pytest.skip("a port leaves nothing behind")
    path = Path(lmtp.lmtp_listen)
    with opened(lmtp):
        path.rename(path.with_suffix(".kept"))
    path.with_suffix(".kept").rename(path)
    with opened(lmtp), Client(str(path), hello=HELLO) as client:
        assert path.stat().st_mode & 0o777 == 0o666
        assert client.mail().startswith("250")
    assert not path.exists()
