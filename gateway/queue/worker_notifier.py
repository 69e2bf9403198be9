"""The bell: wakes the workers after a commit; doors, handlers and workers ring.

A job carries no work, only a name (gateway/queue/jobs.py): what there is to do stands in PostgreSQL. A ring that is
lost delays its work until the clock rings again, so no ring ever raises or waits longer than BLINK.

A job costs its worker several milliseconds of RQ's bookkeeping. A worker that has just worked therefore keeps an Ear
on its queue for a while, and a ring that somebody hears makes no job.
"""

import logging
import threading
import time
from typing import Any, Final, Self

from redis import Redis, RedisError, ResponseError
from redis.backoff import NoBackoff
from redis.retry import Retry

from gateway.failpoints import crash_point
from gateway.queue import jobs
from gateway.queue.jobs import DRAINS, QUEUES, JobQueue

log = logging.getLogger(__name__)

BLINK: Final = 0.05  # seconds that Redis may take for one answer
PENDING: Final = 1000  # milliseconds in which further rings fold into the first
SILENCE: Final = 0.1, 3.0  # seconds without a try after Redis was away: at first, doubled each time, at most


class WorkerNotifier:
    """One per process; any thread may ring."""

    def __init__(self, redis_url: str) -> None:
        self._redis = Redis.from_url(
            redis_url, socket_timeout=BLINK, socket_connect_timeout=BLINK, retry=Retry(NoBackoff(), 0)
        )
        self._queues = {name: JobQueue(jobs.rq_name(name), self._redis) for name in QUEUES}
        self._breaker = threading.Lock()
        self._silent_until = 0.0
        self._silence = SILENCE[0]

    def notify(self, name: str, *, job: bool = False) -> None:
        """Wakes a worker: one that still listens, else any by a job; those jobs fold into one a second until a worker
        has answered. Call after the commit. `job`: also past an ear whose worker may hang or have much to do."""
        if self._silent():
            return
        try:
            if job or not self._redis.publish(_ear(DRAINS[name][0]), name):
                self._write_job(name, job)
            self._silence = SILENCE[0]
            crash_point("rung")
        except RedisError as error:
            self._open_breaker(error)

    def answered(self, name: str) -> None:
        """A drain calls this before it looks for rows: a ring that comes later is for rows it may not see."""
        if self._silent():
            return
        try:
            self._redis.delete(_flag(name), _old_flag(name))
        except RedisError as error:
            self._open_breaker(error)

    def close(self) -> None:
        self._redis.close()

    def _write_job(self, name: str, of_clock: bool) -> None:
        """Unless one was written within the last second and waits."""
        queue, flag = DRAINS[name][0], _flag(name)
        if not self._redis.set(flag, 1, nx=True, px=PENDING):
            if of_clock and not 0 <= self._redis.pttl(flag) <= PENDING:
                self._redis.delete(flag)  # ours end by themselves; this one would silence us for good
            return
        try:
            self._queues[queue].put(name)
        except ResponseError:
            jobs.mend(self._redis, jobs.keys(queue))
            raise

    def _silent(self) -> bool:
        return time.monotonic() < self._silent_until

    def _open_breaker(self, error: RedisError) -> None:
        """A hanging Redis must not cost every caller its 50 ms."""
        with self._breaker:
            if self._silent():
                return
            silence, self._silence = self._silence, min(2 * self._silence, SILENCE[1])
            self._silent_until = time.monotonic() + silence
        log.warning("redis is away (%s): the bell is silent for %g s", type(error).__name__, silence)


class QueueListener:
    """Hears the rings of one queue without jobs, from `with` on. Whatever was rung while it was open is heard."""

    def __init__(self, redis: Redis, queue: str) -> None:
        self._redis, self._queue = redis, queue
        self._open = redis.pubsub()  # type: ignore[no-untyped-call]

    def __enter__(self) -> Self:
        self._open.subscribe(_ear(self._queue))
        self._next(BLINK * 10)  # Redis says that it begins
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def hear(self, seconds: float) -> set[str]:
        """What has been rung by now, or is within so many seconds; nothing when it stays silent."""
        names: set[str] = set()
        end = time.monotonic() + seconds
        while message := self._next(0.0 if names else max(0.0, end - time.monotonic())):
            names |= self._named(message)
            if time.monotonic() > end:
                break
        return names

    def leave(self) -> set[str]:
        """Ends it: what was rung until it took effect. After that a ring makes a job again."""
        self._open.unsubscribe()
        names: set[str] = set()
        while (message := self._next(BLINK * 10)) and message["type"] == "message":
            names |= self._named(message)
        return names

    def jobs(self) -> bool:
        """Whether there are jobs that this worker keeps waiting."""
        return bool(self._redis.exists(*jobs.keys(self._queue)))

    def _named(self, message: dict[str, Any]) -> set[str]:
        name = jobs.is_heard(self._queue, message["data"]) if message["type"] == "message" else None
        return {name} if name else set()

    def _next(self, seconds: float) -> dict[str, Any] | None:
        message: dict[str, Any] | None = self._open.get_message(timeout=seconds)
        return message


def _ear(queue: str) -> str:
    return f"critter:ear:{queue}"


def _flag(name: str) -> str:
    return f"critter:asked:{name}"


def _old_flag(name: str) -> str:
    """That of the version before: it folds rings for its own workers, which do not read our jobs."""
    return f"critter:rung:{name}"
