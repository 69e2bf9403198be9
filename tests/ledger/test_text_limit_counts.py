"""The texts of a reader's day: counted once, never one too many by however many workers, and given back when a text
surely did not leave."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, time
from typing import Any, Final

import pytest
from sqlalchemy import Engine, event

from gateway.attention.causes import DeliveryCause as Cause
from gateway.attention.facts import Facts
from gateway.attention.text_limit import text_limit
from gateway.carriers.common.protocol import Outcome
from gateway.ledger.audit.invariants import prove
from gateway.ledger.outbox.held import Hold
from gateway.ledger.outbox.outbox import Target
from gateway.settings import Settings
from gateway.store.database import transaction
from tests.ledger.test_budgets import desk_of
from tests.support.delivering import SENT, Carrier, change, follow, open_context, person, post, rows
from workers import deliver
from workers.runtime.context import WorkerContext, enter

WORKERS = 16
NOON: Final = datetime(2026, 11, 30, 12, tzinfo=UTC)


@pytest.fixture
def texts() -> Carrier:
    return Carrier("sms")


@pytest.fixture
def context(settings: Settings, texts: Carrier) -> Iterator[WorkerContext]:
    context = open_context(settings, texts)
    enter(context)
    yield context
    enter(None)
    context.close()


def limited(engine: Engine, handle: str, phone: str, most: int, timezone: str = "UTC") -> tuple[int, Target]:
    reader, address = person(engine, handle, phone=phone)
    change(engine, f"UPDATE accounts SET timezone = '{timezone}' WHERE id = {reader}")
    change(engine, f"INSERT INTO attention (account_id, texts_a_day) VALUES ({reader}, {most})")
    return reader, Target(address, "sms")


def told(engine: Engine, reader: int, to: Target, count: int, **more: object) -> None:
    """As many updates of as many people whom the reader follows, so that no lane holds any up."""
    for number in range(count):
        author, _ = person(engine, f"a{number}x{reader % 9973}")
        follow(engine, reader, author)
        post(engine, author, f"A: words {number}", [to], **more)
    change(engine, "UPDATE deliveries SET source_id = author_id")


def used(engine: Engine) -> list[tuple[object, ...]]:
    return [tuple(row) for row in rows(engine, "SELECT subject, used FROM budgets WHERE scope = 'reader' ORDER BY day")]


def work(settings: Settings) -> int:
    """One worker of several, a few rows at a time: how many texts left."""
    context = open_context(settings, Carrier("sms"))
    desk = desk_of(context)
    left = 0
    while batch := desk.claim(3, False):
        if not batch.claimed:
            break
        left += len(batch.loads)
        desk.settle([(load, SENT) for load in batch.loads])
    context.close()
    return left


def test_sixteen_workers_send_exactly_as_many_as_are_wanted(engine: Engine, settings: Settings) -> None:
    reader, to = limited(engine, "sam", "+14155550102", 20)
    told(engine, reader, to, 60)
    other, phone = person(engine, "pat", phone="+14155550103")
    told(engine, other, Target(phone, "sms"), 30)
    with ThreadPoolExecutor(WORKERS) as pool:
        left = sum(pool.map(work, [settings] * WORKERS))
    ends = Counter((row.address_id, row.state) for row in rows(engine))
    assert ends == {(to.address_id, "sent"): 20, (to.address_id, "held"): 40, (phone, "sent"): 30}
    assert left == 50
    assert used(engine) == [(str(reader), 20)]
    assert {row.reason for row in rows(engine, "SELECT reason FROM held")} == {"over"}
    with transaction(engine) as session:
        assert [each for each in prove(session).broken if each.invariant in ("I6", "I11")] == []


@pytest.mark.parametrize(
    ("outcome", "count"),
    [
        (Outcome("failed", reason="21211"), 0),
        (Outcome("retry", reason="429"), 0),
        (Outcome("retry", reason="20003", pause=True), 0),
        (Outcome("unknown", reason="timeout"), 1),
        (SENT, 1),
    ],
)
def test_what_surely_did_not_leave_counts_for_nothing(
    engine: Engine, context: WorkerContext, texts: Carrier, outcome: Outcome, count: int
) -> None:
    reader, to = limited(engine, "sam", "+14155550102", 5)
    told(engine, reader, to, 1)
    texts.answers = lambda _: outcome
    deliver.drain_sms()
    assert used(engine) == [(str(reader), count)]


def test_it_is_given_back_to_the_day_that_it_was_taken_from(
    engine: Engine, context: WorkerContext, settings: Settings
) -> None:
    reader, to = limited(engine, "sam", "+14155550102", 1)
    told(engine, reader, to, 2)
    desk = desk_of(context)
    batch = desk.claim(1, False)
    change(engine, "UPDATE budgets SET day = day - 1 WHERE scope = 'reader'")
    change(engine, "UPDATE charges SET reader_day = reader_day - 1")
    assert [len(desk.claim(1, False).loads) for _ in range(1)] == [1]  # today has one, too
    desk.settle([(load, Outcome("retry", reason="429")) for load in batch.loads])
    assert used(engine) == [(str(reader), 0), (str(reader), 1)]


def test_a_batch_without_limited_readers_costs_no_statement_more(engine: Engine, context: WorkerContext) -> None:
    """Whether others have a limit or nobody has."""
    asked: list[str] = []
    event.listen(context.engine, "before_cursor_execute", lambda *args: asked.append(args[2]))
    reader, phone = person(engine, "pat", phone="+14155550103")
    told(engine, reader, Target(phone, "sms"), 4)
    desk = desk_of(context)
    asks = []
    for number in range(3):
        if number == 2:
            limited(engine, "sam", "+14155550102", 20)
        asked.clear()
        assert len(desk.claim(1, False).loads) == 1
        asks.append(len(asked))
    assert asks[1] == asks[2]
    assert not any("texts_a_day" in each for each in asked)


def day_of(now: datetime, timezone: str) -> str:
    limit = text_limit(Facts(now=now, timezone=timezone, texts_a_day=20), 1)
    assert limit
    return limit.day.isoformat()


@pytest.mark.parametrize(
    ("timezone", "before", "midnight", "day"),
    [
        ("America/New_York", "2026-03-08T04:59:59", "2026-03-08T05:00:00", "2026-03-08"),  # the short day
        ("America/New_York", "2026-03-09T03:59:59", "2026-03-09T04:00:00", "2026-03-09"),
        ("America/New_York", "2026-11-02T04:59:59", "2026-11-02T05:00:00", "2026-11-02"),  # after the long day
        ("America/Santiago", "2026-09-06T03:59:59", "2026-09-06T04:00:00", "2026-09-06"),  # midnight is skipped
        ("Pacific/Kiritimati", "2026-11-30T09:59:59", "2026-11-30T10:00:00", "2026-12-01"),
        ("Nowhere/Else", "2026-11-29T23:59:59", "2026-11-30T00:00:00", "2026-11-30"),
    ],
)
def test_the_day_begins_at_midnight_by_the_readers_clock(timezone: str, before: str, midnight: str, day: str) -> None:
    assert day_of(datetime.fromisoformat(before).replace(tzinfo=UTC), timezone) < day
    assert day_of(datetime.fromisoformat(midnight).replace(tzinfo=UTC), timezone) == day


@pytest.mark.parametrize(
    ("known", "waits"),
    [
        ({"cause": Cause.PERSON}, True),
        ({"cause": Cause.BROADCAST}, True),
        ({"cause": Cause.TAG}, True),
        ({"cause": Cause.TRACKED}, True),
        ({"cause": Cause.GROUP, "urgent": True}, False),
        ({"cause": Cause.PRIVATE}, False),
        ({"cause": Cause.MENTION}, False),
        ({"cause": Cause.REPLY}, False),
        ({"cause": Cause.OURS, "kind": "answer"}, False),
        ({"cause": Cause.OURS, "kind": "digest"}, False),
        ({"cause": Cause.PERSON, "digest_failed": True}, False),
    ],
)
def test_only_what_was_not_written_to_the_reader_waits(known: dict[str, Any], waits: bool) -> None:
    limit = text_limit(Facts(now=NOON, texts_a_day=20, **known), 1)
    assert limit
    assert (limit.over is not None) == waits


@pytest.mark.parametrize(
    ("known", "until", "slot"),
    [
        ({}, datetime(2026, 12, 1, 8, tzinfo=UTC), "2026-12-01"),
        (
            {"digest_every": "day", "digest_at": time(19)},
            datetime(2026, 11, 30, 19, tzinfo=UTC),
            "2026-11-30",
        ),
        ({"digest_every": "week", "digest_weekday": 2}, datetime(2026, 12, 2, 8, tzinfo=UTC), "2026-12-02"),
        ({"digest_every": "back"}, datetime(2026, 12, 14, 12, tzinfo=UTC), None),
        ({"timezone": "America/New_York"}, datetime(2026, 11, 30, 13, tzinfo=UTC), "2026-11-30"),
    ],
)
def test_it_waits_for_the_next_digest(known: dict[str, Any], until: datetime, slot: str | None) -> None:
    limit = text_limit(Facts(now=NOON, texts_a_day=20, **known), 1)
    assert limit
    assert limit.over == Hold("over", until, Cause.PERSON, datetime.fromisoformat(slot) if slot else None)
