"""A million texts, posts and deliveries are migrated while a door inserts (F45): no text waits longer than a second."""

import time

from sqlalchemy import Engine

import migrations
from gateway.store.database import connect
from tests.migrations.test_migrations import LONGEST, finished, old
from tests.support.live_migration import door, fill

__all__ = ["old"]
ROWS = 1_000_000
PEOPLE = 100_000


def test_a_million_rows_keep_no_door_waiting(old: str, engine: Engine) -> None:
    fill(old, ROWS, PEOPLE)
    owner = connect(old)
    began = time.monotonic()
    with door(old) as met:
        migrations.migrate(owner, report=print)
    owner.dispose()
    print(f"{time.monotonic() - began:.0f} s, {len(met.took)} texts meanwhile, the longest wait {met.longest:.3f} s")
    assert met.errors == []
    assert met.longest < LONGEST
    finished(old, engine)
