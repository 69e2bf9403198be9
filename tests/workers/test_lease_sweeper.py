"""The clock: what lost workers left is taken back, what is due is rung for."""

import threading
import time
from collections.abc import Iterator
from datetime import timedelta

import pytest
import redis
from sqlalchemy import Engine

from gateway.ledger.outbox import claims, outbox
from gateway.ledger.outbox.outbox import Outgoing, Target
from gateway.store.database import transaction
from tests.support.delivering import change, open_context, people, person, post, rows
from workers.runtime.context import WorkerContext
from workers.upkeep import scheduler
from workers.upkeep.lease_sweeper import sweep


@pytest.fixture
def context(settings) -> Iterator[WorkerContext]:
    context = open_context(settings)
    yield context
    context.close()


@pytest.fixture
def woken(redis_url):
    """The queues that have a job."""
    with redis.Redis.from_url(redis_url) as client:
        yield lambda: {
            name for name in ("inbound", "fanout", "sms", "email") if client.llen(f"rq:queue:critter-{name}")
        }


def lose(engine: Engine, channel: str) -> None:
    with transaction(engine) as session:
        claims.claim(session, channel, "lost", timedelta(seconds=20), 100)
    change(engine, "UPDATE deliveries SET lease_until = now() - interval '1 second' WHERE state = 'sending'")


def put(engine: Engine, target: Target, wait: timedelta | None = None) -> None:
    with transaction(engine) as session:
        outbox.put(session, Outgoing("notice", "a", "b", "c"), [target], wait)


def test_a_sweep_takes_back_what_lost_workers_had(context, engine):
    kim = person(engine, "kim", phone="+14155550101")[0]
    mia = person(engine, "mia", mailbox="mia@demo.example")[1]
    post(engine, kim, "hello", [Target(people(engine, 1)[0], "sms"), Target(mia, "email")])
    lose(engine, "sms")
    lose(engine, "email")
    change(
        engine,
        "INSERT INTO inbound (channel, natural_key, sender, recipients, trusted, state, attempt, lease_until)"
        " SELECT 'sms', n::text::bytea, '+1', '{}', true, 'working', n, now() - interval '1 second'"
        " FROM generate_series(1, 3) n",
    )
    sweep(context)
    assert {row.channel: row.state for row in rows(engine)} == {"sms": "unknown", "email": "retry"}
    inbound = rows(engine, "SELECT * FROM inbound ORDER BY attempt")
    assert [row.state for row in inbound] == ["new", "new", "quarantined"]


def test_a_live_lease_is_left_alone(context, engine):
    put(engine, Target(people(engine, 1)[0], "sms"))
    with transaction(engine) as session:
        claims.claim(session, "sms", "alive", timedelta(seconds=20), 100)
    sweep(context)
    assert rows(engine)[0].state == "sending"


def test_the_clock_rings_for_what_is_due(context, engine, woken):
    scheduler.look(context)
    assert woken() == set()
    put(engine, Target(people(engine, 1)[0], "sms"))
    scheduler.look(context)
    assert woken() == {"sms"}


def test_it_looks_again_when_the_next_is_due(context, engine):
    assert scheduler.look(context) == scheduler.SECOND
    put(engine, Target(people(engine, 1)[0], "sms"), timedelta(seconds=0.4))
    assert scheduler.look(context) <= 0.4


def test_a_held_row_is_rung_for_within_a_second_of_its_time(context, engine, woken):
    ticking = threading.Thread(target=scheduler.run, args=(context,))
    ticking.start()
    put(engine, Target(people(engine, 1)[0], "sms"), timedelta(seconds=1.2))
    began = time.monotonic()
    while "sms" not in woken() and time.monotonic() - began < 10:
        time.sleep(0.02)
    waited = time.monotonic() - began
    context.stop()
    ticking.join(5)
    assert 1.0 <= waited < 8.0
    assert not ticking.is_alive()


def test_the_clock_makes_the_coming_months(context, engine, owner):
    months = "SELECT relname FROM pg_class WHERE relkind = 'r' AND relname ~ '^deliveries_20' ORDER BY 1"
    before = rows(engine, months)
    assert len(before) == 3
    change(owner, f"DROP TABLE {before[-1].relname}")
    scheduler.ensure_months(context)
    assert rows(engine, months) == before
