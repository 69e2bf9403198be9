"""Usual callbacks are applied by the statement that records them, all others by a worker: both ways, and any mixture of
them, lead to the same."""

import random
from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import Engine

from gateway.carriers.parts import usual_step
from gateway.ledger.outbox import claims
from gateway.ledger.outbox.callbacks import CallbackCall, Callbacks, record
from gateway.ledger.outbox.outbox import Target
from gateway.settings import Settings
from gateway.store.database import transaction
from tests.support.delivering import Carrier, begin, change, open_context, person, post, rows
from workers import callbacks
from workers.runtime.context import WorkerContext

STATUSES = (
    ("queued", None), ("sending", None), ("sent", None), ("delivered", None), ("sent", None), ("delivered", None),
    ("undelivered", "30003"), ("failed", "21610"), ("undelivered", "30008"), ("unheard_of", None), ("read", None),
)  # fmt: skip
# State of the delivery and its attempt's number, state of the attempt, its status.
BEFORE = (
    ("sending", 1, "sending", None), ("sent", 1, "sent", None), ("sent", 1, "sent", "sent"),
    ("delivered", 1, "delivered", "delivered"), ("unknown", 1, "unknown", None), ("cancelled", 1, "sent", "queued"),
    ("failed", 1, "failed", "failed"), ("retry", 1, "retry", "retry"), ("sending", 2, "retry", "sent"),
    ("sending", 2, "unknown", None),
)  # fmt: skip
ENDED = ("sent", "delivered", "cancelled", "failed")
FOUND = (
    "SELECT state, reason, attempt, sent_at IS NULL, ended_at IS NULL, lease_owner FROM deliveries",
    "SELECT state, status, reason, carrier_id, ended_at IS NULL FROM attempts",
    "SELECT attempt_id, carrier_id, status, reason, carrier, applied_at IS NULL FROM callbacks ORDER BY id",
)


@pytest.fixture
def attempt(engine: Engine) -> int:
    kim = person(engine, "kim", phone="+14155550101")[0]
    sam = person(engine, "sam", phone="+14155550102")[1]
    post(engine, kim, "hello", [Target(sam, "sms")])
    with transaction(engine) as session:
        return begin(session, claims.claim(session, "sms", "one", timedelta(seconds=20), 1))[0].attempt_id


@pytest.fixture
def context(engine: Engine, settings: Settings) -> Iterator[WorkerContext]:
    made = open_context(settings, texts=Carrier("sms"))
    yield made
    made.close()


@pytest.fixture
def left() -> list[int]:
    return []


@pytest.fixture
def door(engine: Engine, left: list[int], monkeypatch: pytest.MonkeyPatch) -> Iterator[Callbacks]:
    """Here one comes after the other, and none waits for the next."""
    monkeypatch.setattr("gateway.ledger.outbox.callbacks.BREATH", 0.0)
    made = Callbacks(engine, lambda: left.append(1), usual_step)
    yield made
    made.close()


def start_again(engine: Engine, before: tuple[str, int, str, str | None]) -> None:
    state, number, tried, status = before
    ended, attempted = ("now()" if state in ENDED else "NULL"), ("now()" if tried != "sending" else "NULL")
    called = f"'{status}'" if status else "NULL"
    change(engine, "DELETE FROM callbacks")
    change(engine, "DELETE FROM attempts WHERE id <> (SELECT min(id) FROM attempts)")
    change(
        engine,
        f"UPDATE deliveries SET state = '{state}', attempt = {number}, reason = NULL, sent_at = NULL, "
        f"ended_at = {ended}",
    )
    change(
        engine,
        f"UPDATE attempts SET state = '{tried}', status = {called}, carrier_id = NULL, "
        f"reason = NULL, ended_at = {attempted}",
    )
    change(engine, "UPDATE addresses SET state = 'verified', stopped_at = NULL")


def found(engine: Engine) -> list[list[tuple[object, ...]]]:
    return [[tuple(row) for row in rows(engine, each)] for each in FOUND]


def calls_of(attempt: int, said: list[tuple[str, str | None]]) -> list[CallbackCall]:
    return [CallbackCall(attempt, "SM1", status, reason) for status, reason in said]


def work_off(context: WorkerContext) -> None:
    while callbacks.step(context):
        pass


def test_any_history_ends_the_same(engine: Engine, attempt: int, context: WorkerContext, door: Callbacks) -> None:
    chance = random.Random(7)
    for _ in range(60):
        before = chance.choice(BEFORE)
        groups = [[chance.choice(STATUSES) for _ in range(chance.randint(1, 3))] for _ in range(chance.randint(1, 3))]
        lazy = chance.random() < 0.5  # the worker is late
        ends = []
        for usual in (True, False):
            start_again(engine, before)
            for said in groups:
                if usual:
                    door._record(calls_of(attempt, said))
                else:
                    with transaction(engine) as session:
                        record(session, calls_of(attempt, said))
                if not lazy:
                    work_off(context)
            work_off(context)
            ends.append(found(engine))
        assert ends[0] == ends[1], (before, groups, lazy)


def test_a_usual_callback_needs_no_worker(engine: Engine, attempt: int, door: Callbacks, left: list[int]) -> None:
    start_again(engine, ("sent", 1, "sent", None))
    door.submit(CallbackCall(attempt, "SM1", "delivered", None)).result(5)
    door.close()
    assert rows(engine)[0].state == "delivered"
    assert [row.applied_at is None for row in rows(engine, "SELECT * FROM callbacks")] == [False]
    assert not left


@pytest.mark.parametrize("said", [("undelivered", "30003"), ("unheard_of", None)])
def test_any_other_is_left_to_a_worker(
    engine: Engine, attempt: int, door: Callbacks, left: list[int], said: tuple[str, str | None]
) -> None:
    start_again(engine, ("sent", 1, "sent", None))
    door.submit(CallbackCall(attempt, "SM1", *said)).result(5)
    door.submit(CallbackCall(attempt, "SM1", "delivered", None)).result(5)  # the first end wins: it waits behind
    door.close()
    assert rows(engine)[0].state == "sent"
    assert all(row.applied_at is None for row in rows(engine, "SELECT * FROM callbacks"))
    assert left


def test_a_locked_delivery_holds_up_no_callback(engine: Engine, attempt: int, door: Callbacks, left: list[int]) -> None:
    start_again(engine, ("sending", 1, "sending", None))
    with engine.begin() as other:
        other.exec_driver_sql("SELECT FROM deliveries FOR UPDATE")
        door.submit(CallbackCall(attempt, "SM1", "sent", None)).result(2)
    door.close()
    assert left


def test_an_attempt_that_is_not_there_waits(engine: Engine, door: Callbacks, left: list[int]) -> None:
    door.submit(CallbackCall(4711, "SM1", "sent", None)).result(5)
    door.close()
    assert left
