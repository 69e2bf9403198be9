"""Runs periodic tasks, each in a thread of its own, so that a task that fails or hangs stops no other.

A failure is counted and recorded for `critter check`, and the task is tried again with growing pauses. A database that
is away is no task's fault: the task is tried again a second later. workers/upkeep/scheduler has the table of tasks.
"""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import structlog
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError, DisconnectionError, InterfaceError, OperationalError, SQLAlchemyError

from gateway.ledger.commit import counters
from gateway.ledger.operations import task_failures
from gateway.ledger.operations.task_failures import OFTEN
from gateway.store.database import transaction
from workers.runtime.context import WorkerContext

SECOND: Final = 1.0
LOOK: Final = 1.0  # seconds between two looks for tasks that hang
LONGEST: Final = 300.0  # seconds until a task that fails is tried again, at most …
OFTEN_DONE: Final = 30.0  # … and at most this for tasks that run at least this often
FAREWELL: Final = 15.0  # seconds that tasks in hand have to finish when the process ends

# SQLSTATEs of a database that is away, is being stopped, or cannot take one more connection.
AWAY: Final = ("08", "57P", "53300")

log = structlog.get_logger()
Turn = Callable[[], float | None]  # runs the task once; returns the seconds until the next time, None for the usual


@dataclass(frozen=True, slots=True)
class Task:
    """One periodic task. `make` builds the turn for one process, with whatever it remembers from one turn to the
    next; `every`: seconds between two turns."""

    name: str
    every: float
    make: Callable[[WorkerContext, "Failures"], Turn]
    longest: float = 120.0  # seconds after which a turn counts as hanging


class Failures:
    """How often each thing failed in a row; shared by all threads of a process."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._turn = threading.Lock()
        self._counts: dict[str, int] = {}
        self._written: dict[str, bool] = {}  # whether the table may have a row of it; not known at the start
        self._away = False

    def failed(self, name: str, problem: BaseException) -> int:
        """Counts a failure; returns how often the task has failed in a row, 0 when it was not the task's fault."""
        if is_away(problem):
            self._note_away(problem)
            return 0
        with self._turn:
            self._counts[name] = count = self._counts.get(name, 0) + 1
        counters.add("task_failures", name)
        log.error("a task of the clock failed", task=name, failures=count, exc_info=problem)
        self._alarm(name, count, reason_of(problem))
        return count

    def record_hang(self, name: str, seconds: float) -> None:
        """Records that a turn has not returned; called once in a turn."""
        counters.add("task_failures", name)
        step = "look what it waits for: locks in the database, a folder that does not answer; restart the clock"
        log.error("a task of the clock hangs", task=name, seconds=round(seconds), step=step)
        self._write(name, OFTEN, "hangs")

    def succeeded(self, name: str) -> None:
        with self._turn:
            failed, self._away = self._counts.pop(name, 0), False
        if failed >= OFTEN:
            log.warning("a task of the clock succeeds again", task=name)
        if self._written.get(name, True):
            self._erase(name)

    def _note_away(self, problem: BaseException) -> None:
        """Writes one log line for all tasks, until one of them succeeds."""
        with self._turn:
            said, self._away = self._away, True
        if not said:
            log.warning("database is away", problem=reason_of(problem))

    def _alarm(self, name: str, count: int, reason: str) -> None:
        if count >= OFTEN and count % OFTEN == 0:
            step = "the lines before say why; the other tasks go on, and this one is tried again"
            log.error("a task of the clock keeps failing", task=name, failures=count, reason=reason, step=step)
        self._write(name, count, reason)

    def _write(self, name: str, count: int, reason: str) -> None:
        self._written[name] = True
        try:
            with transaction(self._engine) as session:
                task_failures.record_failure(session, name, count, reason)
        except SQLAlchemyError as problem:
            log.warning("the failure of a task is not written down", task=name, problem=reason_of(problem))

    def _erase(self, name: str) -> None:
        try:
            with transaction(self._engine) as session:
                task_failures.record_success(session, name)
            self._written[name] = False
        except SQLAlchemyError as problem:
            log.warning("the success of a task is not written down", task=name, problem=reason_of(problem))


class TaskRunner:
    """One task and its thread."""

    def __init__(self, context: WorkerContext, task: Task, failures: Failures) -> None:
        self._context, self.task, self._failures = context, task, failures
        self._begun: float | None = None
        self._said = False
        self._step = task.make(context, failures)
        self._thread = threading.Thread(target=self._run, name=task.name, daemon=True)
        self._thread.start()

    def look(self) -> None:
        """Reports once that the turn takes too long. It can do no more: nothing can end a thread."""
        begun = self._begun
        if begun is None or self._said:
            return
        if (seconds := time.monotonic() - begun) > self.task.longest:
            self._said = True
            self._failures.record_hang(self.task.name, seconds)

    def join(self, seconds: float) -> None:
        self._thread.join(seconds)

    def _run(self) -> None:
        while not self._context.stopping():
            self._context.rest(self._once())

    def _once(self) -> float:
        """Runs one turn; returns the seconds to wait after it."""
        self._said, self._begun = False, time.monotonic()
        try:
            pause = self._step()
        except BaseException as problem:  # noqa: BLE001  whatever it is, it must not end the thread
            return self._later(self._failures.failed(self.task.name, problem))
        finally:
            self._begun = None
        self._failures.succeeded(self.task.name)
        return self.task.every if pause is None else pause

    def _later(self, failures: int) -> float:
        most = OFTEN_DONE if self.task.every <= OFTEN_DONE else LONGEST
        return min(most, SECOND * 2.0 ** max(0, min(failures, 20) - 1))


def run(context: WorkerContext, tasks: Sequence[Task]) -> None:
    """Runs the tasks until the worker context is told to stop."""
    failures = Failures(context.engine)
    runners = [TaskRunner(context, task, failures) for task in tasks]
    while not context.stopping():
        for runner in runners:
            runner.look()
        context.rest(LOOK)
    end = time.monotonic() + FAREWELL
    for runner in runners:
        runner.join(max(0.0, end - time.monotonic()))


def is_away(problem: BaseException) -> bool:
    """Tells whether the database was lost, which is not the task's fault. A statement that took too long is."""
    if isinstance(problem, OperationalError | InterfaceError):
        state: str | None = getattr(problem.orig, "sqlstate", None)
        return problem.connection_invalidated or state is None or state.startswith(AWAY)
    return isinstance(problem, DisconnectionError)


def reason_of(problem: BaseException) -> str:
    """Returns the name of the error, never its message: that may contain a phone number."""
    return type(problem.orig if isinstance(problem, DBAPIError) and problem.orig else problem).__name__
