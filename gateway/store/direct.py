"""Statements that run for every text go to the driver directly: through a session each costs several times as much.

A `Statement` is written like any other, with :names. A `DirectConnection` prepares each statement once and keeps its
plan: planning a long statement takes as long as running it.
"""

import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final, cast

import psycopg
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import OperationalError

from gateway.failpoints import crash_point
from gateway.store.database import BY_KEY, MISCOUNTED, POOLED

Rows = list[tuple[Any, ...]]

_NAME: Final = re.compile(r"(?<![:\w]):(\w+)")
# A plan for all values: the statements are look-ups by key (BY_KEY), whose best plan does not depend on the values.
BEGIN, COMMIT, ROLLBACK = "BEGIN", "COMMIT", b"ROLLBACK"
KEEP_PLANS: Final = "; ".join(
    f"SET {name} = {value}" for name, value in {**BY_KEY, "plan_cache_mode": "force_generic_plan"}.items()
)
# As a column of a result: the commit does not wait for the disk. It is for what is done again from rows that are on the
# disk when the database forgets it, and what leaves the machine later waits for a commit that writes it out, too.
NOT_WAITING: Final = "set_config('synchronous_commit', 'off', true)"


class Statement:
    """A statement with :names, also in the form in which PostgreSQL reads it: with $1, $2 …"""

    __slots__ = ("names", "numbered", "text")

    def __init__(self, sql: str) -> None:
        self.text = text(sql)
        self.names = tuple(dict.fromkeys(_NAME.findall(sql)))
        places = {name: f"${place}" for place, name in enumerate(self.names, 1)}
        self.numbered = _NAME.sub(lambda match: places[match[1]], sql).encode()

    def values(self, given: Mapping[str, Any]) -> list[Any]:
        return [given[name] for name in self.names]


Asked = tuple[Statement, Mapping[str, Any]]


class DirectConnection:
    """A connection that is kept. What goes wrong with the database is raised as OperationalError, as from a session.
    Several threads may use it, one after the other."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._pooled = bool(engine.get_execution_options().get(POOLED))
        self._driver: psycopg.Connection | None = None
        self._turn = threading.Lock()

    def run(self, statement: Statement, given: Mapping[str, Any]) -> Rows:
        """Runs a statement, which is a transaction by itself, and returns its rows. When the connection died while
        nothing was asked of it, the statement is sent once more: one that was carried out all the same must do no harm
        if it comes twice."""
        crash_point("not committed")
        with self._turn:
            rows = self._through_engine(statement, given) if self._pooled else self._directly(statement, given)
        crash_point("committed")
        return rows

    def _through_engine(self, statement: Statement, given: Mapping[str, Any]) -> Rows:
        with self._engine.begin() as connection:
            return _through_engine(connection, statement, given)

    def _directly(self, statement: Statement, given: Mapping[str, Any]) -> Rows:
        with self._guarded():
            return self._run(statement, given, reused=self._driver is not None)

    def _run(self, statement: Statement, given: Mapping[str, Any], *, reused: bool) -> Rows:
        driver = self._opened()
        try:
            return _fetched(_sent(driver, statement, given))
        except psycopg.OperationalError:
            if not reused or not driver.broken:
                raise
            self._drop()
            return self._run(statement, given, reused=False)

    @contextmanager
    def transaction(self) -> Iterator["DirectTransaction"]:
        """Several statements in one transaction, which `finish` commits; without it everything is taken back."""
        with self._turn:
            if self._pooled:
                with self._engine.connect() as connection:
                    yield PooledTransaction(connection)
                return
            with self._guarded():
                one = DirectTransaction(self._opened())
                try:
                    yield one
                finally:
                    one.end()

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        """A connection that is of no more use is not kept, and its errors are operational ones."""
        try:
            yield
        except psycopg.Error as error:
            if not isinstance(error, psycopg.OperationalError) and error.sqlstate not in MISCOUNTED:
                raise
            if error.sqlstate in MISCOUNTED or self._driver is None or self._driver.broken:
                self._drop()
            raise OperationalError(None, None, error) from error

    def _opened(self) -> psycopg.Connection:
        if self._driver is None or self._driver.closed:
            raw = self._engine.raw_connection()
            self._driver = cast("psycopg.Connection", raw.driver_connection)
            raw.detach()  # it is not the pool's any more, which others need
            self._driver.autocommit = True
            self._driver.execute(KEEP_PLANS)
        return self._driver

    def _drop(self) -> None:
        if self._driver is not None:
            self._driver.close()
        self._driver = None

    def close(self) -> None:
        """Ends the connection; the next statement opens another."""
        with self._turn:
            self._drop()


class DirectTransaction:
    """Statements that go to the database together take one round trip."""

    def __init__(self, driver: psycopg.Connection) -> None:
        self._driver, self._begun = driver, False

    def run(self, *asked: Asked) -> list[Rows]:
        """Runs statements, and returns the rows of each."""
        return self._together(asked, BEGIN if not self._begun else None, None)

    def finish(self, *asked: Asked) -> list[Rows]:
        """Runs the last statements, and commits."""
        crash_point("not committed")
        rows = self._together(asked, BEGIN if not self._begun else None, COMMIT)
        crash_point("committed")
        return rows

    def _together(self, asked: Sequence[Asked], before: str | None, after: str | None) -> list[Rows]:
        with self._driver.pipeline():
            if before:
                self._driver.execute(before)
            self._begun = True
            cursors = [_sent(self._driver, *each) for each in asked]
            if after:
                self._driver.execute(after)
        if after:
            self._begun = False
        return [_fetched(cursor) for cursor in cursors]

    def end(self) -> None:
        """Takes back what was not committed. The driver does not see it: it would forget all that is prepared."""
        if self._begun and not self._driver.broken:
            self._driver.pgconn.exec_(ROLLBACK)
        self._begun = False


class PooledTransaction(DirectTransaction):
    """The same through a pooler, where nothing can be prepared."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def run(self, *asked: Asked) -> list[Rows]:
        return [_through_engine(self._connection, *each) for each in asked]

    def finish(self, *asked: Asked) -> list[Rows]:
        rows = self.run(*asked)
        self._connection.commit()
        return rows


def _sent(driver: psycopg.Connection, statement: Statement, given: Mapping[str, Any]) -> psycopg.RawCursor[Any]:
    cursor = psycopg.RawCursor(driver)
    cursor.execute(statement.numbered, statement.values(given), prepare=True)
    return cursor


def _fetched(cursor: psycopg.RawCursor[Any]) -> Rows:
    return cursor.fetchall() if cursor.description else []


def _through_engine(connection: Connection, statement: Statement, given: Mapping[str, Any]) -> Rows:
    result = connection.execute(statement.text, given)
    return [tuple(row) for row in result] if result.returns_rows else []
