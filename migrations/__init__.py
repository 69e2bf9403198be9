"""Migrations: they bring any older database to schema.sql. `critter migrate` and the supervisor run them.

Each migration is a file of SQL under versions/, which migrations/steps reads and migrations/running runs. The table
alembic_version holds the revision of a database, as it did when Alembic ran the migrations.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, text

from gateway.ledger.operations import partitions
from migrations import rights, running, steps
from migrations.running import TOLD_EVERY, MigrationRunner, Report

FOLDER = Path(__file__).parent
LOCK = 0x43726974  # the advisory lock: one migration at a time, over all machines


def newest() -> str:
    """The revision that this code needs."""
    return max(files())


def files() -> dict[str, Path]:
    """The file of each revision, the oldest first."""
    return {path.name.partition("_")[0]: path for path in sorted((FOLDER / "versions").glob("[0-9]*_*.sql"))}


def installed(engine: Engine) -> str | None:
    """The revision that the database has; None when it is empty. A newer revision than ours fits, too, because a change
    of the schema first only adds to it (docs/running.md, New versions)."""
    with engine.connect() as connection:
        if connection.scalar(text("SELECT to_regclass('alembic_version')")) is None:
            return None
        found = connection.scalar(text("SELECT version_num FROM alembic_version"))
        return None if found is None else str(found)


def migrate(engine: Engine, to: str = "", report: Report = lambda line: None, role: str = "") -> None:
    """Brings the database to that revision, the newest by default, makes the partitions of this month and the next two,
    and gives the processes' role its rights. `engine` is the owner's. It may be interrupted and run again."""
    with _alone(engine, report):
        if role:
            rights.take_over(engine, role, report)
        there = installed(engine)
        wanted = {name: path for name, path in files().items() if name > (there or "") and name <= (to or newest())}
        if there is None:
            _make(engine, wanted)
        else:
            for revision, path in wanted.items():
                _upgrade(engine, revision, path, report)
        if role:
            rights.give(engine, role, report)
    partitions.make(engine)


def _make(engine: Engine, wanted: dict[str, Path]) -> None:
    """Makes everything in an empty database in one transaction, for nobody waits for it."""
    with engine.begin() as connection:
        connection.execute(text(running.BOOKS))
        connection.execute(text(VERSION))
        for path in wanted.values():
            running.run_whole(connection, steps.read(path))
        connection.execute(text("INSERT INTO alembic_version VALUES (:revision)"), {"revision": max(wanted)})


def _upgrade(engine: Engine, revision: str, path: Path, report: Report) -> None:
    with engine.begin() as connection:
        connection.execute(text(running.BOOKS))
    MigrationRunner(engine, revision, report).run(steps.read(path))
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = :revision"), {"revision": revision})
        connection.execute(text("DELETE FROM migration_steps WHERE revision = :revision"), {"revision": revision})


@contextmanager
def _alone(engine: Engine, report: Report) -> Iterator[Connection]:
    """Keeps other migrations away by a lock in a transaction of its own, which does nothing else and so holds up
    nobody. The lock ends with this process, however that ends, and it works through a pooler, where a session lock
    would not."""
    told_at = time.monotonic()
    with engine.begin() as connection:
        connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
        while not _locked(connection):
            if time.monotonic() - told_at > TOLD_EVERY:
                report("another migration is running: this one waits for its end")
                told_at = time.monotonic()
            time.sleep(0.1)
        yield connection


def _locked(connection: Connection) -> bool:
    """Tries to get the lock. The statement has no parameter and is not prepared: otherwise its portal stays open, and
    with it a snapshot, for whose end CREATE INDEX CONCURRENTLY would wait for ever."""
    asked = f"SELECT pg_try_advisory_xact_lock({LOCK})"
    row = running.driver(connection).execute(asked.encode(), prepare=False).fetchone()
    return bool(row and row[0])


VERSION = """
    CREATE TABLE IF NOT EXISTS alembic_version (
        version_num  varchar(32) NOT NULL CONSTRAINT alembic_version_pkc PRIMARY KEY
    )
"""
