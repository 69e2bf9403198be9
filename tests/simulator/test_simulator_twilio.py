"""The simulator's REST API, driven by the unmodified twilio library."""

import json
from datetime import UTC, datetime, timedelta

import pytest
import requests
from twilio.base.exceptions import TwilioException, TwilioRestException

from tests.support.simulation import ACCOUNT, KIM, OLD_TOKEN, OURS, SAM, SECOND, SERVICE, TOKEN, simulation, soon

# Twilio's published Message resource (api.v2010.account.message).
FIELDS = """
account_sid api_version body date_created date_sent date_updated direction error_code error_message from
messaging_service_sid num_media num_segments price price_unit sid status subresource_uris to uri
"""


@pytest.fixture(scope="module")
def started():
    with simulation(messaging_service_sid=SERVICE, api_keys=(("SK" + "1" * 32, "secret"),)) as running:
        yield running


@pytest.fixture
def sim(started):
    started.reset()
    return started


def refused(call):
    with pytest.raises(TwilioException) as raised:
        call()
    error = raised.value
    if isinstance(error, TwilioRestException):
        return error.status, error.code
    response = error.args[1]  # lists raise their own way
    return response.status_code, json.loads(response.text)["code"]


def post(sim, **form):
    return requests.post(
        f"{sim.url}/2010-04-01/Accounts/{ACCOUNT}/Messages.json", auth=(ACCOUNT, TOKEN), data=form, timeout=5
    )


def test_create_answers_as_twilio_does(sim):
    answer = post(sim, To=SAM, From=OURS, Body="hello")
    assert answer.status_code == 201
    body = answer.json()
    assert sorted(body) == FIELDS.split()
    assert (body["status"], body["direction"], body["num_segments"], body["num_media"]) == (
        "queued",
        "outbound-api",
        "1",
        "0",
    )
    assert body["date_sent"] is body["price"] is body["error_code"] is None
    assert body["uri"] == f"/2010-04-01/Accounts/{ACCOUNT}/Messages/{body['sid']}.json"
    assert body["date_created"].endswith(" +0000")


def test_the_library_reads_it(sim):
    message = sim.send(body="hello")
    assert message.sid.startswith("SM")
    assert len(message.sid) == 34
    assert (message.to, message.from_, message.body, message.api_version) == (SAM, OURS, "hello", "2010-04-01")
    assert abs(message.date_created - datetime.now(UTC)) < timedelta(seconds=5)
    delivered = soon(lambda: (m := sim.twilio.messages(message.sid).fetch()).status == "delivered" and m)
    assert delivered.date_sent
    assert delivered.price == "-0.00830"


def test_segments(sim):
    for body, parts in [("a" * 160, "1"), ("a" * 161, "2"), ("€" * 80, "1"), ("ш" * 71, "2"), ("🦀" * 35, "1")]:
        assert sim.send(body=body).num_segments == parts


def test_a_messaging_service_chooses_the_number(sim):
    message = sim.twilio.messages.create(to=SAM, messaging_service_sid=SERVICE, body="hello")
    assert (message.status, message.from_, message.num_segments) == ("accepted", None, "0")
    soon(lambda: sim.twilio.messages(message.sid).fetch().from_ == OURS)


def test_both_tokens_and_api_keys_open(sim):
    sent = sim.send().sid
    for client in (sim.client(password=OLD_TOKEN), sim.client("SK" + "1" * 32, "secret", account_sid=ACCOUNT)):
        assert [message.sid for message in client.messages.list(limit=1)] == [sent]


@pytest.mark.parametrize(
    ("form", "status", "code"),
    [
        ({"From": OURS, "Body": "x"}, 400, 21604),
        ({"To": SAM, "Body": "x"}, 400, 21603),
        ({"To": SAM, "From": OURS}, 400, 21602),
        ({"To": "555", "From": OURS, "Body": "x"}, 400, 21211),
        ({"To": SAM, "From": KIM, "Body": "x"}, 400, 21606),
        ({"To": SAM, "MessagingServiceSid": "MG" + "0" * 32, "Body": "x"}, 404, 21701),
        ({"To": SAM, "From": OURS, "Body": "x" * 1601}, 400, 21617),
        ({"To": SAM, "From": OURS, "Body": "x", "StatusCallback": "nowhere"}, 400, 21609),
        ({"To": SAM, "From": OURS, "Body": "x", "ValidityPeriod": "36001"}, 400, 20001),
    ],
)
def test_refusals(sim, form, status, code):
    answer = post(sim, **form)
    body = answer.json()
    assert (answer.status_code, body["code"], body["status"]) == (status, code, status)
    assert sorted(body) == ["code", "message", "more_info", "status"]
    assert sim.ledger("create")[-1]["accepted"] is False


def test_who_may_not(sim):
    assert refused(lambda: sim.client(password="wrong").messages.list(limit=1)) == (401, 20003)
    assert refused(sim.twilio.messages("SM" + "0" * 32).fetch) == (404, 20404)
    assert refused(lambda: sim.client(account_sid="AC" + "0" * 32).messages.list(limit=1)) == (404, 20404)
    assert refused(lambda: sim.twilio.calls.list(limit=1)) == (404, 20404)


def test_stopped_phone(sim):
    sim.text("stop")
    assert refused(sim.send) == (400, 21610)
    sim.send(to=KIM)


def test_paging_holds_still(sim):
    sent = [sim.send(body=str(number)).sid for number in range(7)]
    page = sim.twilio.messages.page(page_size=3)
    found = [message.sid for message in page]
    sim.send(body="in between")
    while page := page.next_page():
        found += [message.sid for message in page]
    assert found == sent[::-1]
    assert len(sim.twilio.messages.list(page_size=2)) == 8


def test_filters(sim):
    for to in (SAM, KIM):
        for sender in (OURS, SECOND):
            sim.send(to=to, sender=sender)
    sim.text("hi", phone=KIM)
    listing = sim.twilio.messages.list
    now = datetime.now(UTC)
    assert {m.to for m in listing(to=SAM)} == {SAM}
    assert [m.direction for m in listing(to=OURS)] == ["inbound"]
    assert len(listing(from_=SECOND)) == 2
    assert [m.body for m in listing(from_=KIM)] == ["hi"]
    assert len(listing(to=KIM, from_=OURS, date_sent_after=now - timedelta(days=1))) == 1
    assert len(listing(date_sent=now)) == 5
    assert listing(date_sent_before=now - timedelta(days=1)) == []
    assert listing(date_sent_after=now + timedelta(days=1)) == []
    assert refused(lambda: listing(date_sent="soon")) == (400, 20001)


def test_redact_cancel_delete():
    with simulation(sent_after=60, delivered_after=61) as sim:  # nothing moves on before it is cancelled
        message = sim.send()
        assert message.update(status="canceled").status == "canceled"
        assert message.update(body="").body == ""
        assert refused(lambda: message.update(body="other")) == (400, 20001)
        assert message.delete()
        assert refused(message.fetch) == (404, 20404)


def test_oldest_are_forgotten():
    with simulation(keep_messages=3) as sim:
        sent = [sim.send(body=str(number)).sid for number in range(5)]
        assert [message.sid for message in sim.twilio.messages.list(to=SAM)] == sent[:1:-1]
        assert len(sim.ledger("create")) == 5
