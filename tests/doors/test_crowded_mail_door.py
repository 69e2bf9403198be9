"""A crowd from everywhere holds all places of the mail door, each at another step of a mail: honest mail gets through.

Its clients come again as soon as they are put out, each from a network of its own, so nothing but progress tells them
from honest ones.
"""

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from sqlalchemy import Engine

from gateway.doors.smtp.connection_limits import ConnectionLimits
from gateway.settings import Settings, smtp_users
from gateway.store.database import claim_mode, transaction
from tests.support.mail_process import LETTER, Client, opened
from tests.support.pki import pair, trusting
from tests.support.stall_meter import StallMeter
from tests.support.web_process import changed

PLACES, CROWD, MAILS = 30, 40, 15
SLOWEST = 1.0  # seconds for an honest mail, connection and all (F44)
STRANGERS = {"CRITTER_MAIL_TRUST": "192.0.2.1"}  # nobody here


@pytest.fixture(autouse=True)
def installed(engine: Engine) -> None:
    with transaction(engine) as session:
        claim_mode(session, "simulated")


EHLO = b"EHLO a.example\r\n"
MAIL = EHLO + b"MAIL FROM:<eve@evil.example>\r\n"
RCPT = MAIL + b"RCPT TO:<post@mail.example>\r\n"
DATA = RCPT + b"DATA\r\n"
LARGE = b"From: eve@evil.example\r\n\r\n" + (b"x" * 70 + b"\r\n") * 1000

# What each says at once, and then again and again.
STEPS: dict[str, tuple[bytes, bytes]] = {
    "nothing said": (b"", b""),
    "greeted": (EHLO, b""),
    "a mail begun": (MAIL, b""),
    "a recipient accepted": (RCPT, b""),
    "many recipients": (RCPT + b"RCPT TO:<post@mail.example>\r\n" * 45, b""),
    "in DATA": (DATA + LETTER, b""),
    "an octet of DATA now and then": (DATA, b"x"),
    "a large mail": (DATA + LARGE, b""),
    "after a finished mail": (DATA + LETTER + b".\r\n", b""),
    "NOOP": (EHLO, b"NOOP\r\n"),
    "half a NOOP": (EHLO, b"N"),
    "RSET and again": (RCPT, b"RSET\r\nMAIL FROM:<eve@evil.example>\r\nRCPT TO:<post@mail.example>\r\n"),
    "DATA that counts for nothing": (DATA + b"x" * 2000, b"x" * 900),
}


class Crowd:
    """Sockets that hold their places, and come again when they are put out."""

    def __init__(self, place: tuple[str, int], first: bytes, again: bytes, tls: ssl.SSLContext | None = None) -> None:
        self._place, self._first, self._again, self._tls = place, first, again, tls
        self.ended = threading.Event()
        self.inside: dict[int, socket.socket] = {}

    def run(self) -> None:
        while not self.ended.is_set():
            for number in range(CROWD):
                with suppress(OSError):
                    self._keep(number)
            self.ended.wait(0.1)
        for one in self.inside.values():
            one.close()

    def _keep(self, number: int) -> None:
        one = self.inside.get(number)
        if one is None or self._is_out(one):
            self.inside[number] = one = socket.create_connection(self._place, 5, (f"127.{number + 1}.0.1", 0))
            if self._tls:
                self.inside[number] = one = self._tls.wrap_socket(one, server_hostname="127.0.0.1")
            one.sendall(self._first)
        elif self._again:
            one.sendall(self._again)

    def _is_out(self, one: socket.socket) -> bool:
        one.setblocking(False)
        try:
            while said := one.recv(65536):
                if b"421 " in said:
                    break
        except (BlockingIOError, ssl.SSLWantReadError):
            one.settimeout(5)
            return False
        except OSError:
            pass  # reset by the door: it is closed all the same
        one.close()
        return True


@contextmanager
def crowded(place: tuple[str, int], first: bytes, again: bytes, tls: ssl.SSLContext | None = None) -> Iterator[Crowd]:
    crowd = Crowd(place, first, again, tls)
    thread = threading.Thread(target=crowd.run)
    thread.start()
    try:
        time.sleep(1.2)
        yield crowd
    finally:
        crowd.ended.set()
        thread.join()


def honest(place: tuple[str, int], said: Callable[[Client], str] = Client.mail) -> list[float]:
    """How long each mail took; longer than may be when it was not taken."""
    took = []
    for _ in range(MAILS):
        began = time.monotonic()
        try:
            with Client(place) as client:
                taken = said(client).startswith("250")
        except (OSError, AssertionError):
            taken = False
        took.append(time.monotonic() - began if taken else 99.0)
        time.sleep(0.02)
    return took


def timed(place: tuple[str, int], said: Callable[[Client], str] = Client.mail) -> tuple[list[float], float]:
    """How long each took, and how long one may: longer by as much as this machine kept us waiting."""
    with StallMeter() as stalls:
        took = honest(place, said)
    return took, SLOWEST + stalls.together


@pytest.mark.parametrize("step", STEPS)
def test_honest_mail_gets_through(step: str, settings: Settings) -> None:
    door = opened(changed(settings, **STRANGERS), ConnectionLimits(connections=PLACES))
    with door, crowded(settings.smtp_listen, *STEPS[step]):
        took, most = timed(settings.smtp_listen)
    assert max(took) < most, took


def test_honest_mail_gets_through_where_all_are_trusted(settings: Settings) -> None:
    """A relay that broke out in connections keeps no other relay out."""
    with (
        opened(settings, ConnectionLimits(connections=PLACES)),
        crowded(settings.smtp_listen, *STEPS["a recipient accepted"]),
    ):
        took, most = timed(settings.smtp_listen)
    assert max(took) < most, took


@pytest.mark.parametrize("step", ["STARTTLS", "no handshake", "half a handshake", "a question of AUTH"])
def test_honest_mail_gets_through_under_tls(
    step: str, settings: Settings, tmp_path: Path, free_port: Callable[[], int]
) -> None:
    server = pair(tmp_path, "server")
    secure = changed(
        settings,
        **STRANGERS,
        CRITTER_TLS_CERT=str(server.certificate),
        CRITTER_TLS_KEY=str(server.key),
        CRITTER_SMTPS_LISTEN=f"127.0.0.1:{free_port()}",
        CRITTER_SMTP_USERS="relay:" + smtp_users.made("relay", "correct horse").digest,
    )
    crowds = {
        "STARTTLS": (secure.smtp_listen, EHLO + b"STARTTLS\r\n", b""),
        "no handshake": (secure.smtps_listen, b"", b""),
        "half a handshake": (secure.smtps_listen, b"\x16\x03\x01\x00", b""),
        "a question of AUTH": (secure.smtps_listen, EHLO + b"AUTH LOGIN\r\n", b"", trusting(server)),
    }
    with opened(secure, ConnectionLimits(connections=PLACES)), crowded(*crowds[step]):
        took, most = timed(secure.smtp_listen)
    assert max(took) < most, took


def test_places_are_kept_for_a_relay_that_we_know(settings: Settings) -> None:
    """Even when every place is held by somebody who sends mail as fast as anybody."""
    known = changed(settings, CRITTER_MAIL_TRUST="127.0.0.1")
    busy = DATA + LETTER + b".\r\n"
    with opened(known, ConnectionLimits(connections=PLACES)), crowded(known.smtp_listen, EHLO, busy.removeprefix(EHLO)):
        took, most = timed(known.smtp_listen)
    assert max(took) < most, took


def test_a_large_mail_finds_room_beside_those_that_stand_still(settings: Settings) -> None:
    """Their senders came first, from many networks, and filled the memory for large mails."""
    half = DATA + b"From: eve@evil.example\r\n\r\n" + (b"x" * 998 + b"\r\n") * 900
    limits = ConnectionLimits(message=1024 * 1024, together=4 * 1024 * 1024)
    with opened(changed(settings, **STRANGERS), limits) as running, crowded(settings.smtp_listen, half, b""):
        with Client(settings.smtp_listen) as client:
            mail = LETTER + (b"y" * 998 + b"\r\n") * 900
            assert client.mail(mail).startswith("250")
        assert running.thread.is_alive()


def test_who_never_reads_our_replies_is_not_read_any_more(settings: Settings) -> None:
    """Each finished mail begins the count of commands anew: the replies to thousands must not pile up in memory."""
    many = STEPS["many recipients"][0].removeprefix(EHLO)  # many replies for each mail that is stored
    one = b"NOOP\r\n" * 15 + many + b"DATA\r\n" + LETTER + b".\r\n"
    with opened(settings, ConnectionLimits(command=3)), socket.socket() as silent:
        silent.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        silent.connect(settings.smtp_listen)
        silent.sendall(EHLO)
        silent.settimeout(2)
        sent = 0
        with suppress(TimeoutError):
            while sent < 100_000_000:
                sent += silent.send(one * 200)
        print(f"{sent} octets were taken before the door read no more")
        assert sent < 50_000_000
        with Client(settings.smtp_listen) as client:
            assert client.mail().startswith("250")
