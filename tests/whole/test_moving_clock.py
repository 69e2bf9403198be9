"""The clock that the stories move: whatever SQL asks, and the little that Python asks, is shifted; nothing else reads
the machine's clock for people."""

import ast
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import Engine, func, select, text

import handlers.zone
from gateway.network.people import accounts
from gateway.store.database import transaction
from tests.support.moving_clock import READERS, moving_clock

ROOT = Path(__file__).parents[2]
DAYS = timedelta(days=3)


def test_statements_defaults_views_and_python_show_the_same_time(engine: Engine) -> None:
    with moving_clock(engine) as clock:
        clock.move(DAYS)
        with transaction(clock.engine) as session:
            now = session.scalars(select(func.now())).one()
            kim = accounts.create_person(session, "kim", "Kim Lee")
            session.refresh(kim)
            assert kim.created_at == now
            session.execute(text("INSERT INTO presence VALUES (:id, now() - interval '5 seconds')"), {"id": kim.id})
            assert session.scalar(text("SELECT count(*) FROM presence_now")) == 1
            assert abs(session.scalar(text("SELECT extract(epoch FROM now()) - (new_id() >> 16) / 1000")) or 99) < 5
        there = handlers.zone.datetime.now(UTC)
        assert abs(there - now) < timedelta(seconds=5)
        assert now - datetime.now(UTC) > DAYS - timedelta(seconds=5)
    assert handlers.zone.datetime.now(UTC) - datetime.now(UTC) < timedelta(seconds=5)


def test_handlers_and_preferences_read_the_clock_only_there() -> None:
    found = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for folder in ("handlers", "gateway/actions", "gateway/attention", "gateway/network/digests")
        for path in (ROOT / folder).rglob("*.py")
        if "datetime.now" in ast.unparse(ast.parse(path.read_text()))
    }
    assert found == set(READERS)
