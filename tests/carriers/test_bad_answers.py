"""Answers that no carrier should give: they are classified, counted and alarmed, and nothing crashes.

The real carriers stand before servers of their own. Whatever bytes come, each parcel has exactly one of four outcomes.
"""

import asyncio
import json
import logging

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.carriers.common.protocol import Outcome
from gateway.carriers.common.send_gate import OPEN
from gateway.carriers.instrumented import STRANGE, InstrumentedCarrier, instrument, strange
from gateway.carriers.twilio.error_codes import callback_outcome
from gateway.carriers.twilio.responses import read_answer
from gateway.errors import CarrierError
from gateway.ledger.commit import counters
from gateway.ledger.outbox.callbacks import CallbackCall, record
from gateway.ledger.outbox.outbox import Target
from gateway.store.database import transaction
from tests.carriers import test_smtp_relay as mail
from tests.carriers import test_twilio_sms as sms
from tests.support.delivering import open_context, person, post, rows
from tests.support.examples import example_count
from workers import callbacks

STATES = {"sent", "unknown", "retry", "failed"}
SLOW = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(autouse=True)
def _anew(monkeypatch):
    monkeypatch.setattr("gateway.carriers.instrumented._complained", {})
    monkeypatch.setattr("gateway.carriers.smtp.relay.BACK_OFF", 0.001)
    counters.take_counts()


def alarms():
    return sorted(labels for (name, labels), count in counters.take_counts().items() if name == "strange" and count)


async def watched_text(script, **options):
    async with sms.fake(script, **options) as (_, carrier):
        seen = instrument(carrier)
        [outcome] = await sms.send(seen, sms.text())
        await seen.close()
        return outcome


def created(**fields):
    return [sms.http(201, {"sid": sms.SID, "status": "queued", **fields})]


@pytest.mark.parametrize(
    ("script", "state", "reason", "alarm"),
    [
        (created(sid=7), "unknown", "malformed", ["sms,malformed"]),
        (created(sid=[sms.SID]), "unknown", "malformed", ["sms,malformed"]),
        (created(sid=sms.SID + "\0"), "unknown", "malformed", ["sms,malformed"]),
        (created(sid="SM" + "\ud800" * 32), "unknown", "malformed", ["sms,malformed"]),
        ([sms.http(201, b'{"sid": "SM')], "unknown", "malformed", ["sms,malformed"]),
        ([sms.http(201, [{"sid": sms.SID}])], "unknown", "malformed", ["sms,malformed"]),
        ([sms.http(201, b"<html>Created</html>")], "unknown", "malformed", ["sms,malformed"]),
        ([sms.http(200, b"null")], "unknown", "malformed", ["sms,malformed"]),
        ([sms.http(204, b"")], "unknown", "malformed", ["sms,malformed"]),
        (created(body=["a", "list"]), "sent", "", []),
        (created(filler="x" * 70_000), "unknown", "too long", ["sms,too_long"]),
        (created(status="teleported"), "sent", "", ["sms,odd_status"]),
        (created(status=7), "sent", "", ["sms,odd_status"]),
        (created(status=["queued"]), "sent", "", ["sms,odd_status"]),
        ([sms.refusal(400, 39_999)], "failed", "39999", ["sms,unlisted_code"]),
        ([sms.refusal(400, -1)], "failed", "400", []),
        ([sms.refusal(400, 10**4000)], "failed", "400", []),
        ([sms.refusal(400, "21610")], "failed", "400", []),
        ([sms.refusal(400, [21610])], "failed", "400", []),
        ([sms.http(400, b'{"code": 1' + b"0" * 9000 + b"}")], "failed", "400", []),
        ([sms.http(400, b"<html>Bad Request</html>")], "failed", "400", []),
        ([sms.http(502, b"<html>Bad Gateway</html>")], "unknown", "502", []),
        ([sms.http(999, b"")], "unknown", "999", []),
        ([b"HTTP/1.1 2O1 X\r\n\r\n", sms.CLOSE], "unknown", "cut", []),
        ([sms.CREATED[:40], sms.WAIT], "unknown", "timeout", []),
    ],
    ids=range(25),
)
def test_strange_answers_of_twilio(script, state, reason, alarm, caplog):
    outcome = asyncio.run(watched_text(script, timeout=0.5 if reason == "timeout" else 5.0))
    assert (outcome.state, outcome.reason, outcome.pause) == (state, reason, False)
    assert alarms() == alarm
    said = [each.getMessage() for each in caplog.records if each.name == "gateway.carriers.instrumented"]
    assert all(each.levelno == logging.ERROR for each in caplog.records if each.name == "gateway.carriers.instrumented")
    assert len(said) == len(alarm)
    assert not any(secret in line for line in said for secret in (sms.RECIPIENT, sms.BODY, sms.TOKEN))


BAD_ROWS = [
    {"sid": sms.SID + "\0"},
    {"sid": 7},
    {"to": None},
    {"body": ["x"]},
    {"date_sent": 7},
]


@pytest.mark.parametrize("change", BAD_ROWS, ids=str)
def test_a_strange_list_of_twilio_raises_an_alarm(change):
    async def story():
        async with sms.fake([sms.page([sms.listed(1), sms.listed(2, **change)])]) as (_, carrier):
            await instrument(carrier).listing(sms.RECIPIENT, None, sms.SINCE)

    with pytest.raises(CarrierError) as lost:
        asyncio.run(story())
    assert lost.value.reason == "malformed"
    assert alarms() == ["sms,list"]


def test_a_text_in_the_list_whose_time_nobody_understands_is_still_there():
    """It must not be taken for absent, or it would be sent again."""

    async def story():
        async with sms.fake([sms.page([sms.listed(1, sent="yesterday")])]) as (_, carrier):
            return await carrier.listing(sms.RECIPIENT, None, sms.SINCE)

    assert [each.sent_at for each in asyncio.run(story())] == [None]


@pytest.mark.parametrize("status", ["teleported", "", 7, None])
def test_an_unknown_status_in_the_list_is_only_a_word(status):
    async def story():
        async with sms.fake([sms.page([sms.listed(1, status=status)])]) as (_, carrier):
            return await carrier.listing(sms.RECIPIENT, None, sms.SINCE)

    assert [each.status for each in asyncio.run(story())] == [str(status)]


def test_an_unknown_status_in_a_callback_is_kept_and_changes_nothing(engine, settings):
    kim = person(engine, "kim", phone="+14155550101")[0]
    sam = person(engine, "sam", phone="+14155550102")[1]
    post(engine, kim, "hello", [Target(sam, "sms")])
    with transaction(engine) as session:
        record(session, [CallbackCall(7, sms.SID, "teleported", "123456"), CallbackCall(7, sms.SID, "sent", "999999")])
    context = open_context(settings)
    try:
        while callbacks.step(context):
            pass
    finally:
        context.close()
    assert rows(engine, "SELECT status, reason FROM callbacks WHERE applied_at IS NOT NULL ORDER BY status") == [
        ("sent", "999999"),
        ("teleported", "123456"),
    ]
    assert rows(engine, "SELECT state FROM deliveries") == [("queued",)]
    assert alarms() == ["sms,callback_status"]


@pytest.mark.parametrize("code", [None, "", "0", "99999", "123456", "abc", "²²²²²", "-30003"])
def test_an_unknown_code_in_a_callback_ends_the_text(code):
    report = callback_outcome("undelivered", code)
    assert (report.step, report.action, report.retries) == ("failed", "none", 0)


async def watched_letter(script, **options):
    async with mail.relay(script, **options) as (_, carrier):
        seen = InstrumentedCarrier(carrier)
        [outcome] = await mail.send(seen, mail.letter(1))
        await seen.close()
        return outcome


PLACES = ["GREETING", "EHLO", "MAIL", "RCPT", "DATA", "CONTENT"]
NONSENSE = [
    b"<html>hello</html>\r\n",
    b"250\r\n250\r\n250\r\n250\r\n" * 10,
    b"\xff\xfe\x00\r\n",
    b"299999 what\r\n",
    b"999 what\r\n",
    b"250-" + b"x" * 200_000,
    b"250-more\r\n" * 20_000,
    b"\r\n",
    b"+OK POP3 server ready\r\n",
]


@pytest.mark.parametrize("reply", NONSENSE, ids=lambda reply: repr(reply[:12]))
@pytest.mark.parametrize("place", PLACES)
def test_strange_replies_of_the_relay(place, reply):
    """Before the content is out it surely has not left; after that nobody knows."""
    outcome = asyncio.run(watched_letter(mail.on(place, reply), timeout=1.0))
    assert outcome.state in STATES
    assert not outcome.pause
    if place != "CONTENT":
        assert outcome.state in ("retry", "failed", "sent")
    if outcome.reason in STRANGE:
        assert alarms() == [f"email,{outcome.reason}"]


@pytest.mark.parametrize("code", [b"200", b"299", b"450", b"499", b"500", b"599"])
def test_unlisted_codes_of_the_relay(code):
    outcome = asyncio.run(watched_letter(mail.on("CONTENT", code + b" 9.9.9 what\r\n")))
    assert outcome.state == {b"2": "sent", b"4": "retry", b"5": "failed"}[code[:1]]
    assert alarms() == []


def judged(outcome):
    assert outcome.state in STATES
    assert len(outcome.reason) <= 20
    assert outcome.reason.isprintable()
    assert outcome.carrier_id is None or (outcome.carrier_id.isascii() and len(outcome.carrier_id) <= 64)
    assert strange(outcome) == strange(outcome).replace(",", "")


BODIES = st.one_of(
    st.binary(max_size=300),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40),
        lambda each: (
            st.lists(each, max_size=3)
            | st.dictionaries(st.sampled_from(["sid", "code", "status", "message", "body"]) | st.text(max_size=5), each)
        ),
        max_leaves=8,
    ).map(lambda each: json.dumps(each).encode()),
)


@settings(max_examples=example_count(500), deadline=None)
@given(st.integers(100, 999), BODIES)
def test_any_answer_is_one_of_four(status, body):
    judged(read_answer(status, body.decode(errors="replace")))


ANY_HTTP = st.one_of(
    st.binary(max_size=400),
    st.builds(lambda status, body: sms.http(status, body), st.integers(200, 999), BODIES),
    st.builds(lambda body, cut: sms.http(201, body)[:cut], BODIES, st.integers(0, 200)),
    st.builds(lambda rest: b"HTTP/1.1 201 X\r\n" + rest, st.binary(max_size=200)),
)


@SLOW
@given(ANY_HTTP)
def test_any_bytes_from_twilio_are_one_of_four(said):
    judged(asyncio.run(watched_text([said, sms.CLOSE], timeout=1.0)))


ANY_REPLY = st.one_of(
    st.binary(max_size=100),
    st.binary(max_size=60).map(lambda rest: rest.replace(b"\n", b"") + b"\r\n"),
    st.builds(
        lambda code, text: b"%d %b\r\n" % (code, text.replace(b"\n", b"").replace(b"\r", b"")),
        st.integers(100, 700),
        st.binary(max_size=60),
    ),
)


@SLOW
@given(st.sampled_from(PLACES), ANY_REPLY)
def test_any_bytes_from_the_relay_are_one_of_four(place, said):
    judged(asyncio.run(watched_letter(mail.on(place, said), timeout=0.2)))


def test_a_carrier_that_raises_is_alarmed_too():
    class Broken:
        channel = "sms"

        async def send(self, batch, settled, gate=OPEN):
            raise RuntimeError("a bug")

    with pytest.raises(RuntimeError):
        asyncio.run(InstrumentedCarrier(Broken()).send([sms.text()], lambda parcel, outcome: None))
    assert alarms() == ["sms,carrier_failed"]


def test_what_is_usual_is_no_alarm():
    for outcome in (Outcome("sent", sms.SID), Outcome("retry", reason="20429"), Outcome("failed", reason="550")):
        assert strange(outcome) == ""
