"""Wakes workers for commands that leave work to them, and says when no live worker would do it.

Heartbeats show whether one is alive, as `critter drain` uses them for the doors.
"""

from collections.abc import Collection, Sequence
from typing import Final

import typer
from sqlalchemy.orm import Session

from gateway.ledger.operations import heartbeat
from gateway.queue import jobs
from gateway.queue.worker_notifier import WorkerNotifier
from gateway.settings import Settings

NO_WORKER: Final = 3  # the exit code: the work is kept, and done as soon as a worker runs


def find_missing(session: Session, drains: Collection[str]) -> Sequence[str]:
    """Those of the queues of these drains for which no live worker exists."""
    queues = {jobs.DRAINS[drain][0] for drain in drains}
    alive = heartbeat.alive(session, [_worker(queue) for queue in queues])
    return sorted(queue for queue in queues if _worker(queue) not in alive)


def notify(settings: Settings, drains: Collection[str]) -> None:
    notifier = WorkerNotifier(settings.redis_url)
    for name in sorted(drains):
        notifier.notify(name)
    notifier.close()


def exit_if_missing(queues: Sequence[str]) -> None:
    """Ends the command with NO_WORKER when there are queues without a live worker."""
    if queues:
        typer.echo(
            f"But nothing happens yet: no {' and no '.join(map(_worker, queues))} is alive. It is kept, and done once"
            f" one runs: start critter up, or {' and '.join(f'critter worker {queue}' for queue in queues)}.",
            err=True,
        )
        raise typer.Exit(NO_WORKER)


def _worker(queue: str) -> str:
    return f"worker-{queue}"
