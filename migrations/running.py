"""Runs the steps of one migration so that nobody who uses the database waits for long, and records which are done.

While a step waits for a lock, everybody who comes after it waits, too. So it waits only a moment, gives up, and tries
again later. Whatever ends this process, the next run goes on with the first step that is not done.
"""

import random
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import psycopg
from sqlalchemy import Connection, Engine, text

from gateway.errors import Refused
from migrations.steps import MigrationStep

Report = Callable[[str], None]

LOCK_TIMEOUT: Final = "300ms"  # how long a step waits for its lock, for others wait behind it
PATIENCE: Final = 600.0  # seconds until a step that never gets its lock gives up for good
PAUSES: Final = (0.2, 0.5, 1.0, 2.0, 4.0)  # seconds between two tries
TOLD_EVERY: Final = 2.0  # seconds
FIRST_BATCH: Final = 1_000  # rows
LARGEST_BATCH: Final = 50_000
BATCH_SECONDS: Final = 0.15  # how long a batch should take, for its rows stay locked so long
AGAIN: Final = (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected, psycopg.errors.SerializationFailure)

LIMITS: Final = f"""
    SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'; SET LOCAL statement_timeout = 0;
    SET LOCAL client_connection_check_interval = '2s'
"""  # with the last setting a statement ends when this process was killed
OUTSIDE: Final = "SET lock_timeout = 0; SET statement_timeout = 0; SET client_connection_check_interval = '2s'"
AFTERWARDS: Final = "RESET lock_timeout; RESET statement_timeout; RESET client_connection_check_interval"


@dataclass(frozen=True, slots=True)
class MigrationRunner:
    """Runs one migration, which `revision` names."""

    engine: Engine
    revision: str
    report: Report

    def run(self, steps: list[MigrationStep]) -> None:
        """Runs all steps that are not done yet."""
        done = self._done()
        for step in steps:
            if step.number in done:
                continue
            self.report(f"{self.revision}  step {step.number} of {len(steps)}: {step.name}")
            if step.index:
                self._build_index(step)
            elif step.batch:
                self._run_batches(step, *step.batch)
            else:
                self._patiently(lambda step=step: self._run_once(step))  # type: ignore[misc]

    def _done(self) -> set[int]:
        with self.engine.begin() as connection:
            found = connection.execute(text(DONE), {"revision": self.revision})
            return set(found.scalars())

    def _run_once(self, step: MigrationStep) -> None:
        with self._transaction() as connection:
            for statement in step.statements:
                driver(connection).execute(statement.sql.encode())
            connection.execute(text(REMEMBER), {"revision": self.revision, "step": step.number, "reached": None})

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        with self.engine.begin() as connection:
            driver(connection).execute(LIMITS)
            yield connection

    def _patiently(self, work: Callable[[], Any]) -> Any:
        """Does the work, and again after a pause when somebody else holds the lock, or after a deadlock. Raises Refused
        after PATIENCE."""
        began, reported = time.monotonic(), time.monotonic()
        for tries in range(1_000_000):
            try:
                return work()
            except AGAIN as busy:
                if time.monotonic() - began > PATIENCE:
                    raise Refused(
                        f"Migration {self.revision} gave up after {PATIENCE / 60:.0f} minutes, for somebody else holds "
                        "a lock that it needs: end the long transaction (pg_stat_activity names it), then run "
                        "critter migrate again. What is done is remembered."
                    ) from busy
            if time.monotonic() - reported > TOLD_EVERY:
                self.report(f"{self.revision}  waits for a lock that somebody else holds")
                reported = time.monotonic()
            time.sleep(PAUSES[min(tries, len(PAUSES) - 1)] * random.uniform(0.7, 1.3))  # noqa: S311
        raise AssertionError

    def _run_batches(self, step: MigrationStep, table: str, key: str) -> None:
        size, rows, reported = FIRST_BATCH, 0, time.monotonic()
        while True:
            began = time.monotonic()
            changed = self._patiently(lambda: self._run_batch(step, table, key, size))  # noqa: B023
            if changed is None:
                return
            rows += changed
            took = max(time.monotonic() - began, 0.001)
            size = int(min(max(100, size * min(2.0, BATCH_SECONDS / took)), LARGEST_BATCH))
            if time.monotonic() - reported > TOLD_EVERY:
                self.report(f"{self.revision}  step {step.number}: {rows:,} rows so far")
                reported = time.monotonic()

    def _run_batch(self, step: MigrationStep, table: str, key: str, size: int) -> int | None:
        """Changes the next rows of the table, and commits with them how far it came; None when there are no more."""
        with self._transaction() as connection:
            given = {"revision": self.revision, "step": step.number}
            reached = connection.scalar(text(REACHED), given)
            reached = SMALLEST if reached is None else reached
            found = connection.execute(
                text(NEXT.format(table=table, key=key)), {"reached": reached, "size": size}
            ).one()
            if found.upto is None:
                connection.execute(text(REMEMBER), {**given, "reached": None})
                return None
            ran = driver(connection).execute(run_between(step, reached + 1, found.upto).encode())
            connection.execute(text(ADVANCE), {**given, "reached": found.upto})
            return max(ran.rowcount, 0)

    def _build_index(self, step: MigrationStep) -> None:
        """Builds an index. An index that an interruption left invalid is built again. On a partitioned table each
        partition gets its own."""
        parts = step.index
        assert parts is not None
        name, table, unique, rest = parts["name"], parts["table"], parts["unique"] or "", parts["rest"]
        with self.engine.begin() as connection:
            partitioned = connection.scalar(text(PARTITIONED), {"table": table})
        if partitioned:
            make = f"CREATE {unique}INDEX IF NOT EXISTS {name} ON ONLY {table} {rest}"
            self.execute(make)
            self._index_parts(name, table, f"{unique}INDEX", rest)
        else:
            self._index(name, f"CREATE {unique}INDEX CONCURRENTLY {name} ON {table} {rest}")
        self._remember(step)

    def _index_parts(self, name: str, table: str, what: str, rest: str) -> None:
        """Builds the index of each partition that lacks it; a partition that is made meanwhile has its index from the
        beginning."""
        with self.engine.begin() as connection:
            lacking = connection.scalars(text(LACKING), {"name": name, "table": table}).all()
        for part in lacking:
            own = f"{part}_{name.removeprefix(table + '_')}"
            self._index(own, f"CREATE {what} CONCURRENTLY {own} ON {part} {rest}")
            self.execute(f"ALTER INDEX {name} ATTACH PARTITION {own}")

    def _index(self, name: str, create: str) -> None:
        def work() -> None:
            with self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                valid = connection.scalar(text(VALID), {"name": name})
                if valid:
                    return
                raw = driver(connection)
                raw.execute(OUTSIDE)
                try:
                    if valid is False:
                        raw.execute(f"DROP INDEX CONCURRENTLY {name}".encode())
                    raw.execute(create.encode())
                finally:
                    raw.execute(AFTERWARDS)

        self._patiently(work)

    def execute(self, sql: str) -> None:
        """Runs one statement, with the same tries as a step; nothing is recorded."""
        self._patiently(lambda: self._execute(sql))

    def _execute(self, sql: str) -> None:
        with self._transaction() as connection:
            driver(connection).execute(sql.encode())

    def _remember(self, step: MigrationStep) -> None:
        with self.engine.begin() as connection:
            connection.execute(text(REMEMBER), {"revision": self.revision, "step": step.number, "reached": None})


def run_whole(connection: Connection, steps: list[MigrationStep]) -> None:
    """Runs all steps in the caller's transaction: for an empty database, which nobody else uses."""
    for step in steps:
        for statement in step.statements:
            sql = run_between(step, SMALLEST, LARGEST) if step.batch else statement.sql
            driver(connection).execute(CONCURRENTLY.sub(r"\1", sql).encode())


def run_between(step: MigrationStep, low: int, high: int) -> str:
    sql = step.statements[0].sql
    return re.sub(r":to\b", str(high), re.sub(r":from\b", str(low), sql))


def driver(connection: Connection) -> "psycopg.Connection[Any]":
    """The connection of the driver, which runs a statement unchanged: % and : in it are SQL, not parameters."""
    found = connection.connection.driver_connection
    assert isinstance(found, psycopg.Connection)
    return found


SMALLEST: Final = -(2**63) + 1
LARGEST: Final = 2**63 - 1
CONCURRENTLY: Final = re.compile(r"^((?:CREATE (?:UNIQUE )?|DROP )INDEX) CONCURRENTLY\b")

BOOKS: Final = """
    CREATE TABLE IF NOT EXISTS migration_steps (
        revision  text NOT NULL,
        step      int NOT NULL,
        reached   bigint,
        done_at   timestamptz,
        PRIMARY KEY (revision, step)
    )
"""
DONE: Final = "SELECT step FROM migration_steps WHERE revision = :revision AND done_at IS NOT NULL"
REACHED: Final = "SELECT reached FROM migration_steps WHERE revision = :revision AND step = :step"
REMEMBER: Final = """
    INSERT INTO migration_steps (revision, step, reached, done_at) VALUES (:revision, :step, :reached, now())
    ON CONFLICT (revision, step) DO UPDATE SET done_at = now()
"""
ADVANCE: Final = """
    INSERT INTO migration_steps (revision, step, reached) VALUES (:revision, :step, :reached)
    ON CONFLICT (revision, step) DO UPDATE SET reached = excluded.reached
"""
NEXT: Final = """
    SELECT max({key}) AS upto FROM (
        SELECT {key} FROM {table} WHERE {key} > :reached ORDER BY {key} LIMIT :size
    ) AS next
"""
PARTITIONED: Final = "SELECT relkind = 'p' FROM pg_class WHERE oid = to_regclass(:table)"
VALID: Final = "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(:name)"
LACKING: Final = """
    SELECT i.inhrelid::regclass::text FROM pg_inherits i
    WHERE i.inhparent = to_regclass(:table) AND NOT EXISTS (
        SELECT FROM pg_index x JOIN pg_inherits a ON a.inhrelid = x.indexrelid
        WHERE x.indrelid = i.inhrelid AND a.inhparent = to_regclass(:name))
    ORDER BY 1
"""
