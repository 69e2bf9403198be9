"""A database whose clock a test moves: quiet hours begin and end, days change, digests come at their time.

The rows of a story can be made older instead, but then no clock on a wall moves: no quiet hours end, and no morning
comes. Here each `now()` of SQL is ours, which is the server's and a shift. The product writes `now()` without a schema
everywhere, so it is enough that ours is found before PostgreSQL's own, both when the tables and views are made and when
they are asked. Decided against: libfaketime, which is not on every machine, would have to be told to a server that
runs, and changes how long its locks and timeouts wait.

The little that reads the machine's clock in Python for people (READERS) is given the same shift."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib import import_module
from itertools import count
from pathlib import Path
from typing import Any, ClassVar, Final, Self
from unittest.mock import patch

import psycopg
from sqlalchemy import Engine, make_url, text

from gateway.store.database import connect, transaction
from gateway.store.tables import Table
from tests.support.databases import owned

SCHEMA: Final = Path(__file__).parents[2] / "schema.sql"
READERS: Final = (
    "handlers.follows", "handlers.zone", "gateway.actions.preferences.zone", "gateway.actions.profile",
)  # fmt: skip
CLOCK: Final = """
    CREATE TABLE clock_shift (span interval NOT NULL);
    INSERT INTO clock_shift VALUES ('0');
    CREATE FUNCTION public.now() RETURNS timestamptz LANGUAGE sql STABLE AS
        'SELECT pg_catalog.now() + (SELECT span FROM clock_shift)';
    CREATE FUNCTION public.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE AS
        'SELECT pg_catalog.clock_timestamp() + (SELECT span FROM clock_shift)';
"""
PATH: Final = "public, pg_catalog"  # where it is not named, PostgreSQL looks into its own schema first
_numbers = count(1)


class ShiftedDatetime(datetime):
    shift: ClassVar = timedelta()

    @classmethod
    def now(cls, tz: Any = None) -> Self:
        return super().now(tz) + cls.shift


@dataclass(frozen=True)
class MovingClock:
    """`engine`: of a database of its own, without rows, at `url`."""

    engine: Engine
    url: str

    def now(self) -> datetime:
        with transaction(self.engine) as session:
            moment: datetime = session.execute(text("SELECT now()")).scalar_one()
        return moment.astimezone(UTC)

    def move(self, span: timedelta) -> None:
        """Onward only: no clock is set back here."""
        assert span >= timedelta()
        ShiftedDatetime.shift += span
        with transaction(self.engine) as session:
            session.execute(text("UPDATE clock_shift SET span = :span"), {"span": ShiftedDatetime.shift})

    def begin_again(self) -> None:
        """Without rows, but for the audit, which stays; and at the machine's own time."""
        ShiftedDatetime.shift = timedelta()
        with transaction(self.engine) as session:
            names = ", ".join(table.name for table in Table.metadata.sorted_tables if table.name != "audit")
            session.execute(text(f"TRUNCATE {names}"))
            session.execute(text("UPDATE clock_shift SET span = '0'"))


@contextmanager
def moving_clock(beside: Engine) -> Iterator[MovingClock]:
    """A new database on the server of another one."""
    url = make_url(owned(beside.url.set(drivername="postgresql").render_as_string(hide_password=False)))
    name = f"moving_clock_{os.getpid()}_{next(_numbers)}"
    with ExitStack() as stack:
        admin = stack.enter_context(psycopg.connect(_plain(url.set(database="postgres")), autocommit=True))
        admin.execute(f"CREATE DATABASE {name}".encode())
        stack.callback(admin.execute, f"DROP DATABASE {name} WITH (FORCE)".encode())
        admin.execute(f"ALTER DATABASE {name} SET search_path = {PATH}".encode())
        mine = _plain(url.set(database=name))
        for script in (CLOCK, SCHEMA.read_text()):
            with psycopg.connect(mine, autocommit=True) as connection:
                connection.execute(script.encode())
        clock = MovingClock(connect(mine), mine)
        stack.callback(clock.engine.dispose)
        for reader in READERS:
            stack.enter_context(patch.object(import_module(reader), "datetime", ShiftedDatetime))
        stack.enter_context(patch.object(ShiftedDatetime, "shift", timedelta()))
        yield clock


def _plain(url: Any) -> str:
    return str(url.render_as_string(hide_password=False))
