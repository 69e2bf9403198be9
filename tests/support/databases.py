"""An empty, migrated database for each test: one is cleaned and lent again, as long as that makes it as good as new.

To copy a database means a thousand files and two checkpoints; to empty it, one statement. A test that changes more than
rows (a trigger, a table, a partition) or leaves much behind costs a new copy. The engine of a database is lent again
with it: a new connection knows nothing of sixty tables yet, and a new engine translates each statement once more.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from itertools import count
from typing import Final

import psycopg
from sqlalchemy import Engine, QueuePool
from sqlalchemy.exc import DBAPIError

import migrations
from critter.servers.postgres import SUPERUSER
from gateway.settings import embedded
from gateway.store.database import connect

MOST_LEFT: Final = 4_000_000  # octets that dead rows may take
_numbers = count(1)

SHAPE: Final = """
    SELECT (SELECT (count(*), sum(xmin::text::bigint))::text FROM pg_class) || (
        SELECT (count(*), sum(xmin::text::bigint))::text FROM pg_attribute) || (
        SELECT (count(*), sum(xmin::text::bigint))::text FROM pg_trigger) || (
        SELECT (count(*), sum(xmin::text::bigint))::text FROM pg_constraint) || (
        SELECT (count(*), sum(xmin::text::bigint))::text FROM pg_proc)
"""
TABLES: Final = """
    SELECT oid::regclass::text FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition ORDER BY 1
"""
SEQUENCES: Final = """
    SELECT format('setval(%L, %s, false)', seqrelid::regclass, seqstart) FROM pg_sequence
"""
# As DISCARD ALL, but what was prepared stays: the driver goes on using it.
ANEW: Final = """
    CLOSE ALL; RESET SESSION AUTHORIZATION; RESET ALL; UNLISTEN *; SELECT pg_advisory_unlock_all(); DISCARD TEMP;
    DISCARD SEQUENCES
"""
SEND_AWAY: Final = """
    SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = current_database()
    AND pid <> pg_backend_pid() AND NOT pid = ANY(%s) AND backend_type = 'client backend'
"""


def owned(url: str) -> str:
    """The same database as the role that owns its tables."""
    return url.replace(f"//{embedded.ROLE}@", f"//{embedded.OWNER}@")


def migrate(url: str, to: str = "") -> None:
    """As `critter migrate` does: the tables are the owner's, and the processes get their rights."""
    engine = connect(owned(url))
    migrations.migrate(engine, to, role=embedded.ROLE)
    engine.dispose()


def restructure(engine: Engine, statement: str) -> None:
    """A change of more than rows, in a test that breaks the database of this engine: only the owner may make it."""
    url = owned(engine.url.set(drivername="postgresql").render_as_string(hide_password=False))
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement.encode())


class Kept:
    """The databases of one server. `url` gives the address of one by its name, `administer` runs a statement."""

    def __init__(self, template: str, url: Callable[[str], str], administer: Callable[[str], None]) -> None:
        self._template, self._url, self._administer = template, url, administer
        self._spare: tuple[str, str, int] | None = None  # name, shape, size when it was new
        self._reset = ""
        self._engines: dict[str, Engine] = {}
        self._lent = ""

    @contextmanager
    def lent(self) -> Iterator[str]:
        """The URL of one, for one test."""
        name, shape, size = self._spare or self._new()
        self._spare, self._lent = None, self._url(name)
        yield self._lent
        if self._cleaned(name, shape, size):
            self._spare = name, shape, size
        else:
            self._dispose(self._url(name))
            self._administer(f"DROP DATABASE {name} WITH (FORCE)")

    def empty(self, url: str) -> None:
        """Makes the database that is lent as it was, in the middle of a test."""
        with psycopg.connect(url, user=SUPERUSER, autocommit=True) as connection:
            connection.execute(self._reset)

    @contextmanager
    def engine(self, url: str, keys: Sequence[str]) -> Iterator[Engine]:
        """An engine on the database that is lent, as good as new: its sessions keep nothing but what they have read of
        the tables' definitions. On one that the test made itself, a new engine."""
        made = self._engines.get(url) or connect(url, keys=keys)
        if url != self._lent:
            yield made
            made.dispose()
            return
        self._engines[url] = made
        yield made
        try:
            renewed = _renew(made)
        except DBAPIError:  # the test ended its connections, or broke more
            renewed = False
        if not renewed:
            self._dispose(url)

    def close(self) -> None:
        for url in list(self._engines):
            self._dispose(url)

    def _dispose(self, url: str) -> None:
        if url in self._engines:
            self._engines.pop(url).dispose()

    def _new(self) -> tuple[str, str, int]:
        name = f"test_{next(_numbers)}"
        self._administer(f"CREATE DATABASE {name} TEMPLATE {self._template} STRATEGY file_copy")
        with psycopg.connect(self._url(name), autocommit=True) as connection:
            self._reset = self._reset or _reset(connection)
            return name, *_state(connection)

    def _cleaned(self, name: str, shape: str, size: int) -> bool:
        try:
            with psycopg.connect(self._url(name), user=SUPERUSER, autocommit=True) as connection:
                connection.execute(SEND_AWAY, [_processes(self._engines.get(self._url(name)))])
                found, now = _state(connection)
                if found != shape or now > size + MOST_LEFT:
                    return False
                connection.execute(self._reset)
                return True
        except psycopg.Error:  # gone, renamed, or not to be spoken to: the next test gets a new one
            return False


def _renew(engine: Engine) -> bool:
    """Each session of it begins anew; False when one is still in somebody's hands."""
    pool = engine.pool
    assert isinstance(pool, QueuePool)
    if pool.checkedout():
        return False
    with ExitStack() as held:
        for _ in range(pool.checkedin()):
            connection = held.enter_context(closing(engine.raw_connection()))
            session = connection.driver_connection
            assert isinstance(session, psycopg.Connection)
            session.autocommit = True
            session.execute(ANEW, prepare=False)
            session.autocommit = False
    return True


def _processes(engine: Engine | None) -> list[int]:
    """The server's processes that serve the sessions which an engine keeps."""
    with ExitStack() as held:
        kept = engine.pool.checkedin() if engine else 0  # type: ignore[attr-defined]
        connections = [held.enter_context(closing(engine.raw_connection())) for _ in range(kept)]  # type: ignore[union-attr]
        return [connection.driver_connection.info.backend_pid for connection in connections]  # type: ignore[union-attr]


def _state(connection: psycopg.Connection) -> tuple[str, int]:
    row = connection.execute(f"SELECT ({SHAPE}), pg_database_size(current_database())").fetchone()
    assert row is not None
    return row


def _reset(connection: psycopg.Connection) -> str:
    """What makes it as it was: no row but those that migrations made, each sequence at its start."""
    tables = [name for (name,) in connection.execute(TABLES)]
    made = [name for name in tables if connection.execute(f"SELECT FROM {name} LIMIT 1").fetchone() is not None]
    kept = [f"INSERT INTO {name} SELECT * FROM {_rows(connection, name)}" for name in made]
    sequences = [call for (call,) in connection.execute(SEQUENCES)]
    statements = [
        "BEGIN",
        "SET LOCAL session_replication_role = replica",  # no trigger and no foreign key has a say in it
        *(f"DELETE FROM {name}" for name in tables),
        *kept,
        f"SELECT {', '.join(sequences)}",
        "COMMIT",
    ]
    return "; ".join(statements)


def _rows(connection: psycopg.Connection, table: str) -> str:
    row = connection.execute(f"SELECT quote_literal(json_agg(t)) FROM {table} t").fetchone()
    assert row is not None
    return f"json_populate_recordset(NULL::{table}, {row[0]})"
