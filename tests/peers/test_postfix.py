"""Postfix on both sides of us: as the company's relay in front of our door, and as the relay that we send through."""

import asyncio
import json
import smtplib
import subprocess
import time

import pytest
import uvloop

from bench.stub import Stub
from critter.doctor import mail
from gateway.carriers.common.protocol import OutboundEmail, Outcome
from gateway.carriers.smtp.relay import SmtpRelay
from tests.peers.conftest import Door, Relay, need, need_postfix

CONTENT = b"From: kim@corp.example\r\nTo: post@mail.example\r\nMessage-ID: <%d@corp.example>\r\n\r\n.lunch at %d\r\n"

DOTTED = "SELECT count(*) FROM inbound WHERE position(convert_to(E'\\r\\n.lunch at', 'UTF8') IN raw) > 0"


def test_it_relays_to_our_door(door: Door) -> None:
    """Mails that it queues for us arrive, each once, their dots in place."""
    need_postfix()
    with Relay(door.port) as relay, smtplib.SMTP("127.0.0.1", relay.port, local_hostname="corp.example") as client:
        for number in range(50):
            client.sendmail("kim@corp.example", ["post@mail.example"], CONTENT % (number, number))
        door.wait_for(50)
    assert door.place.scalar("SELECT count(DISTINCT message_id) FROM inbound") == 50
    assert door.place.scalar(DOTTED) == 50


def test_it_waits_while_our_door_is_closed(door: Door) -> None:
    """A 4xx or no answer at all: Postfix keeps the mail and it lands once when we are back."""
    need_postfix()
    with Relay(door.port) as relay:
        door.place.run("ALTER TABLE inbound RENAME TO away")
        with smtplib.SMTP("127.0.0.1", relay.port, local_hostname="corp.example") as client:
            client.sendmail("kim@corp.example", ["post@mail.example"], CONTENT % (1, 1))
        time.sleep(2)
        door.place.run("ALTER TABLE away RENAME TO inbound")
        door.wait_for(1)


def test_we_send_through_it() -> None:
    """Every letter is taken under a queue id of Postfix's and reaches the other side once."""
    need_postfix()
    count = 500
    emails = [OutboundEmail(n, f"b+{n}@mail.example", f"p{n}@corp.example", CONTENT % (n, n)) for n in range(count)]
    with Stub("letters") as sink, Relay(sink.port) as relay:
        outcomes = uvloop.run(_sent(relay.port, emails))
        assert {outcome.state for outcome in outcomes} == {"sent"}
        assert len({outcome.carrier_id for outcome in outcomes}) == count
        end = time.monotonic() + 60
        while sink.count() < count and time.monotonic() < end:
            time.sleep(0.1)
        assert (sink.count(), sink.report()["distinct"]) == (count, count)


async def _sent(port: int, emails: list[OutboundEmail]) -> list[Outcome]:
    carrier, outcomes = SmtpRelay(f"smtp://127.0.0.1:{port}", "mail.example"), list[Outcome]()
    async with asyncio.timeout(60):
        await carrier.send(emails, lambda _, outcome: outcomes.append(outcome))
    await carrier.close()
    return outcomes


def test_smtp_source_floods_our_door(door: Door) -> None:
    """Twenty sessions at once; as many rows are durable as it counts answers."""
    program, count = need("smtp-source", "postfix"), 2000
    command = [program, "-s", "20", "-m", str(count), "-l", "1024", "-f", "kim@corp.example", "-t", "post@mail.example"]
    subprocess.run([*command, "-M", "corp.example", f"127.0.0.1:{door.port}"], check=True, timeout=120)
    assert door.rows() == count


def test_check_mail_goes_round_by_it(door: Door, capsys: pytest.CaptureFixture[str]) -> None:
    """Out by the real Postfix, which hands our domain to our door."""
    need_postfix()
    with Relay(door.port) as relay:
        mine = {"smtp_relay": f"smtp://127.0.0.1:{relay.port}", "smtp_listen": ("127.0.0.1", door.port)}
        settings = door.place.settings.model_copy(update=mine)
        assert mail.run(settings, as_json=True, patience=60) == 0
        rows = {row["type"]: row for row in json.loads(capsys.readouterr().out)}
        assert rows["round trip"]["note"].startswith("a mail through the relay was back at our door after")
    assert door.rows() == 1
