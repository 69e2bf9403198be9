"""Commands that leave work to workers: they ring for it, and say when no worker is alive that would do it.

Whether one is alive is known by heartbeats, as `critter drain` knows it of the doors.
"""

from collections.abc import Collection, Sequence
from typing import Final

import typer
from sqlalchemy.orm import Session

from gateway.ledger.operations import heartbeat
from gateway.queue import jobs
from gateway.queue.worker_notifier import WorkerNotifier
from gateway.settings import Settings

NO_WORKER: Final = 3  # the exit code: it is kept, and done as soon as a worker runs


def find_missing(session: Session, drains: Collection[str]) -> Sequence[str]:
    """Of the queues that these bells ring for, those that no live worker answers."""
    queues = {jobs.DRAINS[drain][0] for drain in drains}
    alive = heartbeat.alive(session, [_worker(queue) for queue in queues])
    return sorted(queue for queue in queues if _worker(queue) not in alive)


def notify(settings: Settings, drains: Collection[str]) -> None:
    notifier = WorkerNotifier(settings.redis_url)
    for name in sorted(drains):
        notifier.notify(name)
    notifier.close()


def exit_if_missing(queues: Sequence[str]) -> None:
    """The end of a command whose work nobody does just now, if there are such queues."""
    if queues:
        typer.echo(
            f"But nothing happens yet: no {' and no '.join(map(_worker, queues))} is alive. It is kept, and done once"
            f" one runs: start critter up, or {' and '.join(f'critter worker {queue}' for queue in queues)}.",
            err=True,
        )
        raise typer.Exit(NO_WORKER)


def _worker(queue: str) -> str:
    return f"worker-{queue}"
