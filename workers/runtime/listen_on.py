"""What a worker does after a job, instead of waiting for the next: it listens for a while and drains at once when rung.

A steady stream of texts passes the queues without RQ's bookkeeping, which takes longer than all else that is done for
one text. critter/processes/rq_worker calls `linger`.
"""

import time
from typing import Final

from redis import Redis

from gateway.queue.worker_notifier import QueueListener
from workers.runtime.context import WorkerContext
from workers.runtime.drain_loop import run

SILENCE: Final = 1.0  # seconds without a ring after which RQ's worker takes over again
LONGEST: Final = 10.0  # seconds; RQ's worker has to say from time to time that it lives
LOOK: Final = 0.25  # seconds between two looks for jobs, which another's ring or the clock made


def listen_while_idle(here: WorkerContext, queue: str, redis: Redis) -> None:
    """Returns after a silence, or when jobs wait, or when the process is told to end."""
    with QueueListener(redis, queue) as ear:
        end = time.monotonic() + LONGEST
        while time.monotonic() < end and not ear.jobs() and _stretch(here, ear):
            pass
        _drain(ear.leave())


def _stretch(here: WorkerContext, ear: QueueListener) -> bool:
    """Drains for LOOK seconds; False when it was silent, or one failed."""
    end = time.monotonic() + LOOK
    while time.monotonic() < end:
        names = ear.hear(SILENCE)
        if here.stopping() or not names or not _drain(names):
            return False
    return True


def _drain(names: set[str]) -> bool:
    """False when one of them failed: the clock rings again."""
    return all(run(name) for name in sorted(names))
