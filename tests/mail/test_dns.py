"""DNS as it really answers: a server of our own on loopback that is well, slow, silent, broken or lavish."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest

from gateway.errors import SettingsError
from gateway.mail.auth.dmarc import SECONDS
from gateway.mail.auth.dns import (
    MOST_RECORDS,
    BoundedResolver,
    DnsAnswer,
    DnsUnavailable,
    NameServers,
    Remembering,
    Zone,
    of_settings,
)
from gateway.settings import load

Answer = Callable[[dns.message.Message], dns.message.Message | bytes | None]


@contextmanager
def answering(answer: Answer, patience: float = 5.0) -> Iterator[tuple[NameServers, list[str]]]:
    """A name server, and the names that it was asked for."""
    asked: list[str] = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as there:
        there.bind(("127.0.0.1", 0))
        there.settimeout(5)

        def serve() -> None:
            while True:
                try:
                    packet, peer = there.recvfrom(4096)
                except OSError:
                    return
                if packet == b"end":
                    return
                query = dns.message.from_wire(packet)
                asked.append(str(query.question[0].name))
                said = answer(query)
                if said is not None:
                    there.sendto(said if isinstance(said, bytes) else said.to_wire(max_size=65535), peer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield NameServers((there.getsockname(),), patience=patience), asked
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"end", there.getsockname())
        thread.join(5)


def saying(*records: str, kind: str = "TXT", rcode: dns.rcode.Rcode = dns.rcode.NOERROR) -> Answer:
    def answer(query: dns.message.Message) -> dns.message.Message:
        reply = dns.message.make_response(query)
        reply.set_rcode(rcode)
        if records:
            reply.answer.append(dns.rrset.from_text(query.question[0].name, 300, "IN", kind, *records))
        return reply

    return answer


def test_what_it_says():
    with answering(saying('"v=spf1 " "-all"', '"other"')) as (servers, _):
        found = servers.ask("corp.example", "TXT")
    assert set(found.records) == {b"v=spf1 -all", b"other"}
    assert found.seconds == 300
    with answering(saying("10 mx.corp.example.", kind="MX")) as (servers, _):
        assert servers.ask("corp.example", "MX").records == ((10, "mx.corp.example"),)
    with answering(saying("2001:db8::1", kind="AAAA")) as (servers, _):
        assert servers.ask("corp.example", "AAAA").records == ("2001:db8::1",)


def test_no_such_name_is_an_answer():
    for answer in (saying(rcode=dns.rcode.NXDOMAIN), saying()):
        with answering(answer) as (servers, _):
            assert servers.ask("corp.example", "TXT").records == ()
    with answering(saying()) as (servers, asked):
        assert servers.ask(("x" * 64) + ".example", "TXT").records == ()
        assert servers.ask("a..example", "TXT").records == ()
    assert asked == []


@pytest.mark.parametrize(
    "answer", [lambda _: None, saying(rcode=dns.rcode.SERVFAIL), saying(rcode=dns.rcode.REFUSED), lambda _: b"\x00\x01"]
)
def test_silence_and_failure_are_none(answer):
    began = time.monotonic()
    with answering(answer, 0.2) as (servers, _), pytest.raises(DnsUnavailable):
        servers.ask("corp.example", "TXT")
    assert time.monotonic() - began < 5


def test_a_lavish_answer_is_not_read_to_its_end():
    many = saying(*(f'"{number} {"x" * 200}"' for number in range(200)))
    with answering(many) as (servers, _):
        assert len(servers.ask("corp.example", "TXT").records) == MOST_RECORDS
    with answering(saying(" ".join(f'"{"y" * 250}"' for _ in range(60)))) as (servers, _):
        assert [len(each) for each in servers.ask("corp.example", "TXT").records] == [8192]


def test_answers_are_remembered_and_silence_too():
    with answering(saying('"yes"')) as (servers, asked):
        remembering = Remembering(servers)
        assert {remembering.ask("corp.example.", "TXT") for _ in range(5)} == {DnsAnswer((b"yes",), 300.0)}
        remembering.ask("CORP.example", "TXT")
        assert len(asked) == 1
    with answering(lambda _: None, 0.2) as (servers, asked):
        remembering = Remembering(servers)
        for _ in range(3):
            with pytest.raises(DnsUnavailable):
                remembering.ask("corp.example", "TXT")
        assert len(asked) <= 2  # one question, its packet perhaps twice


def test_what_is_remembered_is_bounded():
    asked = []

    class Counted(Zone):
        def ask(self, name, kind):
            asked.append(name)
            return super().ask(name, kind)

    remembering = Remembering(Counted(), most=10)
    for number in range(100):
        remembering.ask(f"n{number}.example", "TXT")
    assert len(remembering._kept) == 10
    remembering.ask("n99.example", "TXT")
    remembering.ask("n0.example", "TXT")
    assert asked.count("n99.example") == 1
    assert asked.count("n0.example") == 2


def test_the_questions_of_one_mail_end():
    with pytest.raises(DnsUnavailable):
        BoundedResolver(Zone(), 0.0).ask("corp.example", "TXT")
    assert BoundedResolver(Zone(), SECONDS).ask("corp.example", "TXT").records == ()


def test_simulated_asks_nobody():
    assert isinstance(of_settings(load({})), Zone)
    assert isinstance(of_settings(load({"CRITTER_DNS": "127.0.0.1:5353,[::1]:53"})), Remembering)
    assert load({"CRITTER_DNS": "127.0.0.1,::1"}).dns == (("127.0.0.1", 53), ("::1", 53))
    with pytest.raises(SettingsError, match=r"CRITTER_DNS: 10\.1\.0\.53 is not on this machine"):
        load({"CRITTER_DNS": "10.1.0.53"})
    for wrong in ("dns.example", "10.1.0", "127.0.0.1:0", "127.0.0.1:99999"):
        with pytest.raises(SettingsError, match="CRITTER_DNS"):
            load({"CRITTER_DNS": wrong})
    with pytest.raises(SettingsError, match="CRITTER_MAIL_AUTHSERV_ID"):
        load({"CRITTER_MAIL_AUTHSERV_ID": "mx example"})
