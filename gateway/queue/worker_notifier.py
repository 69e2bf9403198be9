"""The worker notifier wakes workers after a commit; doors, handlers and workers call it.

A job carries no work, only a name (gateway/queue/jobs.py): what there is to do stands in PostgreSQL. A notification
that is lost delays its work until the clock notifies again, so `notify` never raises, and Redis gets no longer than
BLINK for an answer.

A job costs its worker several milliseconds of RQ's bookkeeping. So a worker that has just worked listens on its queue
for a while (QueueListener), and a notification that such a worker receives makes no job.
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
from gateway.queue.redis_link import RedisLink

log = logging.getLogger(__name__)

BLINK: Final = 0.05  # seconds that Redis may take for one answer
PENDING: Final = 1000  # milliseconds in which further notifications make no second job
SILENCE: Final = 0.1, 3.0  # seconds without a try after Redis was away: the first time (then doubled), and at most


class WorkerNotifier:
    """One per process; any thread may use it."""

    def __init__(self, redis_url: str) -> None:
        self._redis = Redis.from_url(
            redis_url, socket_timeout=BLINK, socket_connect_timeout=BLINK, retry=Retry(NoBackoff(), 0)
        )
        self._link = RedisLink(self._redis.connection_pool)
        self._queues = {name: JobQueue(jobs.rq_name(name), self._redis) for name in QUEUES}
        self._breaker = threading.Lock()
        self._silent_until = 0.0
        self._silence = SILENCE[0]

    def notify(self, name: str, *, job: bool = False) -> None:
        """Wakes a worker: one that still listens, or else any worker by a job. There is at most one such job a second
        until a worker has answered. Call it after the commit. `job`: write a job even when a worker listens, for that
        worker may hang or have much to do."""
        if self._silent():
            return
        try:
            if job or not self._link.ask("PUBLISH", _ear(DRAINS[name][0]), name):
                self._write_job(name, job)
            self._silence = SILENCE[0]
            crash_point("rung")
        except RedisError as error:
            self._open_breaker(error)

    def answered(self, name: str) -> None:
        """Whoever takes a job calls this before its drain looks for rows: a later notification may be for rows that the
        drain does not see. A drain that runs without a job has none to answer."""
        if self._silent():
            return
        try:
            self._redis.delete(_flag(name), _old_flag(name))
        except RedisError as error:
            self._open_breaker(error)

    def close(self) -> None:
        self._redis.close()

    def _write_job(self, name: str, of_clock: bool) -> None:
        """Writes a job, unless one was written within the last second and no worker has answered it."""
        queue, flag = DRAINS[name][0], _flag(name)
        if not self._redis.set(flag, 1, nx=True, px=PENDING):
            if of_clock and not 0 <= self._redis.pttl(flag) <= PENDING:
                self._redis.delete(flag)  # our flags expire; this one would stop all jobs for good
            return
        try:
            self._queues[queue].put(name)
        except ResponseError:
            jobs.mend(self._redis, jobs.keys(queue))
            raise

    def _silent(self) -> bool:
        return time.monotonic() < self._silent_until

    def _open_breaker(self, error: RedisError) -> None:
        """Stops all tries for a while: a hanging Redis must not cost every caller its 50 ms."""
        with self._breaker:
            if self._silent():
                return
            silence, self._silence = self._silence, min(2 * self._silence, SILENCE[1])
            self._silent_until = time.monotonic() + silence
        log.warning("redis is away (%s): the bell is silent for %g s", type(error).__name__, silence)


class QueueListener:
    """Receives the notifications of one queue without jobs: all that are sent while its `with` block is open."""

    def __init__(self, redis: Redis, queue: str) -> None:
        self._redis, self._queue = redis, queue
        self._open = redis.pubsub()  # type: ignore[no-untyped-call]

    def __enter__(self) -> Self:
        self._open.subscribe(_ear(self._queue))
        self._next(BLINK * 10)  # Redis confirms the subscription
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def hear(self, seconds: float) -> set[str]:
        """The drains that were notified by now, or are within so many seconds; empty when there are none."""
        names: set[str] = set()
        end = time.monotonic() + seconds
        while message := self._next(0.0 if names else max(0.0, end - time.monotonic())):
            names |= self._named(message)
            if time.monotonic() > end:
                break
        return names

    def leave(self) -> set[str]:
        """Stops listening, and returns the drains that were notified until that took effect. After it a notification
        makes a job again."""
        self._open.unsubscribe()
        names: set[str] = set()
        while (message := self._next(BLINK * 10)) and message["type"] == "message":
            names |= self._named(message)
        return names

    def jobs(self) -> bool:
        """Whether jobs of this queue wait in Redis while this worker listens."""
        return bool(self._redis.exists(*jobs.keys(self._queue)))

    def _named(self, message: dict[str, Any]) -> set[str]:
        name = jobs.drain_heard(self._queue, message["data"]) if message["type"] == "message" else None
        return {name} if name else set()

    def _next(self, seconds: float) -> dict[str, Any] | None:
        message: dict[str, Any] | None = self._open.get_message(timeout=seconds)
        return message


def _ear(queue: str) -> str:
    return f"critter:ear:{queue}"


def _flag(name: str) -> str:
    return f"critter:asked:{name}"


def _old_flag(name: str) -> str:
    """The flag of the version before, which uses it for its own workers; these do not read our jobs."""
    return f"critter:rung:{name}"
