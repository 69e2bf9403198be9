"""How the doors write into the inbox: what several sessions hand in at the same time is committed in one group."""

from collections.abc import Callable
from typing import Final, cast

import psycopg
from sqlalchemy import Engine, PoolProxiedConnection

from gateway.failpoints import crash_point
from gateway.ledger.commit.admission import Admission, Closed
from gateway.ledger.commit.group_commit import CommitTicket, GroupCommitter
from gateway.ledger.inbox import inbox
from gateway.ledger.inbox.inbox import Incoming
from gateway.store.database import transaction
from gateway.store.direct import KEEP_PLANS

USELESS: Final = (psycopg.OperationalError, psycopg.errors.ReadOnlySqlTransaction)  # errors of a useless connection


class Intake(GroupCommitter[Incoming]):
    """A ticket ends when its row is durable, or with the error that prevented it. `accepted` is called after each
    commit, and `unproved`, too, when there are mails whose sender is still to be proved.

    Every text and mail waits for this one thread, so it keeps its connection and calls the driver directly: through a
    session, a group costs three times as much.
    """

    def __init__(
        self,
        engine: Engine,
        accepted: Callable[[], None],
        admission: Admission | None = None,
        unproved: Callable[[], None] = lambda: None,
    ) -> None:
        self._engine = engine
        self._admission = admission or Admission()
        self._key: bytes | None = None
        self._raw: PoolProxiedConnection | None = None
        self._accepted, self._unproved = accepted, unproved
        self._to_be_proved = False
        super().__init__("intake", self._accept, self._notify)

    def hand_in(self, row: Incoming, ticket: CommitTicket) -> None:
        """Takes a row. While `critter drain` keeps the doors closed, the ticket ends with Closed, and the caller asks
        its client to try again later."""
        if self._admission.enter():
            super().hand_in(row, ticket)
        else:
            ticket.set_exception(Closed())

    def _is_done(self, tickets: int) -> None:
        self._admission.leave(tickets)

    def close(self) -> None:
        super().close()
        self._let_go()

    def _notify(self) -> None:
        self._accepted()
        if self._to_be_proved:  # set after its commit, so whoever is notified from now on sees the row
            self._to_be_proved = False
            self._unproved()

    def _accept(self, incoming: list[Incoming]) -> None:
        """Stores the rows. A connection that died while nothing came in is replaced, so that the next input does not
        fail; so is one to a server that only reads by now, because another has taken its place. Trying again is
        harmless: what was stored already is the same success."""
        reused = self._raw is not None
        try:
            self._write(incoming)
        except USELESS:
            self._let_go()
            if not reused:
                raise
            self._write(incoming)

    def _write(self, incoming: list[Incoming]) -> None:
        if self._key is None:
            with transaction(self._engine) as session:
                self._key = inbox.hash_key(session)
        given = inbox.rows(self._key, incoming)
        crash_point("not stored")
        with self._connection().cursor() as cursor:
            cursor.execute(inbox.ACCEPT, given, prepare=True)
            inbox.count_new(given, {key for key, _ in cursor})
        if not all(one.trusted for one in incoming):
            self._to_be_proved = True
        crash_point("stored")

    def _connection(self) -> psycopg.Connection:
        """Each statement on it commits by itself."""
        if self._raw is None:
            self._raw = self._engine.raw_connection()
            driver = cast("psycopg.Connection", self._raw.driver_connection)
            driver.autocommit = True
            driver.execute(KEEP_PLANS)
        return cast("psycopg.Connection", self._raw.driver_connection)

    def _let_go(self) -> None:
        if self._raw is not None:
            self._raw.invalidate()
            self._raw = None
