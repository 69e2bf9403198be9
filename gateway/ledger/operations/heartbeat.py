"""The heartbeat of a process: every two seconds it writes that the process lives, stores its counters, reads whether
the doors are to be closed, and confirms that they are. critter/ starts one in every process; `critter drain` and
/metrics read what it writes."""

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
FAREWELL: Final = 5.0  # seconds for the last beat; a database that hangs must not hold up the end of a process
FORGOTTEN: Final = timedelta(days=1)  # after this the row of a process that was killed is deleted

log = logging.getLogger(__name__)


class Heartbeat:
    """A thread of its own, so it is made after a fork, never before. What cannot be stored waits for the next beat."""

    def __init__(self, engine: Engine, name: str, owner: str, admission: Admission | None = None) -> None:
        """`admission`: what a beat opens and closes, in a process that takes something in; others have none."""
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
        """Waits until the first beat was stored, or could not be; False when that takes longer."""
        return self._begun.wait(timeout)

    def close(self) -> None:
        """Stores the counters, deletes the row of this process, and ends."""
        self._end.set()
        self._thread.join(FAREWELL)

    def _run(self) -> None:
        self._once()
        self._begun.set()
        while not self._end.wait(BEAT):
            self._once()
            if self._admission.wait_until_confirmed(BEAT, self._end):
                self._once()  # a drain waits for this confirmation
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
        except Exception as problem:  # noqa: BLE001  the heartbeat must go on
            counters.add_all(counted)
            if not self._away:
                why = restore_marker.REFUSAL if restore_marker.is_refusal(problem) else type(problem).__name__
                log.warning("the pulse is not stored: %s", why)
            self._away = True


def owner(name: str) -> str:
    """The name of this process in leases and in the table of processes: name@host:pid:random."""
    return f"{name}@{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"


def beat(session: Session, name: str, owner: str, confirmed: datetime | None = None) -> tuple[datetime | None, float]:
    """Writes that this process lives, and until when it has confirmed to take nothing in. Returns until when its doors
    are to be closed (None: open), and how many seconds that is from now. The commit need not wait for the disk."""
    values = {"name": name, "owner": owner, "forgotten": FORGOTTEN, "confirmed": confirmed}
    until, seconds = session.execute(BEATS, values).one_or_none() or (None, 0.0)
    return until, seconds or 0.0


def alive(session: Session, names: Collection[str]) -> set[str]:
    """Those of these names of which at least one process has a recent heartbeat."""
    return set(session.scalars(LIVING, {"names": list(names), "alive": ALIVE}))


LIVING: Final = text("""
    SELECT name FROM processes
    WHERE name = ANY (CAST(:names AS text[])) AND seen_at > now() - CAST(:alive AS interval)
""")
SIGN_OFF: Final = text("DELETE FROM processes WHERE owner = :owner")

# While a drain waits, the doors of all processes are closed. Once it has ended well, a process that started later is
# the new version, and open. A drained_at from before this drain does not count.
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
