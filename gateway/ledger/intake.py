"""Group commit: what several sessions of a door hand in at the same time is committed together. Doors call `submit`."""

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future

from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from gateway.ledger import inbox
from gateway.ledger.inbox import Incoming
from gateway.store.database import transaction

GROUP = 100  # rows in one commit; beyond it PostgreSQL gains little
Ticket = tuple[Incoming, "Future[None]"]


class Intake:
    """One thread that commits. A future ends when its row is durable, or with what kept it from being so."""

    def __init__(self, engine: Engine, accepted: Callable[[], None]) -> None:
        self._engine = engine
        self._accepted = accepted
        self._key: bytes | None = None
        self._tickets: queue.SimpleQueue[Ticket | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="intake", daemon=True)
        self._thread.start()

    def submit(self, incoming: Incoming) -> "Future[None]":
        future: Future[None] = Future()
        self._tickets.put((incoming, future))
        return future

    def close(self) -> None:
        """Commits what was handed in, then ends."""
        self._tickets.put(None)
        self._thread.join()

    def _run(self) -> None:
        while (first := self._tickets.get()) is not None:
            group, last = self._gather(first)
            self._commit(group)
            if last:
                return

    def _gather(self, first: Ticket) -> tuple[list[Ticket], bool]:
        group = [first]
        while len(group) < GROUP:
            try:
                ticket = self._tickets.get_nowait()
            except queue.Empty:
                break
            if ticket is None:
                return group, True
            group.append(ticket)
        return group, False

    def _commit(self, group: list[Ticket]) -> None:
        try:
            self._store([incoming for incoming, _ in group])
        except Exception as error:
            self._refuse(group, error)
            return
        for _, future in group:
            future.set_result(None)
        self._accepted()

    def _refuse(self, group: list[Ticket], error: Exception) -> None:
        """One bad row must not take the others with it: when the database itself is well, each is tried alone."""
        if len(group) == 1 or isinstance(error, OperationalError):
            for _, future in group:
                future.set_exception(error)
            return
        for ticket in group:
            self._commit([ticket])

    def _store(self, incoming: list[Incoming]) -> None:
        with transaction(self._engine) as session:
            if self._key is None:
                self._key = inbox.hash_key(session)
            inbox.accept(session, self._key, incoming)
