"""TLS at the mail door, and what a relay may prove over it: signed in, or by a certificate."""

import base64
import logging
import os
import signal
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest
from sqlalchemy import Engine
from sqlalchemy import text as sql
from typer.testing import CliRunner

from critter.cli import app
from gateway.doors.smtp import tls_certificates
from gateway.doors.smtp.connection_limits import ConnectionLimits
from gateway.errors import SettingsError
from gateway.settings import Settings, smtp_users
from gateway.store.database import claim_mode, transaction
from tests.support.mail_process import LETTER, Client, opened
from tests.support.pki import Pair, pair, trusting
from tests.support.web_process import changed, process

NOBODY = "10.0.0.0/8"  # trusted by address: nobody who connects here
PASSWORD = "correct horse"
CHEAP = "relay:scrypt.1.1.1.AAAAAAAAAAAAAAAAAAAAAA."  # of PASSWORD, for tests that try many


@pytest.fixture
def server(tmp_path) -> Pair:
    return pair(tmp_path, "server")


@pytest.fixture
def secure(engine: Engine, settings: Settings, server: Pair, free_port: Callable[[], int]) -> Settings:
    with transaction(engine) as session:
        claim_mode(session, "simulated")
    digest = smtp_users._base64(smtp_users._scrypt(PASSWORD.encode(), b"\0" * 16, (1, 1, 1)))
    return changed(
        settings,
        CRITTER_MAIL_TRUST=NOBODY,
        CRITTER_TLS_CERT=str(server.certificate),
        CRITTER_TLS_KEY=str(server.key),
        CRITTER_SMTPS_LISTEN=f"127.0.0.1:{free_port()}",
        CRITTER_SMTP_USERS=CHEAP + digest,
    )


@pytest.fixture
def running(secure: Settings) -> Iterator[Settings]:
    with opened(secure, ConnectionLimits(per_peer=1000, handshake=1.0)):
        yield secure


def proofs(engine: Engine) -> list[tuple[str, str | None]]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(sql("SELECT state, proof FROM inbound ORDER BY id"))]


def plain(password: str, name: str = "relay") -> str:
    return base64.b64encode(f"\0{name}\0{password}".encode()).decode()


# TLS


def test_starttls_begins_anew(running, engine, server):
    with Client(running.smtp_listen) as client:
        assert "STARTTLS" in client.hello
        assert "AUTH" not in client.hello
        client.say("MAIL FROM:<before@evil.example>")
        client.say("RCPT TO:<post@mail.example>")
        client.secure(trusting(server))
        assert client.say("MAIL FROM:<kim@corp.example>").startswith("503")  # it must say EHLO again
        hello = client.say("EHLO relay.example")
        assert "250-AUTH PLAIN LOGIN" in hello
        assert "STARTTLS" not in hello
        assert client.say("DATA").startswith("503")
        assert client.say("STARTTLS").startswith("503")
        assert client.mail().startswith("250")
        assert client.mail(LETTER + b"y" * 300_000 + b"\r\n").startswith("500")
        assert client.mail(LETTER + b"a line\r\n" * 40_000).startswith("250")
        assert client.say("QUIT").startswith("221")
        assert client.reply() == ""
    assert proofs(engine) == [("unproved", None), ("unproved", None)]


def test_tls_from_the_first_octet(running, engine, server):
    with Client(running.smtps_listen, tls=trusting(server)) as client:
        assert client.greeting == "220 mail.example ESMTP"
        assert client.say("STARTTLS").startswith("503")
        assert client.mail().startswith("250")
    assert proofs(engine) == [("unproved", None)]


@pytest.mark.parametrize("tail", [b"MAIL FROM:<eve@evil.example>\r\n", b"EHLO evil.example\r\n", b"x", b"\r\n"])
def test_what_is_slipped_in_behind_starttls_ends_the_connection(running, engine, server, tail):
    """CVE-2011-0411: what came before TLS would be read as if it had come under it."""
    with Client(running.smtp_listen) as client:
        client.send(b"STARTTLS\r\n" + tail)
        assert client.reply().startswith("554")
        assert client.reply() == ""
    assert not proofs(engine)


def test_plain_words_instead_of_a_handshake_end_it(running, server, caplog):
    caplog.set_level(logging.INFO)
    for place, begin in ((running.smtp_listen, True), (running.smtps_listen, False)):
        for words in (b"EHLO evil.example\r\nMAIL FROM:<a@b.example>\r\n", b"\x16\x03\x01\xff\xff" + b"\x01" * 9000):
            with Client(place, greet=begin) as client:
                if begin:
                    assert client.say("STARTTLS").startswith("220")
                client.send(words)
                assert b"250" not in rest(client.socket)
    assert within(2, lambda: "TLS handshakes failed: 1 since this was last said, this one by " in caplog.text)
    assert "Traceback" not in caplog.text
    with Client(running.smtps_listen, tls=trusting(server)) as client:
        assert client.mail().startswith("250")


def rest(caller: socket.socket) -> bytes:
    """All that still comes until the other side ends it."""
    found = b""
    with suppress(ConnectionError):  # cut off is an end, too
        while octets := caller.recv(4096):
            found += octets
    return found


def test_a_handshake_that_never_ends_is_ended(running):
    for place, begin in ((running.smtp_listen, True), (running.smtps_listen, False)):
        began = time.monotonic()
        with Client(place, greet=begin) as client:
            if begin:
                client.say("STARTTLS")
            client.send(b"\x16\x03\x01\x02\x00\x01")
            rest(client.socket)
        assert 0.5 < time.monotonic() - began < 5


def test_no_old_tls_and_no_renegotiation(running, server):
    context = trusting(server)
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises((ssl.SSLError, ConnectionError)):
        Client(running.smtps_listen, tls=context)
    assert tls_certificates.of(running).context("").options & ssl.OP_NO_RENEGOTIATION
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with Client(running.smtps_listen, tls=context) as client:
        assert client.mail().startswith("250")


def test_a_session_cut_at_any_octet_of_its_handshake_leaves_nothing(running, server):
    hello = handshake(trusting(server))
    for octets in range(0, len(hello), 7):
        with Client(running.smtps_listen, greet=False) as client:
            client.send(hello[:octets])
    with Client(running.smtps_listen, tls=trusting(server)) as client:
        assert client.mail().startswith("250")


def handshake(context: ssl.SSLContext) -> bytes:
    """The first octets of a client."""
    out = ssl.MemoryBIO()
    with pytest.raises(ssl.SSLWantReadError):
        context.wrap_bio(ssl.MemoryBIO(), out, server_hostname="127.0.0.1").do_handshake()
    return out.read()


# The certificate


def test_a_renewed_certificate_is_taken_without_a_restart(secure, server, tmp_path):
    """By SIGHUP, in the real process; whoever is connected stays so."""
    with process(secure, "serve_mail", lambda: socket.create_connection(secure.smtp_listen, 1).close()) as child:
        with Client(secure.smtps_listen, tls=trusting(server)) as client:
            replaced, old = pair(tmp_path, "new"), trusting(server)
            assert answers(secure, old)
            os.replace(replaced.key, server.key)
            os.replace(replaced.certificate, server.certificate)
            os.kill(child.pid, signal.SIGHUP)
            assert within(5, lambda: not answers(secure, old))
            assert answers(secure, trusting(server))
            assert client.mail().startswith("250")
        assert child.poll() is None


def answers(settings: Settings, context: ssl.SSLContext) -> bool:
    try:
        Client(settings.smtps_listen, tls=context).close()
    except ssl.SSLCertVerificationError:
        return False
    return True


def within(seconds: float, act: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if act():
            return True
        time.sleep(0.05)
    return False


def test_the_files_are_looked_at_by_themselves(server, tmp_path, caplog):
    found = tls_certificates.Certificates(server.certificate, server.key)
    first = found.context("")
    found._look(whatever=False)
    assert found.context("") is first
    server.key.write_text("nonsense")
    found._look(whatever=False)
    assert found.context("") is first
    assert "the old one stays" in caplog.text
    assert "nonsense" not in caplog.text
    renewed = pair(tmp_path, "renewed")
    os.replace(renewed.certificate, server.certificate)
    os.replace(renewed.key, server.key)
    found._look(whatever=False)
    assert found.context("") is not first


def test_a_broken_certificate_at_the_start_is_one_line(secure, server, tmp_path):
    other = pair(tmp_path, "other")
    for key, words in ((other.key, "belong together"), (tmp_path / "nowhere.key", "cannot be found")):
        with pytest.raises(SettingsError, match=f"^CRITTER_TLS_CERT, CRITTER_TLS_KEY: .*{words}"):
            tls_certificates.of(changed(secure, CRITTER_TLS_KEY=str(key)))


# Who it is


def test_who_signs_in_is_the_companys_relay(running, engine, server):
    with Client(running.smtps_listen, tls=trusting(server)) as client:
        assert client.say(f"AUTH PLAIN {plain(PASSWORD)}").startswith("235")
        assert client.say(f"AUTH PLAIN {plain(PASSWORD)}").startswith("503")
        assert client.mail().startswith("250")
    with Client(running.smtp_listen) as client:
        client.secure(trusting(server))
        client.say("EHLO relay.example")
        assert client.say("auth login") == "334 VXNlcm5hbWU6"
        assert client.say(base64.b64encode(b"relay").decode()) == "334 UGFzc3dvcmQ6"
        assert client.say(base64.b64encode(PASSWORD.encode()).decode()).startswith("235")
        assert client.mail(LETTER + b"2\r\n").startswith("250")
    with Client(running.smtps_listen, tls=trusting(server)) as client:
        assert client.say("AUTH PLAIN") == "334 "
        assert client.say(plain(PASSWORD)).startswith("235")
        assert client.mail(LETTER + b"3\r\n").startswith("250")
    assert proofs(engine) == [("new", "relay: signed in as relay")] * 3


def test_nobody_signs_in_in_the_clear_or_by_guessing(running, engine, server):
    with Client(running.smtp_listen) as client:
        assert client.say(f"AUTH PLAIN {plain(PASSWORD)}").startswith("538")
    wrong = [f"AUTH PLAIN {plain('wrong')}", f"AUTH PLAIN {plain(PASSWORD, 'nobody')}"]
    odd = {
        "AUTH PLAIN !": "501",
        f"AUTH PLAIN {base64.b64encode(b'relay')}": "501",
        f"AUTH PLAIN {base64.b64encode(b'boss' + bytes(1) + b'relay' + bytes(1) + PASSWORD.encode()).decode()}": "501",
        "AUTH": "504",
        "AUTH CRAM-MD5": "504",
    }
    with Client(running.smtps_listen, tls=trusting(server)) as client:
        assert {line: client.say(line)[:3] for line in odd} == odd
        client.say("AUTH PLAIN")
        assert client.say("*").startswith("501")
        assert [client.say(line)[:3] for line in wrong] == ["535", "535"]
        assert client.mail().startswith("250")  # as anybody may; but it is held
    with Client(running.smtps_listen, tls=trusting(server)) as client:
        assert [client.say(wrong[0])[:3] for _ in range(3)] == ["535", "535", "421"]
    assert proofs(engine) == [("unproved", None)]


def test_a_peer_who_guesses_is_soon_not_listened_to(running, server):
    """And is told so, whatever it sends; who was right before is known still."""
    for _ in range(3):
        with Client(running.smtps_listen, tls=trusting(server)) as client:
            assert client.say(f"AUTH PLAIN {plain(PASSWORD)}").startswith("235")
    said = []
    for number in range(7):
        with Client(running.smtps_listen, tls=trusting(server)) as client:
            said += [client.say(f"AUTH PLAIN {plain(f'{number}')}")[:3] for _ in range(2)]
    assert said == ["535"] * 10 + ["454"] * 4
    with Client(running.smtps_listen, tls=trusting(server)) as client:
        assert client.say(f"AUTH PLAIN {plain(PASSWORD)}").startswith("235")


def test_a_certificate_of_our_authority_is_proof(secure, engine, server, tmp_path):
    ours, theirs = pair(tmp_path, "authority"), pair(tmp_path, "elsewhere")
    relay, stranger = pair(tmp_path, "relay", ours), pair(tmp_path, "stranger", theirs)
    with opened(changed(secure, CRITTER_TLS_CLIENT_CA=str(ours.certificate))):
        with Client(secure.smtps_listen, tls=trusting(server, relay)) as client:
            assert client.mail().startswith("250")
        with Client(secure.smtp_listen) as client:
            client.secure(trusting(server, relay))
            client.say("EHLO relay.example")
            assert client.mail(LETTER + b"2\r\n").startswith("250")
        with Client(secure.smtps_listen, tls=trusting(server)) as client:
            assert client.mail(LETTER + b"3\r\n").startswith("250")
        context = trusting(server, stranger)
        with pytest.raises((OSError, AssertionError)), Client(secure.smtps_listen, tls=context) as no:
            no.mail(LETTER + b"4\r\n")
        with Client(secure.smtps_listen, tls=context) as client:  # it shows its own to everybody: not asked again
            assert client.mail(LETTER + b"5\r\n").startswith("250")
    assert proofs(engine) == [("new", "relay: client certificate")] * 2 + [("unproved", None)] * 2


def test_the_line_for_a_user_is_made_by_a_command():
    made = CliRunner().invoke(app, ["smtp-user", "relay"])
    assert made.exit_code == 0, made.output
    line = next(line for line in made.output.splitlines() if line.startswith("CRITTER_SMTP_USERS="))
    password = next(line for line in made.output.splitlines() if line.startswith("password: ")).split()[1]
    (user,) = smtp_users.read(line.partition("=")[2])
    assert user.name == "relay"
    assert smtp_users.matches(user.digest, password.encode())
    assert not smtp_users.matches(user.digest, b"wrong")
    assert CliRunner().invoke(app, ["smtp-user", "two words"]).exit_code != 0
