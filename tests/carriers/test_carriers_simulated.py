"""Both carriers against the simulator: what they say became of a parcel is what its ledger shows."""

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from gateway.carriers.common.protocol import OutboundEmail, Text
from gateway.carriers.smtp.relay import SmtpRelay
from gateway.carriers.twilio.error_codes import callback_outcome
from gateway.carriers.twilio.sms import TwilioSms
from gateway.errors import CarrierError
from gateway.security.twilio_signature import Verifier
from tests.support.simulation import ACCOUNT, OURS, SAM, TOKEN, simulation, soon

CONTENT = b"From: post@mail.example\r\nSubject: hello\r\nMessage-ID: <%d@mail.example>\r\n\r\n.a dot\r\n"


@pytest.fixture(scope="module")
def started():
    with simulation() as running:
        yield running


@pytest.fixture
def sim(started):
    started.reset()
    started.faults()
    yield started
    started.faults()


def texts(sim, count):
    return [
        Text(n, OURS, f"+1555123{n:04d}", f"text {n} {'é' * 5}", f"{sim.critter}/sms/status/{n}", 14400)
        for n in range(count)
    ]


def letters(count):
    return [OutboundEmail(n, f"b+{n}@mail.example", f"p{n}@corp.example", CONTENT % n) for n in range(count)]


def sent(make, batch):
    """The outcomes by attempt of one batch over a carrier of its own."""

    async def story():
        carrier, outcomes = make(), {}
        await carrier.send(batch, lambda parcel, outcome: outcomes.update({parcel.attempt: outcome}))
        await carrier.close()
        return outcomes

    outcomes = asyncio.run(story())
    assert sorted(outcomes) == [each.attempt for each in batch]
    return outcomes


def twilio(sim, token=TOKEN):
    return lambda: TwilioSms(ACCOUNT, token, sim.url, timeout=2.0)


def relay(sim):
    host, port = sim.running.smtp_listen
    return lambda: SmtpRelay(f"smtp://{host}:{port}", "critter.example", timeout=2.0)


def listing(sim, recipient=None, sender=OURS, since=None):
    async def story():
        carrier = twilio(sim)()
        try:
            return await carrier.listing(recipient, sender, since or datetime.now(UTC) - timedelta(minutes=1))
        finally:
            await carrier.close()

    return asyncio.run(story())


def test_texts_arrive_and_their_callbacks_are_genuine(sim):
    batch = texts(sim, 100)
    outcomes = sent(twilio(sim), batch)
    assert {each.state for each in outcomes.values()} == {"sent"}
    soon(lambda: len([f for f in sim.heard.forms("/sms/status/") if f["MessageStatus"] == "delivered"]) == 100)
    verifier = Verifier(("another", TOKEN))
    for url, path, form, headers in sim.heard.requests:
        assert verifier.genuine(url, form, headers["X-Twilio-Signature"])
        assert form["MessageSid"] == outcomes[int(path.rpartition("/")[2])].carrier_id
        assert callback_outcome(form["MessageStatus"], form.get("ErrorCode"))


def test_the_list_shows_every_text(sim):
    batch = texts(sim, 700)  # more than a page
    outcomes = sent(twilio(sim), batch)
    found = {each.carrier_id: each for each in listing(sim)}
    assert {outcomes[each.attempt].carrier_id for each in batch} == set(found)
    for each in batch:
        listed = found[outcomes[each.attempt].carrier_id]
        assert (listed.recipient, listed.sender, listed.body) == (each.recipient, each.sender, each.body)
        assert listed.direction == "outbound-api"
    assert [each.body for each in listing(sim, batch[7].recipient)] == [batch[7].body]
    assert soon(lambda: all(each.sent_at for each in listing(sim)))
    assert listing(sim, since=datetime.now(UTC) + timedelta(seconds=5)) == []


@pytest.mark.parametrize(
    ("fault", "state", "reason"),
    [
        ({"fault": "429"}, "retry", "20429"),
        ({"fault": "500"}, "unknown", "500"),
        ({"fault": "500", "accepted": True}, "unknown", "500"),
        ({"fault": "503"}, "unknown", "503"),
        ({"fault": "refuse", "code": 21610}, "failed", "21610"),
        ({"fault": "refuse", "code": 30034}, "retry", "30034"),
        ({"fault": "cut-before"}, "unknown", "cut"),
        ({"fault": "accept-then-cut"}, "unknown", "cut"),
        ({"fault": "half-body"}, "unknown", "cut"),
        ({"fault": "garbage"}, "unknown", "malformed"),
        ({"fault": "delay", "seconds": 5.0}, "unknown", "timeout"),
    ],
)
def test_twilios_faults(sim, fault, state, reason):
    sim.faults({**fault, "every": 2})
    outcomes = sent(twilio(sim), texts(sim, 10))
    assert Counter((each.state, each.reason) for each in outcomes.values()) == {("sent", ""): 5, (state, reason): 5}
    sim.faults()
    known = {each.body for each in listing(sim)}
    for text in texts(sim, 10):
        outcome = outcomes[text.attempt]
        assert outcome.state == "unknown" or (text.body in known) is (outcome.state == "sent")


def test_a_wrong_token(sim):
    outcomes = sent(twilio(sim, "wrong"), texts(sim, 10))
    assert {(each.state, each.reason, each.pause) for each in outcomes.values()} == {("retry", "20003", True)}


def test_a_list_that_cannot_be_had(sim):
    sim.faults({"fault": "500", "on": "list"})
    with pytest.raises(CarrierError):
        listing(sim, SAM)


def test_letters_arrive(sim):
    outcomes = sent(relay(sim), letters(300))
    assert {each.state for each in outcomes.values()} == {"sent"}
    [mail] = sim.get("/mailboxes/p7@corp.example.json")["mails"]
    assert ".a dot" in str(mail)
    assert "..a dot" not in str(mail)


@pytest.mark.parametrize(
    ("fault", "state", "reason"),
    [
        ({"fault": "smtp-4xx", "at": "mail"}, "retry", "451"),
        ({"fault": "smtp-4xx", "at": "rcpt"}, "retry", "451"),
        ({"fault": "smtp-5xx", "at": "rcpt"}, "failed", "550"),
        ({"fault": "smtp-5xx", "at": "dot"}, "failed", "550"),
        ({"fault": "smtp-cut-before-dot"}, None, "cut"),
        ({"fault": "smtp-cut-after-dot"}, "unknown", "cut"),
    ],
)
def test_the_relays_faults(sim, fault, state, reason):
    sim.faults({**fault, "every": 5})
    outcomes = sent(relay(sim), letters(40))
    arrived = {n for n in outcomes if sim.get(f"/mailboxes/p{n}@corp.example.json")["received"]}
    counted = Counter(each.state for each in outcomes.values())
    assert counted["sent"] >= 20
    assert {(each.state, each.reason) for each in outcomes.values()} & {(state or "unknown", reason)}
    for n, outcome in outcomes.items():
        assert outcome.state == "unknown" or (n in arrived) is (outcome.state == "sent")
