"""Restores into our own database while it is empty, where the server does not let us make another one (R61).

The database is marked first, and the mark is removed last: in between every process, old or new, that connects refuses
to work. What an interrupted restore left is removed by the next one. critter/commands/restore decides.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

import psycopg

from critter.backup import postgres_programs
from critter.backup import restore as restoring
from critter.backup.databases import CLIENTS, LEAVING, NOTHING_IN_IT, connection_arguments, describe_failure
from critter.backup.restore import Restore
from critter.console.console import format_count
from gateway.errors import Refused
from gateway.failpoints import crash_point
from gateway.store.restore_marker import IS_MARKED, MARK, TABLE, UNMARK

PATIENCE: Final = 10.0  # seconds for what a killed restore still has open


def restore(restore: Restore, url: str, why: str) -> None:
    """Restores everything, or leaves an empty database. `why`: the reason why we cannot make another one."""
    restore.report(f"restored in place: {why}")
    with _admin(url) as admin:
        _lock(admin)
        marked = _value(admin, IS_MARKED)
        if not marked and not _value(admin, NOTHING_IN_IT):
            raise Refused(
                f"The database is not empty, and no other one can be made: {why}. Name an empty one in "
                "CRITTER_DATABASE_URL and CRITTER_DATABASE_OWNER_URL, or let the second name a role with CREATEDB "
                "that owns it."
            )
        _mark(admin, unmark=not marked)
        with _empty_unless_whole(admin):
            restoring.fill(restore, url)
            restoring.finish(restore, url)
            crash_point("finished")
            admin.execute(UNMARK)
    crash_point("mark taken away")


@contextmanager
def _admin(url: str) -> Iterator[psycopg.Connection]:
    try:
        with psycopg.connect(**connection_arguments(url), autocommit=True) as connection:
            yield connection
    except psycopg.Error as error:
        raise Refused(
            f"The database failed on the way: {describe_failure(error)}. Run critter restore FILE again."
        ) from None


def _lock(admin: psycopg.Connection) -> None:
    """Allows one restore at a time; the lock is released with the connection."""
    end = time.monotonic() + PATIENCE
    while not _value(admin, "SELECT pg_try_advisory_lock(hashtextextended('critter restore', 0))"):
        if time.monotonic() > end:
            raise Refused("Another critter restore of this database is at work: wait for it, or end it.")
        time.sleep(0.2)


def _mark(admin: psycopg.Connection, *, unmark: bool) -> None:
    """Marks it, so that nobody new uses it: whoever is connected now was there before, and must leave first."""
    admin.execute(MARK)
    crash_point("database marked")
    try:
        _refuse_others(admin)
    except BaseException:
        if unmark:
            admin.execute(UNMARK)
        raise
    _clear(admin)
    crash_point("database cleared")


def _refuse_others(admin: psycopg.Connection) -> None:
    """Refuses while others are connected. What a killed restore has left open ends by itself, or is ended here."""
    admin.execute(END_LEFTOVERS, {"name": postgres_programs.APPLICATION})
    end = time.monotonic() + LEAVING
    while others := _value(admin, OTHERS):
        if time.monotonic() > end:
            raise Refused(f"{format_count(others, 'connection')} to the database: stop Critter's processes first.")
        time.sleep(0.2)


@contextmanager
def _empty_unless_whole(admin: psycopg.Connection) -> Iterator[None]:
    """Leaves an empty database after a failure. When even that cannot be done, the mark stays."""
    try:
        yield
    except BaseException:  # Ctrl-C too
        with suppress(psycopg.Error):
            _clear(admin)
            admin.execute(UNMARK)
        raise


def _clear(admin: psycopg.Connection) -> None:
    """Drops everything but the mark, object by object: dropping the schema would also drop its owner and its rights."""
    with admin.transaction():
        for (statement,) in admin.execute(LEFTOVERS).fetchall():
            admin.execute(statement)


def _value(admin: psycopg.Connection, statement: str) -> int:
    row = admin.execute(statement).fetchone()
    return int(row[0]) if row else 0


OTHERS: Final = f"""
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND {CLIENTS}
"""  # noqa: S608 - put together from constants
END_LEFTOVERS: Final = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name = %(name)s
      AND usename = current_user
"""
LEFTOVERS: Final = f"""
    WITH things AS (
        SELECT oid, 'pg_class'::regclass AS class, 1 AS place, 'TABLE' AS kind, oid::regclass::text AS name
        FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition
          AND oid <> '{TABLE}'::regclass
        UNION ALL
        SELECT oid, 'pg_class'::regclass, 2,
               CASE relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' ELSE 'SEQUENCE' END,
               oid::regclass::text
        FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('v', 'm', 'S')
        UNION ALL
        SELECT oid, 'pg_proc'::regclass, 3, 'ROUTINE', oid::regprocedure::text FROM pg_proc
        WHERE pronamespace = 'public'::regnamespace AND prokind <> 'a'
        UNION ALL
        SELECT oid, 'pg_type'::regclass, 4, 'TYPE', oid::regtype::text FROM pg_type
        WHERE typnamespace = 'public'::regnamespace AND typtype IN ('e', 'd', 'r')
    )
    SELECT concat_ws(' ', 'DROP', kind, 'IF EXISTS', name, 'CASCADE') FROM things
    WHERE NOT EXISTS (SELECT FROM pg_depend d
                      WHERE d.classid = things.class AND d.objid = things.oid AND d.deptype = 'e')
    ORDER BY place
"""  # noqa: S608 - put together from constants
