"""Texts in doubt: found in the carrier's list, proved absent, or left as they are."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine

from gateway.carriers import Listed, Outcome
from gateway.errors import CarrierError
from gateway.ledger.outbox import Target
from tests.delivering import Carrier, change, open_room, people, person, post, rows, states
from workers import deliver, reconcile
from workers.room import Room, enter

PHONE = "+14155560000"


@pytest.fixture
def texts() -> Carrier:
    carrier = Carrier("sms")
    carrier.answers = lambda _: Outcome("unknown", reason="timeout")
    return carrier


@pytest.fixture
def room(settings, texts: Carrier) -> Iterator[Room]:
    here = open_room(settings, texts)
    enter(here)
    yield here
    enter(None)
    here.close()


def doubt(engine: Engine, *words: str) -> None:
    """Texts by as many authors to one phone, each cut off before its answer."""
    phone = people(engine, 1)[0]
    for number, each in enumerate(words):
        author = person(engine, f"author{number}", phone=f"+1415555{number:04}")[0]
        post(engine, author, each, [Target(phone, "sms")])
    deliver.drain_sms()
    assert states(engine) == ["unknown"] * len(words)


def due(engine: Engine) -> None:
    change(engine, "UPDATE deliveries SET not_before = now() WHERE state = 'unknown'")


def listed(body: str, number: int = 1, direction: str = "outbound-api", phone: str = PHONE) -> Listed:
    return Listed(f"SM{number:032x}", phone, body, "sent", datetime.now(UTC), direction, "+15005550006")


def test_it_is_looked_for_after_the_settling_time(room, engine, texts):
    doubt(engine, "hello")
    wait = rows(engine, "SELECT not_before - now() AS wait, ended_at FROM deliveries")[0]
    assert 0 < wait.wait.total_seconds() <= 2
    assert wait.ended_at is None
    assert not reconcile.step(room)


def test_what_the_list_has_was_sent(room, engine, texts):
    doubt(engine, "hello")
    due(engine)
    texts.listed = lambda: [listed("hello")]
    assert reconcile.step(room)
    assert states(engine) == ["sent"]
    assert rows(engine, "SELECT carrier_id FROM attempts")[0].carrier_id == f"SM{1:032x}"
    assert rows(engine)[0].ended_at


def test_what_a_complete_list_lacks_goes_again(room, engine, texts):
    doubt(engine, "hello")
    due(engine)
    texts.listed = lambda: [listed("other"), listed("hello", direction="inbound")]
    reconcile.step(room)
    row = rows(engine)[0]
    assert (row.state, row.reason, row.possible_duplicate) == ("retry", "absent", True)
    texts.answers = texts.accept
    deliver.drain_sms()
    assert states(engine) == ["sent"]
    assert [one.state for one in rows(engine, "SELECT * FROM attempts ORDER BY number")] == ["unknown", "sent"]


def test_one_message_in_the_list_stands_for_one_text(room, engine, texts):
    doubt(engine, "ok", "ok (a1)")
    change(engine, "UPDATE deliveries SET tag = NULL")
    change(engine, "UPDATE messages SET text = 'ok'")
    due(engine)
    texts.listed = lambda: [listed("ok")]
    reconcile.step(room)
    assert sorted(states(engine)) == ["retry", "sent"]


def test_a_message_that_another_attempt_has_is_not_taken_for_it(room, engine, texts):
    doubt(engine, "ok")
    change(engine, f"INSERT INTO attempts (message_id, address_id, number, carrier_id) VALUES (1, 1, 1, 'SM{1:032x}')")
    due(engine)
    texts.listed = lambda: [listed("ok")]
    reconcile.step(room)
    assert states(engine) == ["retry"]


def test_half_a_list_proves_nothing(room, engine, texts):
    doubt(engine, "hello")
    due(engine)

    async def listing(*_):
        raise CarrierError("503", "transient")

    texts.listing = listing
    assert reconcile.step(room)
    assert states(engine) == ["unknown"]
    assert not reconcile.step(room)


def test_after_ten_minutes_it_is_left_as_it_is(room, engine, texts):
    doubt(engine, "hello")
    change(engine, "UPDATE attempts SET started_at = now() - interval '11 minutes'")
    due(engine)
    reconcile.step(room)
    row = rows(engine)[0]
    assert row.state == "unknown"
    assert row.ended_at
    assert len(texts.taken) == 1


def test_what_must_arrive_is_sent_once_more(room, engine, texts):
    doubt(engine, "hello")
    change(engine, "UPDATE messages SET must_arrive = true")
    for sends in (2, 2):
        change(engine, "UPDATE attempts SET started_at = now() - interval '11 minutes'")
        due(engine)
        reconcile.step(room)
        deliver.drain_sms()
        assert len(texts.taken) == sends
    row = rows(engine)[0]
    assert (row.state, row.possible_duplicate) == ("unknown", True)
    assert row.ended_at


def test_a_lane_waits_for_a_text_in_doubt(room, engine, texts):
    phone = people(engine, 1)[0]
    author = person(engine, "kim", phone="+14155550000")[0]
    post(engine, author, "one", [Target(phone, "sms")])
    post(engine, author, "two", [Target(phone, "sms")])
    deliver.drain_sms()
    assert states(engine) == ["unknown", "queued"]
    due(engine)
    texts.listed = lambda: [listed("one")]
    texts.answers = texts.accept
    reconcile.step(room)
    deliver.drain_sms()
    assert states(engine) == ["sent", "sent"]


def test_without_a_list_it_waits_for_its_report_and_is_left_after_ten_minutes(room, engine, texts):
    doubt(engine, "hello")
    due(engine)
    room.texts = {"twilio": Listless(texts)}
    assert reconcile.step(room)
    row = rows(engine, "SELECT state, ended_at, not_before - now() AS wait FROM deliveries")[0]
    assert (row.state, row.ended_at) == ("unknown", None)
    assert row.wait.total_seconds() > 500
    assert not reconcile.step(room)
    change(engine, "UPDATE attempts SET started_at = now() - interval '11 minutes'")
    due(engine)
    reconcile.step(room)
    assert rows(engine)[0].ended_at
    assert len(texts.taken) == 1


def test_each_is_looked_for_at_the_carrier_that_may_have_it(room, engine, texts):
    doubt(engine, "hello")
    due(engine)
    texts.listed = lambda: [listed("hello")]
    change(engine, "UPDATE senders SET carrier = 'kannel'")
    reconcile.step(room)
    assert states(engine) == ["unknown"]
    change(engine, "UPDATE senders SET carrier = 'twilio'")
    due(engine)
    reconcile.step(room)
    assert states(engine) == ["sent"]


class Listless:
    """The same carrier without its list."""

    def __init__(self, carrier: Carrier) -> None:
        self.channel, self.send, self.close = carrier.channel, carrier.send, carrier.close
