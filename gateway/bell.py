"""The bell: wakes the workers after a commit. The only file that knows RQ's queues; doors, handlers and workers ring.

A job carries no work, only its path: what there is to do stands in PostgreSQL. A ring that is lost delays its work
until the clock rings again, so nothing here ever raises or waits longer than BLINK.
"""

import logging
import threading
import time
from typing import Final

from redis import Redis, RedisError
from redis.backoff import NoBackoff
from redis.retry import Retry
from rq import Queue

log = logging.getLogger(__name__)

# What can be rung: the queue whose workers hear it, and the drain they then run.
DRAINS: Final = {
    "inbound": ("inbound", "workers.inbound.drain"),
    "fanout": ("fanout", "workers.fanout.drain"),
    "sms": ("sms", "workers.deliver.drain_sms"),
    "email": ("email", "workers.deliver.drain_email"),
    "receipts": ("sms", "workers.receipts.drain"),
    "reconcile": ("sms", "workers.reconcile.drain"),
    "pictures": ("sms", "workers.pictures.drain"),
}
QUEUES: Final = ("inbound", "fanout", "sms", "email")

BLINK: Final = 0.05  # seconds that Redis may take for one answer
PENDING: Final = 1000  # milliseconds in which further rings fold into the first
SILENCE: Final = 3.0  # seconds without a try after Redis was away
JOB_TIMEOUT: Final = 300  # seconds; drains end themselves long before
JOB_TTL: Final = 60  # seconds that a job waits for a worker; the clock rings again anyway
FAILURE_TTL: Final = 300


class Bell:
    """One per process; any thread may ring."""

    def __init__(self, redis_url: str) -> None:
        self._redis = Redis.from_url(
            redis_url, socket_timeout=BLINK, socket_connect_timeout=BLINK, retry=Retry(NoBackoff(), 0)
        )
        self._queues = {name: Queue(name, connection=self._redis, default_timeout=JOB_TIMEOUT) for name in QUEUES}
        self._breaker = threading.Lock()
        self._silent_until = 0.0

    def ring(self, name: str) -> None:
        """Wakes a worker; rings within a second fold into one until a worker has answered. Call after the commit."""
        queue, path = DRAINS[name]
        if self._silent():
            return
        try:
            if self._redis.set(_flag(name), 1, nx=True, px=PENDING):
                self._enqueue(self._queues[queue], path)
        except RedisError as error:
            self._open_breaker(error)

    def answered(self, name: str) -> None:
        """A drain calls this before it looks for rows: a ring that comes later is for rows it may not see."""
        if self._silent():
            return
        try:
            self._redis.delete(_flag(name))
        except RedisError as error:
            self._open_breaker(error)

    def close(self) -> None:
        self._redis.close()

    def _enqueue(self, queue: Queue, path: str) -> None:
        with self._redis.pipeline() as pipeline:
            queue.enqueue_call(path, result_ttl=0, ttl=JOB_TTL, failure_ttl=FAILURE_TTL, pipeline=pipeline)
            pipeline.execute()

    def _silent(self) -> bool:
        return time.monotonic() < self._silent_until

    def _open_breaker(self, error: RedisError) -> None:
        """A hanging Redis must not cost every caller its 50 ms."""
        with self._breaker:
            first = not self._silent()
            self._silent_until = time.monotonic() + SILENCE
        if first:
            log.warning("redis is away (%s): the bell is silent for %g s", type(error).__name__, SILENCE)


def _flag(name: str) -> str:
    return f"critter:rung:{name}"
