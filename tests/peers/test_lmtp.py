"""Postfix as the company's mail server in front of us: it hands our domain's mail over by LMTP, and takes ours on."""

import smtplib
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import uvloop

from bench.company import company
from bench.mail_in import listens
from bench.stub import Stub
from gateway.carriers.common.protocol import OutboundEmail, Outcome
from gateway.carriers.smtp.relay import SmtpRelay
from tests.peers.conftest import PEOPLE, Door, Relay, need_postfix
from tests.support.ports import free_port

CONTENT = b"From: kim@corp.example\r\nTo: post@mail.example\r\nMessage-ID: <%d@corp.example>\r\n\r\n.lunch at %d\r\n"

# What docs/mail.md tells an operator to write, and where this test's own relay is.
MAIN = """
relayhost =
relay_domains = mail.example
transport_maps = inline:{{ {{ mail.example = lmtp:{place} }}, {{ corp.example = smtp:[127.0.0.1]:{onward} }} }}
virtual_alias_maps = inline:{{ {{ everybody@corp.example = ops@mail.example }} }}
virtual_alias_domains =
mynetworks = 127.0.0.0/8
smtpd_recipient_restrictions = permit_auth_destination, permit_mynetworks, reject
smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination
smtpd_client_restrictions =
smtpd_data_restrictions =
address_verify_map =
unverified_recipient_reject_code = 550
recipient_delimiter = +
"""
CHECKED = "smtpd_recipient_restrictions = reject_unverified_recipient, permit_mynetworks, reject\n"
MASTER = """
lmtp unix - - n - - lmtp
verify unix - - n - 1 verify
"""


class Front(Relay):
    """Hands the mail of our domain to `place`, and everything else to a port of this machine."""

    def __init__(self, place: str, onward: int, *, checked: bool = False) -> None:
        super().__init__(onward)
        self._place, self._onward, self._checked = place, onward, checked

    def configure(self, config: Path) -> None:
        super().configure(config)
        with (config / "main.cf").open("a") as file:
            file.write(MAIN.format(place=self._place, onward=self._onward) + (CHECKED if self._checked else ""))
        with (config / "master.cf").open("a") as file:
            file.write(MASTER)


@pytest.fixture(params=["port", "socket"])
def handed_over(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Door, str]]:
    """Our door, and what Postfix calls its LMTP side."""
    need_postfix()
    port, lmtp = free_port(), free_port()
    folder = tmp_path_factory.mktemp("lmtp")
    for path in (folder, *folder.parents[:2]):
        path.chmod(0o755)  # Postfix comes by as its own user
    ours, theirs = f"127.0.0.1:{lmtp}", f"inet:127.0.0.1:{lmtp}"
    if request.param == "socket":
        ours = theirs = f"unix:{folder}/lmtp"
    listening = {"CRITTER_SMTP_LISTEN": f"127.0.0.1:{port}", "CRITTER_LMTP_LISTEN": ours}
    with company("mail", **listening) as place:
        place.run(PEOPLE)
        place.wait(lambda: listens(port))
        yield Door(port, place), theirs


def test_it_hands_over_and_we_answer_through_it(handed_over: tuple[Door, str]) -> None:
    """Both directions through one Postfix: fifty mails in, each once and for all their recipients; a hundred out."""
    door, place = handed_over
    to = ["post@mail.example", "kim@mail.example", "everybody@corp.example"]
    emails = [OutboundEmail(n, f"b+{n}@mail.example", f"p{n}@corp.example", CONTENT % (n, n)) for n in range(100)]
    with Stub("letters") as sink, Front(place, sink.port) as front:
        with smtplib.SMTP("127.0.0.1", front.port, local_hostname="corp.example") as client:
            for number in range(50):
                client.sendmail("kim@corp.example", to, CONTENT % (number, number))
        door.wait_for(50)
        outcomes = uvloop.run(_sent(front.port, emails))
        assert {outcome.state for outcome in outcomes} == {"sent"}
        until(lambda: sink.count() >= 100)
        assert (sink.count(), sink.report()["distinct"]) == (100, 100)
    assert door.place.scalar("SELECT count(DISTINCT message_id) FROM inbound") == 50
    recipients = door.place.scalar("SELECT DISTINCT recipients FROM inbound")
    assert set(recipients) == {"post@mail.example", "kim@mail.example", "ops@mail.example"}
    assert door.place.scalar("SELECT count(*) FROM inbound WHERE trusted OR proof IS NOT NULL") == 0


def test_what_we_do_not_know_it_refuses_by_itself(handed_over: tuple[Door, str]) -> None:
    """reject_unverified_recipient asks us while the sender still waits, so nothing is ever bounced later."""
    door, place = handed_over
    with Stub("letters") as sink, Front(place, sink.port, checked=True) as front:
        with smtplib.SMTP("127.0.0.1", front.port, local_hostname="corp.example") as client:
            client.ehlo()
            client.mail("kim@corp.example")
            assert until(lambda: client.rcpt("nobody@mail.example")[0] == 550)
            assert until(lambda: client.rcpt("kim@mail.example")[0] == 250)
            assert client.data(CONTENT % (1, 1))[0] == 250
        door.wait_for(1)
        assert sink.count() == 0
    assert door.place.scalar("SELECT recipients FROM inbound") == ["kim@mail.example"]


def test_subaddresses_arrive_as_they_are(handed_over: tuple[Door, str]) -> None:
    """recipient_delimiter is for Postfix's own lookups; what it hands over is the whole address."""
    door, place = handed_over
    with Stub("letters") as sink, Front(place, sink.port) as front:
        with smtplib.SMTP("127.0.0.1", front.port, local_hostname="corp.example") as client:
            client.sendmail("kim@corp.example", ["ops+join@mail.example"], CONTENT % (1, 1))
            client.sendmail("kim@corp.example", ["ops-leave@mail.example"], CONTENT % (2, 2))
        door.wait_for(2)
    got = door.place.scalar("SELECT array_agg(recipients[1] ORDER BY id) FROM inbound")
    assert sorted(got) == ["ops+join@mail.example", "ops-leave@mail.example"]


def until(done: Callable[[], bool], seconds: float = 60) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if done():
            return True
        time.sleep(0.1)
    return False


async def _sent(port: int, emails: list[OutboundEmail]) -> list[Outcome]:
    carrier, outcomes = SmtpRelay(f"smtp://127.0.0.1:{port}", "mail.example"), list[Outcome]()
    await carrier.send(emails, lambda _, outcome: outcomes.append(outcome))
    await carrier.close()
    return outcomes
