"""Texts in doubt: found in the carrier's list, proved absent, or left as they are."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest
from sqlalchemy import Engine

from gateway.carriers.common.protocol import ListedMessage, Outcome
from gateway.errors import CarrierError
from gateway.ledger.outbox.outbox import Target
from gateway.sms.body_hash import digest
from tests.support.delivering import Carrier, change, open_context, people, person, post, rows, states
from workers import deliver, reconcile
from workers.runtime.context import WorkerContext, enter

PHONE = "+14155560000"


@pytest.fixture
def texts() -> Carrier:
    carrier = Carrier("sms")
    carrier.answers = lambda _: Outcome("unknown", reason="timeout")
    return carrier


@pytest.fixture
def context(settings, texts: Carrier) -> Iterator[WorkerContext]:
    context = open_context(settings, texts)
    change(context.engine, "INSERT INTO installation (mode) VALUES ('simulated')")
    enter(context)
    yield context
    enter(None)
    context.close()


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


def alike(engine: Engine) -> None:
    """All texts as if they read like the first, without the tags that tell them apart."""
    change(engine, "UPDATE attempts SET body_hash = (SELECT body_hash FROM attempts ORDER BY id LIMIT 1)")


def listed(body: str, number: int = 1, direction: str = "outbound-api", phone: str = PHONE) -> ListedMessage:
    return ListedMessage(f"SM{number:032x}", phone, body, "sent", datetime.now(UTC), direction, "+15005550006")


def test_it_is_looked_for_after_the_settling_time(context, engine, texts):
    doubt(engine, "hello")
    wait = rows(engine, "SELECT not_before - now() AS wait, ended_at FROM deliveries")[0]
    assert 0 < wait.wait.total_seconds() <= 2
    assert wait.ended_at is None
    assert not reconcile.step(context)


def test_what_the_list_has_was_sent(context, engine, texts):
    doubt(engine, "hello")
    due(engine)
    texts.listed = lambda: [listed("hello")]
    assert reconcile.step(context)
    assert states(engine) == ["sent"]
    assert rows(engine, "SELECT carrier_id FROM attempts")[0].carrier_id == f"SM{1:032x}"
    assert rows(engine)[0].ended_at


def test_what_a_complete_list_lacks_goes_again(context, engine, texts):
    doubt(engine, "hello")
    due(engine)
    texts.listed = lambda: [
        listed("hello", direction="inbound"),
        listed("You have been unsubscribed.", 2, direction="outbound-reply"),
        replace(listed("of another of our numbers", 3), sender="+15005550009"),
        replace(listed("of an hour ago", 4), sent_at=datetime.now(UTC) - timedelta(hours=1)),
    ]
    reconcile.step(context)
    row = rows(engine)[0]
    assert (row.state, row.reason, row.possible_duplicate) == ("retry", "absent", True)
    texts.answers = texts.accept
    deliver.drain_sms()
    assert states(engine) == ["sent"]
    assert [one.state for one in rows(engine, "SELECT * FROM attempts ORDER BY number")] == ["unknown", "sent"]


def test_one_message_in_the_list_stands_for_one_text(context, engine, texts):
    doubt(engine, "ok", "ok")
    alike(engine)
    due(engine)
    texts.listed = lambda: [listed(texts.taken[0].body)]
    reconcile.step(context)
    assert sorted(states(engine)) == ["retry", "sent"]


def test_a_message_that_another_attempt_has_is_not_taken_for_it(context, engine, texts):
    doubt(engine, "ok")
    change(engine, f"INSERT INTO attempts (message_id, address_id, number, carrier_id) VALUES (1, 1, 1, 'SM{1:032x}')")
    due(engine)
    texts.listed = lambda: [listed("ok")]
    reconcile.step(context)
    assert states(engine) == ["retry"]


def test_half_a_list_proves_nothing(context, engine, texts):
    doubt(engine, "hello")
    due(engine)

    async def listing(*_):
        raise CarrierError("503", "transient")

    texts.listing = listing
    assert reconcile.step(context)
    assert states(engine) == ["unknown"]
    assert not reconcile.step(context)


def test_after_ten_minutes_it_is_left_as_it_is(context, engine, texts):
    doubt(engine, "hello")
    change(engine, "UPDATE attempts SET started_at = now() - interval '11 minutes'")
    due(engine)
    reconcile.step(context)
    row = rows(engine)[0]
    assert row.state == "unknown"
    assert row.ended_at
    assert len(texts.taken) == 1


def test_what_must_arrive_is_sent_once_more(context, engine, texts):
    doubt(engine, "hello")
    change(engine, "UPDATE messages SET must_arrive = true")
    for sends in (2, 2):
        change(engine, "UPDATE attempts SET started_at = now() - interval '11 minutes'")
        due(engine)
        reconcile.step(context)
        deliver.drain_sms()
        assert len(texts.taken) == sends
    row = rows(engine)[0]
    assert (row.state, row.possible_duplicate) == ("unknown", True)
    assert row.ended_at


def test_a_lane_waits_for_a_text_in_doubt(context, engine, texts):
    phone = people(engine, 1)[0]
    author = person(engine, "kim", phone="+14155550000")[0]
    post(engine, author, "one", [Target(phone, "sms")])
    post(engine, author, "two", [Target(phone, "sms")])
    deliver.drain_sms()
    assert states(engine) == ["unknown", "queued"]
    due(engine)
    texts.listed = lambda: [listed("one")]
    texts.answers = texts.accept
    reconcile.step(context)
    deliver.drain_sms()
    assert states(engine) == ["sent", "sent"]


def test_without_a_list_it_waits_for_its_report_and_is_left_after_ten_minutes(context, engine, texts):
    doubt(engine, "hello")
    due(engine)
    context.texts = {"twilio": Listless(texts)}
    assert reconcile.step(context)
    row = rows(engine, "SELECT state, ended_at, not_before - now() AS wait FROM deliveries")[0]
    assert (row.state, row.ended_at) == ("unknown", None)
    assert row.wait.total_seconds() > 500
    assert not reconcile.step(context)
    change(engine, "UPDATE attempts SET started_at = now() - interval '11 minutes'")
    due(engine)
    reconcile.step(context)
    assert rows(engine)[0].ended_at
    assert len(texts.taken) == 1


def test_each_is_looked_for_at_the_carrier_that_may_have_it(context, engine, texts):
    doubt(engine, "hello")
    due(engine)
    texts.listed = lambda: [listed("hello")]
    change(engine, "UPDATE senders SET carrier = 'kannel'")
    reconcile.step(context)
    assert states(engine) == ["unknown"]
    change(engine, "UPDATE senders SET carrier = 'twilio'")
    due(engine)
    reconcile.step(context)
    assert states(engine) == ["sent"]


class Listless:
    """The same carrier without its list."""

    def __init__(self, carrier: Carrier) -> None:
        self.channel, self.send, self.close = carrier.channel, carrier.send, carrier.close


RENDERED_OTHERWISE = {
    "language": "UPDATE accounts SET language = 'es'",
    "introduced": "UPDATE deliveries SET introduces = NOT introduces",
    "tag": "UPDATE deliveries SET tag = 'k7'",
    "words": "UPDATE messages SET text = 'quite another text'",
    "name": "UPDATE accounts SET name = 'Kim van Dijk', handle = handle || '2'",
    "no longer public": "UPDATE posts SET visibility = 'direct'",
    "erased words": "UPDATE messages SET text = '', subject = '', body = ''",
    "a picture": "UPDATE posts SET attached = 'photo'",
}


@pytest.mark.parametrize("statement", RENDERED_OTHERWISE.values(), ids=RENDERED_OTHERWISE.keys())
def test_it_is_known_by_what_left_whatever_it_would_read_now(context, engine, texts, statement):
    change(engine, "UPDATE addresses SET introduced_at = NULL")
    doubt(engine, "the harbour bridge is closed until noon, " * 12)
    change(engine, statement)
    due(engine)
    texts.listed = lambda: [listed(texts.taken[0].body)]
    reconcile.step(context)
    assert states(engine) == ["sent"]
    assert len(texts.taken) == 1


def test_a_first_text_is_known_after_its_reader_asked_for_another_language(context, engine, texts):
    phone = people(engine, 1)[0]
    change(engine, "UPDATE addresses SET introduced_at = NULL")
    author = person(engine, "kim", phone="+14155550000")[0]
    post(engine, author, "hello", [Target(phone, "sms")])
    deliver.drain_sms()
    assert "STOP" in texts.taken[0].body, "it says who we are"
    change(engine, "UPDATE accounts SET language = 'es'")
    due(engine)
    texts.listed = lambda: [listed(texts.taken[0].body)]
    reconcile.step(context)
    assert states(engine) == ["sent"]


def test_a_new_secret_key_makes_no_difference(context, settings, engine, texts):
    """The link in a long text is signed: with another key it would be another one."""
    doubt(engine, "the harbour bridge is closed until noon, " * 12)
    assert "/p/" in texts.taken[0].body
    enter(None)
    renewed = open_context(settings.model_copy(update={"secret_keys": ("another " * 8,)}), texts)
    enter(renewed)
    due(engine)
    texts.listed = lambda: [listed(texts.taken[0].body)]
    reconcile.step(renewed)
    renewed.close()
    assert states(engine) == ["sent"]


def test_a_new_version_makes_no_difference(context, engine, texts, monkeypatch):
    doubt(engine, "hello")
    monkeypatch.setattr("gateway.sms.fit.fit", lambda *_: 1 / 0)
    due(engine)
    texts.listed = lambda: [listed("hello")]
    reconcile.step(context)
    assert states(engine) == ["sent"]


CHANGED_BY_THE_CARRIER = {
    "trimmed": "it\u2019s \u201cclosed\u201d \u2013 until noon\u2026",
    "smart encoding": 'it\'s "closed" - until noon...',
    "spaces": " it\u2019s\u00a0\u201cclosed\u201d \u2014 until  noon\u2026 ",
}


@pytest.mark.parametrize("body", CHANGED_BY_THE_CARRIER.values(), ids=CHANGED_BY_THE_CARRIER.keys())
def test_what_a_carrier_spells_otherwise_is_known(context, engine, texts, body):
    doubt(engine, "it\u2019s \u201cclosed\u201d \u2013 until noon\u2026 ")
    due(engine)
    texts.listed = lambda: [listed(body)]
    reconcile.step(context)
    assert states(engine) == ["sent"]


def test_what_nobody_can_explain_may_be_it(context, engine, texts):
    """A text out of our number to that phone, at that time, in words that are nobody's: not sent again."""
    doubt(engine, "hello")
    due(engine)
    texts.listed = lambda: [listed("Hello, shortened by the carrier")]
    assert reconcile.step(context)
    row = rows(engine, "SELECT state, ended_at, not_before - now() AS wait FROM deliveries")[0]
    assert (row.state, row.ended_at) == ("unknown", None)
    assert row.wait.total_seconds() > 20
    texts.listed = list
    due(engine)
    reconcile.step(context)
    assert states(engine) == ["retry"], "it was another's, and is gone"


def test_what_an_older_version_sent_is_not_called_absent(context, engine, texts):
    """It kept no hash: whatever the list has may be it, and only an empty list proves that it is not there."""
    doubt(engine, "hello")
    change(engine, "UPDATE attempts SET body_hash = NULL")
    due(engine)
    texts.listed = lambda: [listed("hello")]
    reconcile.step(context)
    assert states(engine) == ["unknown"]
    texts.listed = list
    due(engine)
    reconcile.step(context)
    assert states(engine) == ["retry"]


def test_two_that_read_alike_are_counted(context, engine, texts):
    doubt(engine, "on my way", "on my way")
    alike(engine)
    due(engine)
    texts.listed = lambda: [listed(texts.taken[0].body, 1), listed(texts.taken[0].body, 2)]
    reconcile.step(context)
    assert states(engine) == ["sent", "sent"]
    assert len({row.carrier_id for row in rows(engine, "SELECT carrier_id FROM attempts")}) == 2


def test_one_that_reads_like_a_text_on_its_way_waits_until_that_is_known(context, engine, texts):
    """Both authors' texts read alike, one is in doubt and one is just being sent: whose the listed one is, nobody
    knows yet."""
    doubt(engine, "on my way", "on my way")
    alike(engine)
    change(engine, "UPDATE deliveries SET state = 'sending' WHERE message_id = (SELECT max(id) FROM messages)")
    due(engine)
    texts.listed = lambda: [listed(texts.taken[0].body)]
    reconcile.step(context)
    assert states(engine) == ["unknown", "sending"]


def test_the_hash_tells_nothing_about_a_short_text(context, engine, texts):
    doubt(engine, "ok")
    kept = rows(engine, "SELECT body_hash FROM attempts")[0].body_hash
    guesses = {sha256(words.encode()).digest() for words in ("ok", texts.taken[0].body)}
    assert len(kept) == 32
    assert bytes(kept) not in guesses | {digest("ok")}
