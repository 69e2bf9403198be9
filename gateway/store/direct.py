"""Statements that run for every text go to the driver directly: through a session each costs several times as much.

A `Statement` is written like any other, with :names. A `DirectConnection` belongs to one thread, prepares each
statement once and keeps its plan: planning a long statement takes as long as running it.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final, cast

import psycopg
from sqlalchemy import Engine, PoolProxiedConnection, text
from sqlalchemy.exc import OperationalError

from gateway.store.database import MISCOUNTED, POOLED

Rows = list[tuple[Any, ...]]

_NAME: Final = re.compile(r"(?<![:\w]):(\w+)")
# A plan for all values: the statements are look-ups by key (BY_KEY), whose best plan does not depend on the values.
KEEP_PLANS: Final = "SET plan_cache_mode = force_generic_plan"


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


class DirectConnection:
    """A connection that is kept. What goes wrong with the database is raised as OperationalError, as from a session."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._pooled = bool(engine.get_execution_options().get(POOLED))
        self._raw: PoolProxiedConnection | None = None
        self._cursor: psycopg.RawCursor[tuple[Any, ...]] | None = None

    def run(self, statement: Statement, given: Mapping[str, Any]) -> Rows:
        """Runs a statement, which is a transaction by itself, and returns its rows. When the connection died while
        nothing was asked of it, the statement is sent once more: one that was carried out all the same must do no harm
        if it comes twice."""
        if self._pooled:
            with self._engine.begin() as connection:
                return [tuple(row) for row in connection.execute(statement.text, given)]
        with _as_operational():
            try:
                return self._rows(statement, given, reused=self._cursor is not None)
            except psycopg.Error as error:
                if isinstance(error, psycopg.OperationalError) or error.sqlstate in MISCOUNTED:
                    self.close()
                raise

    def _rows(self, statement: Statement, given: Mapping[str, Any], *, reused: bool) -> Rows:
        cursor = self._opened()
        try:
            cursor.execute(statement.numbered, statement.values(given), prepare=True)
        except psycopg.OperationalError:
            if not reused or not cursor.connection.broken:
                raise
            self.close()
            return self._rows(statement, given, reused=False)
        return cursor.fetchall()

    def _opened(self) -> psycopg.RawCursor[tuple[Any, ...]]:
        if self._cursor is None:
            self._raw = self._engine.raw_connection()
            driver = cast("psycopg.Connection", self._raw.driver_connection)
            driver.autocommit = True
            driver.execute(KEEP_PLANS)
            self._cursor = psycopg.RawCursor(driver)
        return self._cursor

    def close(self) -> None:
        """Ends the connection; the next statement opens another."""
        if self._raw is not None:
            self._raw.invalidate()
        self._raw = self._cursor = None


@contextmanager
def _as_operational() -> Iterator[None]:
    try:
        yield
    except psycopg.Error as error:
        if isinstance(error, psycopg.OperationalError) or error.sqlstate in MISCOUNTED:
            raise OperationalError(None, None, error) from error
        raise
