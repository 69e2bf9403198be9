"""The pulse of a process: every few seconds it says that it lives, stores what it counted, hears whether the doors are
to be closed, and confirms that they are. Critter/ gives one to every process; `critter drain` and /metrics read what it
writes."""

import logging
import os
import secrets
import socket
import threading
from collections.abc import Collection
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final, Self

from sqlalchemy import Engine, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from gateway.ledger.commit import counters
from gateway.ledger.commit.admission import Admission
from gateway.ledger.operations.metrics_snapshot import ALIVE
from gateway.store import restore_marker
from gateway.store.database import transaction

BEAT: Final = 2.0  # seconds
FAREWELL: Final = 5.0  # seconds; a database that hangs must not hold up the end of a process
FORGOTTEN: Final = timedelta(days=1)  # after which a process that was killed is struck off

log = logging.getLogger(__name__)


class Heartbeat:
    """A thread of its own, so made after a fork, never before. What cannot be stored waits for the next beat."""

    def __init__(self, engine: Engine, name: str, owner: str, admission: Admission | None = None) -> None:
        """Steers the admission of a process that takes something in; one that takes nothing in has none."""
        self._engine, self._name, self._owner = engine, name, owner
        self._admission = admission or Admission()
        self._away = False
        self._begun, self._end = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="pulse", daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def draining(self) -> bool:
        """True while `critter drain` wants nothing more to come in."""
        return self._admission.is_drained()

    def wait_for_beat(self, timeout: float = 10.0) -> bool:
        """Until its first beat was stored, or could not be."""
        return self._begun.wait(timeout)

    def close(self) -> None:
        """Stores what was counted and signs off."""
        self._end.set()
        self._thread.join(FAREWELL)

    def _run(self) -> None:
        self._once()
        self._begun.set()
        while not self._end.wait(BEAT):
            self._once()
            if self._admission.wait_until_confirmed(BEAT, self._end):
                self._once()  # a drain waits for this word
        self._once()
        with suppress(SQLAlchemyError), transaction(self._engine) as session:
            session.execute(SIGN_OFF, {"owner": self._owner})

    def _once(self) -> None:
        counted = counters.take_counts()
        try:
            with transaction(self._engine) as session:
                closed = beat(session, self._name, self._owner, self._admission.confirmed())
                counters.store(session, counted)
            self._admission.hear(*closed)
            self._away = False
        except Exception as problem:  # noqa: BLE001  a process must not lose its pulse
            counters.add_all(counted)
            if not self._away:
                why = restore_marker.REFUSAL if restore_marker.is_refusal(problem) else type(problem).__name__
                log.warning("the pulse is not stored: %s", why)
            self._away = True


def owner(name: str) -> str:
    """This process, in leases and in the table of processes."""
    return f"{name}@{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"


def beat(session: Session, name: str, owner: str, confirmed: datetime | None = None) -> tuple[datetime | None, float]:
    """Says that this process lives, and until when it is known to take nothing in; tells until when its doors are to
    be closed, and how many seconds that is from now. Its figures need not wait for the disk."""
    values = {"name": name, "owner": owner, "forgotten": FORGOTTEN, "confirmed": confirmed}
    until, seconds = session.execute(BEATS, values).one_or_none() or (None, 0.0)
    return until, seconds or 0.0


def alive(session: Session, names: Collection[str]) -> set[str]:
    """Of processes of these names, those that are heard of."""
    return set(session.scalars(LIVING, {"names": list(names), "alive": ALIVE}))


LIVING: Final = text("""
    SELECT name FROM processes
    WHERE name = ANY (CAST(:names AS text[])) AND seen_at > now() - CAST(:alive AS interval)
""")
SIGN_OFF: Final = text("DELETE FROM processes WHERE owner = :owner")

# While a drain waits, the doors of all processes are closed. Once it has ended well, a process that started later is
# the new version, and open. An end from before this drain says nothing about it.
BEATS: Final = text("""
    WITH quick AS MATERIALIZED (SELECT set_config('synchronous_commit', 'off', true)
    ), seen AS (
        INSERT INTO processes (owner, name, closed_until)
        SELECT :owner, :name, CAST(:confirmed AS timestamptz) FROM quick
        ON CONFLICT (owner) DO UPDATE SET seen_at = now(), closed_until = excluded.closed_until RETURNING started_at
    ), gone AS (
        DELETE FROM processes WHERE seen_at < now() - CAST(:forgotten AS interval) AND owner <> :owner
    ), asked AS (
        SELECT draining_until AS until FROM seen, installation
        WHERE draining_until > now()
          AND (drained_at IS NULL OR drained_at < draining_since OR seen.started_at <= drained_at)
    )
    SELECT until, CAST(extract(epoch FROM until - now()) AS double precision) FROM asked
""")
