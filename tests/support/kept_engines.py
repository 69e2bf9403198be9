"""Engines on databases that are lent to one test after the other, lent again with them.

A new connection knows nothing of sixty tables yet, has planned no statement, and costs a process of the server; a new
engine translates each statement once more. So an engine that is disposed of is kept with its sessions, which begin
anew, for whoever asks for one of the same kind.
"""

import contextlib
import select
from collections import defaultdict
from collections.abc import Hashable, Iterator
from contextlib import ExitStack, closing
from functools import partial
from typing import Any, NamedTuple

import psycopg
import pytest
from psycopg._preparing import PrepareManager
from sqlalchemy import Engine, QueuePool
from sqlalchemy.exc import DBAPIError

from gateway.store import database

# As DISCARD ALL, but what was prepared stays: the driver goes on using it.
ANEW = """
    CLOSE ALL; RESET SESSION AUTHORIZATION; RESET ALL; UNLISTEN *; SELECT pg_advisory_unlock_all(); DISCARD TEMP;
    DISCARD SEQUENCES
"""
connect = database.connect


def keep_prepared(patched: pytest.MonkeyPatch) -> None:
    """The driver forgets all that it has prepared at each rollback, also of a savepoint, since a table may have gone
    with it. To the server that is no reason: it plans anew by itself when a table was changed."""
    patched.setattr(PrepareManager, "clear", lambda _: False)


class Kind(NamedTuple):
    """What engines have in common that can stand for each other."""

    url: str
    given: Hashable


class KeptEngines:
    """Those of the databases of one server."""

    def __init__(self) -> None:
        self._idle: dict[Kind, list[Engine]] = defaultdict(list)
        self._lent: list[tuple[Kind, Engine]] = []

    def open(self, url: str, *given: Any, **named: Any) -> Engine:
        kind = Kind(url, (given, tuple(sorted(named.items()))))
        made = self._take(kind)
        if made is None:
            made = connect(url, *given, **named)
            made.dispose = partial(self._give_back, kind, made)  # type: ignore[method-assign]
        self._lent.append((kind, made))
        return made

    def _take(self, kind: Kind) -> Engine | None:
        """One that is kept, and whose sessions no test has ended meanwhile."""
        while self._idle[kind]:
            engine = self._idle[kind].pop()
            if _is_whole(engine):
                return engine
            Engine.dispose(engine)
        return None

    def _give_back(self, kind: Kind, engine: Engine, close: bool = True) -> None:
        """Instead of ending its connections, unless one is still in somebody's hands, or gone."""
        if (kind, engine) in self._lent:
            self._lent.remove((kind, engine))
            if _renew(engine):
                self._idle[kind].append(engine)
                return
        Engine.dispose(engine, close)

    def collect(self, *urls: str) -> list[int]:
        """Takes back what a test has left open on a database. The server's processes that serve what is kept."""
        for kind, engine in [each for each in self._lent if each[0].url in urls]:
            self._give_back(kind, engine)
        return [process for url in urls for engine in self._of(url) for process in _processes(engine)]

    def end(self, *urls: str) -> None:
        """Ends what is kept of a database that is given up, and keeps no more: what is open ends as it always would."""
        self._lent = [each for each in self._lent if each[0].url not in urls]
        for url in urls:
            for engine in self._of(url):
                Engine.dispose(engine)
            for kind in [each for each in self._idle if each.url == url]:
                del self._idle[kind]

    def end_all(self) -> None:
        self.end(*{kind.url for kind in self._idle})

    def _of(self, url: str) -> list[Engine]:
        return [engine for kind, kept in self._idle.items() if kind.url == url for engine in kept]


def _renew(engine: Engine) -> bool:
    """Each session of it begins anew; False when one is still in somebody's hands, or was ended by a test."""
    pool = engine.pool
    assert isinstance(pool, QueuePool)
    if pool.checkedout():
        return False
    with contextlib.suppress(DBAPIError, psycopg.Error), ExitStack() as held:
        for connection in _sessions(engine, held):
            connection.autocommit = True
            connection.execute(ANEW, prepare=False)
            connection.autocommit = False
        return True
    return False


def _is_whole(engine: Engine) -> bool:
    """A server that ends a session says so at once: on the socket of an idle one there is nothing to read."""
    with contextlib.suppress(DBAPIError, psycopg.Error), ExitStack() as held:
        sockets = [connection.fileno() for connection in _sessions(engine, held)]
        return not select.select(sockets, [], [], 0)[0]
    return False


def _processes(engine: Engine) -> list[int]:
    with ExitStack() as held:
        return [connection.info.backend_pid for connection in _sessions(engine, held)]


def _sessions(engine: Engine, held: ExitStack) -> Iterator[psycopg.Connection[Any]]:
    """Those that it keeps, all in our hands until `held` ends."""
    for _ in range(engine.pool.checkedin()):  # type: ignore[attr-defined]
        session = held.enter_context(closing(engine.raw_connection())).driver_connection
        assert isinstance(session, psycopg.Connection)
        yield session
