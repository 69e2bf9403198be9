"""An empty, migrated database for each test: one is cleaned and lent again, as long as that makes it as good as new.

To copy a database means a thousand files and two checkpoints; to empty it, one statement. A test that changes more than
rows (a trigger, a table, a partition) and does not undo it, or leaves much behind, costs a new copy. The engines of a
database are lent again with it (kept_engines.py), and one session cleans it after each test, by statements that the
server has planned once.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from typing import Any, Final

import psycopg
from sqlalchemy import Engine

import migrations
from critter.servers.postgres import SUPERUSER
from gateway.settings import embedded
from gateway.store.database import connect
from tests.support.kept_engines import KeptEngines

MOST_LEFT: Final = 4_000_000  # octets that dead rows may take
MANY: Final = 500  # rows: after so many deleted ones the size is measured, which means a look at a thousand files
_numbers = count(1)

# Of what migrations made; the server's own catalogs, ten thousand rows, are not looked through after each test.
SHAPE: Final = """
    SELECT (SELECT (count(*), sum(xmin::text::bigint))::text FROM pg_class WHERE oid >= 16384) || (
        SELECT (count(*), sum(xmin::text::bigint))::text FROM pg_attribute WHERE attrelid >= 16384) || (
        SELECT (count(*), sum(xmin::text::bigint))::text FROM pg_trigger WHERE oid >= 16384) || (
        SELECT (count(*), sum(xmin::text::bigint))::text FROM pg_constraint WHERE oid >= 16384) || (
        SELECT (count(*), sum(xmin::text::bigint))::text FROM pg_proc WHERE oid >= 16384)
"""
# Looked at when the shape has changed: the same rows again once a test has dropped what it made.
CATALOGS: Final = {
    "pg_class": "oid", "pg_attribute": "attrelid", "pg_attrdef": "oid", "pg_trigger": "oid", "pg_constraint": "oid",
    "pg_index": "indexrelid", "pg_inherits": "inhrelid", "pg_proc": "oid", "pg_rewrite": "oid",
}  # fmt: skip
PASSING: Final = "{relpages,reltuples,relallvisible,relallfrozen,relfrozenxid,relminmxid,relhastriggers}"
DEFINITIONS: Final = " || ".join(
    f"(SELECT md5(string_agg((to_jsonb(c) - '{PASSING}'::text[])::text, ',' ORDER BY c::text)) FROM {catalog} c"
    f" WHERE {key} >= 16384)"
    for catalog, key in CATALOGS.items()
)
TABLES: Final = """
    SELECT oid::regclass::text FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition ORDER BY 1
"""
SEQUENCES: Final = """
    SELECT format('setval(%L, %s, false)', seqrelid::regclass, seqstart) FROM pg_sequence
"""
SIZE: Final = "SELECT pg_database_size(current_database())"
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


@dataclass
class Copy:
    """One copy of the template, and the session that cleans it. `shape` and `definitions` are what its tables must be,
    `size` is that of when it was new."""

    name: str
    session: psycopg.Connection
    clearing: Sequence[str]
    shape: str
    size: int
    definitions: str
    deleted: int = 0

    def clean(self, ours: list[int]) -> bool:
        """Makes it as it was, and sends away whoever is connected but `ours` (ids of server processes). False when it
        cannot be made so, because more than rows were changed, or because too much is left behind."""
        try:
            with self.session.pipeline():
                self.session.execute(SEND_AWAY, [ours])
                shape = self.session.execute(SHAPE)
            if shape.fetchone() != (self.shape,) and not self._was_restored():
                return False
            self.empty()
            return self.deleted < MANY or not self._is_swollen()
        except psycopg.Error:  # gone, renamed, or not to be spoken to: the next test gets a new one
            return False

    def _was_restored(self) -> bool:
        """Whether the test has undone each change that it made."""
        row = self.session.execute(f"SELECT ({SHAPE}), ({DEFINITIONS})").fetchone()
        assert row is not None
        self.shape, definitions = row
        return bool(definitions == self.definitions)

    def empty(self) -> None:
        with self.session.pipeline(), self.session.transaction():
            done = [self.session.execute(statement) for statement in self.clearing]
        deleted = done[0].fetchone()
        assert deleted is not None
        self.deleted += deleted[0]

    def is_marked(self) -> bool:
        """Whether a restore marked it, or the test has ended the session that could tell."""
        try:
            return self.session.execute("SELECT to_regclass('public.restoring') IS NOT NULL").fetchone() == (True,)
        except psycopg.Error:
            return True

    def _is_swollen(self) -> bool:
        self.deleted = 0
        size = self.session.execute(SIZE).fetchone()
        assert size is not None
        return bool(size[0] > self.size + MOST_LEFT)


class Kept:
    """The databases of one server. `url` gives the address of one by its name, `administer` runs a statement."""

    def __init__(self, template: str, url: Callable[[str], str], administer: Callable[[str], None]) -> None:
        self._template, self._url, self._administer = template, url, administer
        self._spare: list[Copy] = []
        self._clearing: Sequence[str] = ()
        self._engines = KeptEngines()
        self._lent: dict[str, Copy] = {}

    @contextmanager
    def lent(self) -> Iterator[str]:
        """The URL of one, for one test."""
        copy = self._spare.pop() if self._spare else self._new()
        url = self._url(copy.name)
        self._lent[url] = copy
        yield url
        del self._lent[url]
        if copy.clean(self._engines.collect(url, owned(url))):
            self._spare.append(copy)
        else:
            self._remove(copy)

    def empty(self, url: str) -> None:
        """Makes the database that is lent as it was, in the middle of a test."""
        self._lent[url].empty()

    def let_go(self, url: str) -> None:
        """Ends all but the test's own sessions on the database that is lent, for a test that renames it or drops it."""
        self._lent[url].session.close()
        self._engines.end(url, owned(url))

    def connect(self, url: str, *given: Any, **named: Any) -> Engine:
        """In the place of the product's `connect`: on a database that is lent, an engine as good as new. A session
        that is opened looks first whether a restore has marked its database; one that is kept has looked long ago."""
        copy = self._lent.get(url.replace(f"//{embedded.OWNER}@", f"//{embedded.ROLE}@"))
        if copy is None or copy.is_marked():
            return connect(url, *given, **named)
        return self._engines.open(url, *given, **named)

    def close(self) -> None:
        self._engines.end_all()
        for copy in self._spare:
            copy.session.close()

    def _remove(self, copy: Copy) -> None:
        url = self._url(copy.name)
        self._engines.end(url, owned(url))
        copy.session.close()
        self._administer(f"DROP DATABASE {copy.name} WITH (FORCE)")

    def _new(self) -> Copy:
        name = f"test_{next(_numbers)}"
        self._administer(f"CREATE DATABASE {name} TEMPLATE {self._template} STRATEGY file_copy")
        alone = "-c session_replication_role=replica"  # no trigger and no foreign key has a say when it cleans
        session = psycopg.connect(self._url(name), user=SUPERUSER, options=alone, autocommit=True)
        session.prepare_threshold = 0
        self._clearing = self._clearing or _clearing(session)
        row = session.execute(f"SELECT ({SHAPE}), ({SIZE}), ({DEFINITIONS})").fetchone()
        assert row is not None
        return Copy(name, session, self._clearing, *row)


def _clearing(connection: psycopg.Connection) -> Sequence[str]:
    """The statements that make it as it was: no row but those that migrations made, each sequence at its start. The
    first one returns how many rows it deleted."""
    tables = [name for (name,) in connection.execute(TABLES)]
    made = [name for name in tables if connection.execute(f"SELECT FROM {name} LIMIT 1").fetchone() is not None]
    calls = [call for (call,) in connection.execute(SEQUENCES)]
    deletes = [f"deleted_{number} AS (DELETE FROM {name} RETURNING 1)" for number, name in enumerate(tables)]
    counts = [f"(SELECT count(*) FROM deleted_{number})" for number in range(len(tables))]
    inserts = [f"INSERT INTO {name} SELECT * FROM {_rows(connection, name)}" for name in made]
    return [f"WITH {', '.join(deletes)} SELECT {' + '.join(counts)}, {', '.join(calls)}", *inserts]


def _rows(connection: psycopg.Connection, table: str) -> str:
    row = connection.execute(f"SELECT quote_literal(json_agg(t)) FROM {table} t").fetchone()
    assert row is not None
    return f"json_populate_recordset(NULL::{table}, {row[0]})"
