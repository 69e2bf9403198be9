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


def find_missing(session: Session, bells: Collection[str]) -> Sequence[str]:
    """Of the queues that these bells ring for, those that no live worker answers."""
    queues = {jobs.DRAINS[bell][0] for bell in bells}
    alive = heartbeat.alive(session, [_worker(queue) for queue in queues])
    return sorted(queue for queue in queues if _worker(queue) not in alive)


def ring(settings: Settings, bells: Collection[str]) -> None:
    bell = WorkerNotifier(settings.redis_url)
    for name in sorted(bells):
        bell.ring(name)
    bell.close()


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
