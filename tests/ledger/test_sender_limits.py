"""Whoever writes faster than is read loses nothing and costs nothing; STOP overtakes; strangers are never answered."""

import uuid
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, select, text

from gateway.ledger.audit import rules
from gateway.ledger.inbox import inbox, sender_limits
from gateway.ledger.inbox.inbox import Incoming
from gateway.ledger.outbox import due_work
from gateway.settings import Settings
from gateway.store.database import claim_mode, transaction
from gateway.store.tables import Inbound
from tests.support.databases import Kept, restructure
from tests.support.delivering import change, open_context, person, rows
from tests.support.web_process import changed
from workers import inbound
from workers.runtime.context import WorkerContext, enter

TOLD = "SELECT FROM messages WHERE kind = 'answer' AND text LIKE 'That is more than Critter reads%'"
SAM, KIM = "+14155550101", "+14155550102"


@pytest.fixture
def context(databases: Kept, settings: Settings, engine: Engine) -> Iterator[WorkerContext]:
    with transaction(engine) as session:
        claim_mode(session, "simulated")
    context = open_context(changed(settings, CRITTER_SENDER_LIMITS="on"))
    context.engine.dispose()
    context.engine = databases.connect(settings.database_url, by_key=True)  # as a worker's own
    person(engine, "sam", SAM)
    person(engine, "kim", KIM)
    enter(context)
    yield context
    context.close()
    enter(None)


def come(
    context: WorkerContext, words: Sequence[str], sender: str = SAM, channel: str = "sms", raw: bytes = b""
) -> None:
    with transaction(context.engine) as session:
        key = inbox.hash_key(session)
        ours = ("+15005550006",) if channel == "sms" else ("post@mail.example",)
        incoming = [Incoming(channel, uuid.uuid4().bytes, sender, ours, raw, True, text=one) for one in words]
        inbox.accept(session, key, incoming)


def read(context: WorkerContext) -> list[str]:
    """Reads all that is due: the words that were read by now, in the order of their reading."""
    inbound.drain()
    return [
        row.text for row in rows(context.engine, "SELECT text FROM inbound WHERE state = 'done' ORDER BY done_at, id")
    ]


def later(context: WorkerContext, seconds: float) -> None:
    change(
        context.engine,
        f"UPDATE inbound SET received_at = received_at - interval '{seconds} s', done_at = done_at - interval "
        f"'{seconds} s', not_before = not_before - interval '{seconds} s'",
    )


def test_ten_a_minute_the_rest_later_and_in_order(context):
    said = [f"update {number}" for number in range(35)]
    come(context, said)
    come(context, ["hi"], KIM)
    assert read(context) == [*said[:10], "hi"]
    assert read(context) == [*said[:10], "hi"]
    later(context, 60)
    assert read(context) == [*said[:10], "hi", *said[10:20]]
    come(context, ["one more"])
    later(context, 60)
    assert read(context) == [*said[:10], "hi", *said[10:30]]
    later(context, 60)
    assert read(context) == [*said[:10], "hi", *said[10:], "one more"]
    assert len(rows(context.engine, "SELECT FROM posts")) == 37
    assert rows(context.engine, TOLD) == []


def test_what_waits_is_neither_late_nor_rung_for(context):
    come(context, ["x"] * 12)
    read(context)
    change(context.engine, "UPDATE inbound SET received_at = received_at - interval '50 s'")
    with transaction(context.engine) as session:
        assert inbox.oldest_age(session) == timedelta(0)
        found = due_work.look(session)
        assert "inbound" not in found.drains
        assert timedelta(0) < found.next_in < timedelta(minutes=2)
        assert list(session.execute(text(rules.UNREAD), {"settled": timedelta(seconds=10)})) == []
    later(context, 70)
    with transaction(context.engine) as session:
        assert timedelta(0) < inbox.oldest_age(session) < timedelta(seconds=60)
        assert "inbound" in due_work.look(session).drains


@pytest.mark.parametrize("word", ["STOP", "start", "Help", "unsubscribe"])
def test_the_carriers_words_are_read_at_once(context, word):
    come(context, [str(number) for number in range(20)])
    come(context, [word])
    assert read(context)[-1] == word
    come(context, [word] * 120)
    assert read(context).count(word) == 121
    assert not rows(context.engine, "SELECT FROM inbound WHERE intent = 'limited'")


def test_beyond_a_hundred_an_hour_all_is_kept_and_one_answer_says_so(context, engine):
    for minute in range(10):
        come(context, [f"{minute}.{number}" for number in range(10)])
        inbound.drain()
        later(context, 61)
    come(context, [f"wild {number}" for number in range(300)])
    assert len(read(context)) == 100
    kept = rows(context.engine, "SELECT state, reason, text FROM inbound WHERE intent = 'limited' ORDER BY id")
    assert [row.text for row in kept] == [f"wild {number}" for number in range(300)]
    assert {(row.state, row.reason) for row in kept} == {("held", sender_limits.REASON)}
    assert len(rows(context.engine, TOLD)) == 1
    first = rows(context.engine, "SELECT id FROM inbound WHERE text = 'wild 0'")[0].id
    with transaction(engine) as session:
        inbox.decide_held(session, [first], "new")
    assert read(context)[-1] == "wild 0"
    assert len(rows(context.engine, TOLD)) == 1


def test_a_backlog_is_no_flood(context):
    """After an outage a heavy writer's texts of half a day come at once; each was sent in its time."""
    now = datetime.now(UTC)
    with transaction(context.engine) as session:
        key = inbox.hash_key(session)
        ours, step = ("+15005550006",), timedelta(minutes=2)
        late = [
            Incoming("sms", uuid.uuid4().bytes, SAM, ours, b"", True, text=str(n), sent_at=now - n * step)
            for n in range(200, 0, -1)
        ]
        inbox.accept(session, key, late)
    assert read(context) == [str(n) for n in range(200, 0, -1)]


def test_mail_has_limits_of_its_own(context, engine):
    person(engine, "ann", mailbox="ann@demo.example")
    for number in range(130):  # the same words again and again would be a responder's
        mail = f"From: ann@demo.example\r\nTo: post@mail.example\r\nSubject: hi\r\n\r\nhello {number}\r\n"
        come(context, ["x"], "ann@demo.example", "email", mail.encode())
    assert len(read(context)) == 50
    later(context, 61)
    assert len(read(context)) == 100
    later(context, 61)
    assert len(read(context)) == 120, "the third slice waits for the fifth minute"
    later(context, 180)
    assert len(read(context)) == 130


def test_a_mail_machine_that_runs_wild_is_never_answered(context, engine, monkeypatch):
    person(engine, "ann", mailbox="ann@demo.example")
    monkeypatch.setitem(sender_limits.LIMITS, "email", sender_limits.Limit(50, 120, 5))
    mail = b"From: ann@demo.example\r\nAuto-Submitted: auto-replied\r\nSubject: away\r\n\r\naway\r\n"
    come(context, ["x"] * 20, "ann@demo.example", "email", mail)
    read(context)
    assert len(rows(context.engine, "SELECT FROM inbound WHERE state = 'dropped'")) == 20
    assert rows(context.engine, "SELECT FROM deliveries") == []


def test_hundreds_of_strangers_cost_nothing(context):
    with transaction(context.engine) as session:
        key = inbox.hash_key(session)
        ours = ("+15005550006",)
        hello = [Incoming("sms", f"{n}".encode(), f"+1212{n:07}", ours, b"", True, text="hello") for n in range(300)]
        inbox.accept(session, key, hello)
    inbound.drain()
    while rows(context.engine, "SELECT FROM inbound WHERE state = 'new' LIMIT 1"):
        inbound.drain()
    assert {row.state for row in rows(context.engine, "SELECT DISTINCT state FROM inbound")} == {"done"}
    for table in ("deliveries", "messages", "posts", "attempts"):
        assert rows(context.engine, f"SELECT FROM {table}") == []


def test_one_stranger_who_floods_is_dropped(context, monkeypatch):
    monkeypatch.setitem(sender_limits.LIMITS, "sms", sender_limits.Limit(1000, 1000, 20))
    come(context, ["hello"] * 50, "+12125550123")
    read(context)
    states = [row.state for row in rows(context.engine, "SELECT state FROM inbound ORDER BY id")]
    assert states == ["done"] * 20 + ["dropped"] * 30
    assert rows(context.engine, "SELECT FROM deliveries") == []


def test_simulated_is_off_and_live_is_on(settings, context):
    assert not settings.sender_limits
    slow = context.settings
    context.settings = settings
    come(context, [str(number) for number in range(30)])
    assert len(read(context)) == 30
    context.settings = slow


def test_the_questions_are_answered_by_indexes(context):
    """Neither the limits nor the wrong codes of strangers read the whole inbox."""
    change(
        context.engine,
        "INSERT INTO inbound (channel, natural_key, sender, recipients, trusted, state, done_at)"
        " SELECT 'sms', sha256(CAST(CAST(n AS text) AS bytea)), '+1212' || n % 500, '{}', true, 'done', now()"
        " FROM generate_series(1, 20000) n",
    )
    restructure(context.engine, "ANALYZE inbound")
    who = {"channel": "sms", "sender": "+12127", "id": 1 << 62, "at": datetime.now(UTC), "most": 100, "intent": "x"}
    with context.engine.connect() as connection:
        for statement in (sender_limits.LAST, sender_limits.TOLD):
            plan = "\n".join(connection.scalars(text(f"EXPLAIN {statement.text}"), who))
            assert "inbound_read_by_sender" in plan
            assert "Seq Scan" not in plan
        wrong = select(Inbound.id).where(Inbound.reason == "a wrong code of a stranger", Inbound.id >= 1)
        literal = str(wrong.compile(compile_kwargs={"literal_binds": True}))
        plan = "\n".join(connection.scalars(text(f"EXPLAIN {literal}")))
        assert "inbound_wrong_codes" in plan
