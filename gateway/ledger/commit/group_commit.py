"""Group commit: rows that are handed in at the same time are stored in one transaction. The inbox and the callbacks of
the doors use it."""

import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Generic, Protocol, TypeVar

import psycopg
from sqlalchemy.exc import OperationalError

from gateway.failpoints import crash_point
from gateway.ledger.commit.commit_notifier import CommitNotifier

GROUP = 100  # rows in one commit; beyond it PostgreSQL gains little
ENOUGH = 16  # rows that wait for no others: as many as the web server has threads that may all be waiting
AWAY = (OperationalError, psycopg.OperationalError)  # raised when the database itself is in trouble
Row = TypeVar("Row")
Handed = TypeVar("Handed", contravariant=True)


class CommitQueue(Protocol[Handed]):
    """Where a door hands its rows in: the future ends when the row is durable, or with the error that prevented it."""

    def submit(self, row: Handed, /) -> "Future[None]": ...


class CommitTicket(Protocol):
    """What a row is handed in with, and what is told how it ended: a future, or something lighter where many come."""

    def set_running_or_notify_cancel(self) -> bool: ...
    def set_result(self, result: None, /) -> None: ...
    def set_exception(self, error: Exception, /) -> None: ...


class GroupCommitter(Generic[Row]):
    """One thread that calls `store` with all rows that wait. A ticket ends when its row is durable, or with the error
    that prevented it. `stored` is called soon after each commit. `breath`: seconds that a first row waits for others,
    until there are ENOUGH."""

    def __init__(
        self, name: str, store: Callable[[list[Row]], None], stored: Callable[[], None], breath: float = 0.0
    ) -> None:
        self._store, self._breath = store, breath
        self._notifier = CommitNotifier(f"{name} told", stored)
        self._tickets: queue.SimpleQueue[tuple[Row, CommitTicket] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def submit(self, row: Row) -> "Future[None]":
        future: Future[None] = Future()
        self.hand_in(row, future)
        return future

    def hand_in(self, row: Row, ticket: CommitTicket) -> None:
        self._tickets.put((row, ticket))

    def close(self) -> None:
        """Commits what was handed in, then ends."""
        self._tickets.put(None)
        self._thread.join()
        self._notifier.close()

    def _run(self) -> None:
        last = False
        while not last:
            group, last = self._gather()
            if group:
                self._commit(group)

    def _gather(self) -> tuple[list[tuple[Row, CommitTicket]], bool]:
        """Waits for a first ticket, then takes what else is there. Returns the tickets that nobody has cancelled, and
        whether the committer is to end."""
        group: list[tuple[Row, CommitTicket]] = []
        ticket = self._tickets.get()
        end = time.monotonic() + self._breath
        while ticket is not None:
            if ticket[1].set_running_or_notify_cancel():
                group.append(ticket)
            else:
                self._is_done(1)
            try:
                ticket = self._next(len(group), end)
            except queue.Empty:
                return group, False
        return group, True

    def _next(self, gathered: int, end: float) -> tuple[Row, CommitTicket] | None:
        """The next ticket of a group; raises queue.Empty when the group is to be committed."""
        if gathered == GROUP:
            raise queue.Empty
        wait = end - time.monotonic() if gathered < ENOUGH else 0.0
        return self._tickets.get(timeout=wait) if wait > 0 else self._tickets.get_nowait()

    def _commit(self, group: list[tuple[Row, CommitTicket]]) -> None:
        try:
            self._store([row for row, _ in group])
        except Exception as error:  # noqa: BLE001  it reaches each waiting door, which logs it
            self._refuse(group, error)
            return
        for _, ticket in group:
            ticket.set_result(None)
        self._is_done(len(group))
        crash_point("stored, and the doors know")
        self._notifier.owe()

    def _is_done(self, tickets: int) -> None:
        """Called when so many tickets have ended, well or not; for subclasses."""

    def _refuse(self, group: list[tuple[Row, CommitTicket]], error: Exception) -> None:
        """One bad row must not fail the others: when the database itself is well, each row is tried alone."""
        if len(group) == 1 or isinstance(error, AWAY):
            for _, ticket in group:
                ticket.set_exception(error)
            self._is_done(len(group))
            return
        for one in group:
            self._commit([one])
