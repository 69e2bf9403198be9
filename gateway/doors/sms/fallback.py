"""The fallback door (R10): takes texts and status callbacks while the first door, or even the database, is away.

`critter web --accept-only` serves it, critter/processes/fallback builds it. It has no pages, no Redis and no workers:
what it takes goes into the inbox or, while the database does not answer, into a spool on the disk, which is drained as
soon as the database answers. While anything is in the spool everything goes there, so that texts keep their order.
"""

import logging
import threading
import time
from concurrent.futures import Future
from typing import Final, Generic, TypeVar

import psycopg
from flask import Blueprint, Response, jsonify
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from gateway.doors.route_access import access
from gateway.ledger.commit.admission import Admission, Closed
from gateway.ledger.commit.group_commit import CommitQueue
from gateway.ledger.inbox import inbox
from gateway.ledger.inbox.inbox import Incoming
from gateway.ledger.inbox.spool import Spool, Spooled
from gateway.ledger.outbox import callbacks
from gateway.ledger.outbox.callbacks import CallbackCall
from gateway.store.database import transaction

PATIENCE: Final = 3.0  # seconds for the database; Twilio gives up after 15
EVERY: Final = 1.0  # seconds between two checks whether the database answers again
AGAIN: Final = 60.0  # seconds between two log lines about it
GROUP: Final = 100  # files in one commit
OWN_FAULT: Final = (psycopg.DataError, psycopg.IntegrityError)  # errors that a row causes, not the database

Row = TypeVar("Row", bound=Incoming | CallbackCall)
log = logging.getLogger(__name__)


class FallbackInbox:
    """The spool in front of the database: it knows whether the spool is needed now, and has the thread that drains
    it."""

    def __init__(self, engine: Engine, spool: Spool, admission: Admission | None = None) -> None:
        self._engine, self.spool, self.admission = engine, spool, admission or Admission()
        self._ended = threading.Event()
        self._in_use = threading.Event()
        if len(spool):
            self._in_use.set()
        self._thread = threading.Thread(target=self._keep_draining, name="spool", daemon=True)
        self._thread.start()

    @property
    def in_use(self) -> bool:
        """While it is true, what comes in is spooled without trying the database first."""
        return self._in_use.is_set()

    def keep(self, row: Incoming | CallbackCall) -> None:
        """Spools a row, which is durable when this returns; raises Full or OSError."""
        self._in_use.set()
        self.spool.keep(row)

    def close(self) -> None:
        self._ended.set()
        self._thread.join()

    def _keep_draining(self) -> None:
        said = float("-inf")
        while not self._ended.is_set():
            try:
                if self.in_use and self.drain():
                    continue
            except (SQLAlchemyError, psycopg.Error) as away:
                if time.monotonic() - said > AGAIN:
                    said = time.monotonic()
                    kind, held = type(away).__name__, len(self.spool)
                    log.warning("the database is away (%s): %d inputs are spooled", kind, held)
            except Exception:
                log.exception("the spool was not drained")
            self._ended.wait(EVERY)

    def drain(self) -> bool:
        """Stores the oldest rows of the spool in the database; returns False when there were none, and the door may use
        the database itself again. A crash between the commit and the removal stores them again, with the same
        result."""
        rows = self.spool.oldest(GROUP)
        if not rows:
            self._ping()
            self._in_use.clear()
            return len(self.spool) > 0 and self._again()
        try:
            self._store(rows)
        except (DBAPIError, *OWN_FAULT) as error:
            if not isinstance(getattr(error, "orig", error), OWN_FAULT):
                raise
            self._one_by_one(rows)
        self.spool.drop(rows)
        log.warning("%d spooled inputs were drained", len(rows))
        return True

    def _ping(self) -> None:
        """Tries the database: nothing is in the spool, so nothing else shows whether the database is back."""
        with self._engine.connect() as connection:
            connection.execute(text("SELECT 1"))

    def _again(self) -> bool:
        """Marks the spool as in use again: something was spooled just when the mark was cleared."""
        self._in_use.set()
        return True

    def _store(self, rows: list[Spooled]) -> None:
        incoming = [one.row for one in rows if isinstance(one.row, Incoming)]
        called = [one.row for one in rows if isinstance(one.row, CallbackCall)]
        with transaction(self._engine) as session:
            session.execute(text("SET LOCAL enable_seqscan = off"))
            if incoming:
                inbox.accept(session, inbox.hash_key(session), incoming)
            if called:
                callbacks.record(session, called)

    def _one_by_one(self, rows: list[Spooled]) -> None:
        """Stores the rows one by one: a row that the database refuses must not hold up the others."""
        for one in list(rows):
            try:
                self._store([one])
            except (DBAPIError, *OWN_FAULT) as error:
                if not isinstance(getattr(error, "orig", error), OWN_FAULT):
                    raise
                self.spool.set_aside(one.path)
                rows.remove(one)


class SpooledWriter(Generic[Row]):
    """A commit queue whose rows are spooled when it does not store them in time. If it stores such a row all the same,
    the spooled copy is a repeat, which has no second effect."""

    def __init__(self, ledger: CommitQueue[Row], fallback_inbox: FallbackInbox) -> None:
        self._ledger, self._shelter = ledger, fallback_inbox

    def submit(self, row: Row) -> "Future[None]":
        """Stores or spools a row; the future is done when this returns, because the door's own thread waits. While a
        drain keeps the doors closed no text comes in this way either. Status callbacks for our own texts do, because
        nobody would send them again."""
        future: Future[None] = Future()
        counted = isinstance(row, Incoming)
        if counted and not self._shelter.admission.enter():
            future.set_exception(Closed())
            return future
        try:
            if self._shelter.in_use or not self._stored(row):
                self._shelter.keep(row)
        except Exception as error:  # noqa: BLE001  it reaches the door, which logs it and answers 503
            future.set_exception(error)
        else:
            future.set_result(None)
        finally:
            if counted:
                self._shelter.admission.leave()
        return future

    def _stored(self, row: Row) -> bool:
        began = time.monotonic()
        self._shelter.admission.hold()  # the row may still be stored when nobody waits for it any more
        handed_in = self._ledger.submit(row)
        handed_in.add_done_callback(lambda _: self._shelter.admission.leave())
        try:
            handed_in.result(PATIENCE)
        except Exception as error:  # noqa: BLE001  whatever it is, the spool still can take it
            handed_in.cancel()
            kind, waited = type(error).__name__, time.monotonic() - began
            log.warning("the database did not take an input (%s after %.1f s)", kind, waited)
            return False
        return True


def blueprint(fallback_inbox: FallbackInbox) -> Blueprint:
    """GET /healthz: 200 while the process lives. GET /readyz: how many inputs are in the spool, and whether the
    database answers; 200 while the spool has room and no drain closes the door, since this door takes texts even
    without the database, else 503."""
    pages = Blueprint("fallback", __name__)

    @pages.get("/healthz")
    @access("public")
    def healthz() -> Response:
        return Response("ok\n", content_type="text/plain")

    @pages.get("/readyz")
    @access("public")
    def readyz() -> Response:
        status = {"database": "away" if fallback_inbox.in_use else "ok", "spooled": len(fallback_inbox.spool)}
        if closed := fallback_inbox.admission.is_closed():
            status["draining"] = True
        answer = jsonify(status)
        answer.status_code = 200 if fallback_inbox.spool.has_room() and not closed else 503
        return answer

    return pages
