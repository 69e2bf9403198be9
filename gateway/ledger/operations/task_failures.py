"""Tasks of the clock that fail again and again, for `critter check` and /metrics. workers/runtime/periodic_tasks
records them."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session

OFTEN: Final = 5  # failures in a row that make an alarm


class FailingTask(NamedTuple):
    """A task that failed the last `failures` times. `reason` is the name of the error, never its text."""

    task: str
    failures: int
    reason: str
    since: datetime


def record_failure(session: Session, task: str, failures: int, reason: str) -> None:
    """Records a failure; `failures`: how many times in a row by now."""
    session.execute(FAILED, {"task": task, "failures": failures, "reason": reason})


def record_success(session: Session, task: str) -> None:
    session.execute(text("DELETE FROM task_failures WHERE task = :task"), {"task": task})


def forget_others(session: Session, tasks: Collection[str]) -> None:
    """Deletes the failures of tasks that this version does not have."""
    session.execute(
        text("DELETE FROM task_failures WHERE task <> ALL (CAST(:tasks AS text[]))"), {"tasks": list(tasks)}
    )


def list_failing(session: Session) -> Sequence[FailingTask]:
    """The tasks that fail often enough for an alarm, those that have failed for longest first."""
    return [FailingTask(*row) for row in session.execute(FAILING, {"often": OFTEN})]


FAILED: Final = text("""
    INSERT INTO task_failures (task, failures, reason) VALUES (:task, :failures, :reason)
    ON CONFLICT (task) DO UPDATE SET failures = excluded.failures, reason = excluded.reason, failed_at = now(),
        since = CASE WHEN excluded.failures > 1 THEN task_failures.since ELSE now() END
""")
FAILING: Final = text("""
    SELECT task, failures, reason, since FROM task_failures WHERE failures >= :often ORDER BY since, task
""")
