"""Jobs in Redis: the table of drains that a job may name, how jobs are written, and how they are read without trust.

A job is the name of a drain and nothing else; what there is to do stands in PostgreSQL. Whoever can write to Redis can
write jobs, too, and RQ would import and call whatever they name: functions, callbacks, pickled objects. So only the
name is read from a job, and only names of this table do anything (R59). Everything else is removed, counted and logged
for operators; the clock wakes workers again for what is due. The worker notifier writes jobs,
critter/processes/rq_worker takes them.
"""

import json
import logging
import re
import time
import zlib
from collections.abc import Iterable
from typing import Any, Final

from redis import Redis, ResponseError
from redis.client import Pipeline
from rq import Queue
from rq.job import Job
from rq.serializers import DefaultSerializer, JSONSerializer
from rq.utils import as_text

from gateway.channels import CHANNELS, SMS
from gateway.ledger.commit import counters

log = logging.getLogger(__name__)

# Name of a drain → (the queue whose workers run it, the function that they run).
DRAINS: Final = {
    "inbound": ("inbound", "workers.inbound.drain"),
    "proving": ("proving", "workers.mail_auth.drain"),
    "fanout": ("fanout", "workers.fanout.drain"),
    "tellings": ("fanout", "workers.author_reports.drain"),
    "offers": ("fanout", "workers.offers.drain"),
    "dailies": ("fanout", "workers.daily_mail.drain"),
    "wake_ups": ("fanout", "workers.wake_up.drain"),
    "calls": ("fanout", "workers.calls.drain"),
    **{each.name: (each.queue, f"workers.deliver.drain_{each.name}") for each in CHANNELS.values()},
    "receipts": (SMS, "workers.callbacks.drain"),
    "reconcile": (SMS, "workers.reconcile.drain"),
    "pictures": ("fanout", "workers.media.drain"),
    "prices": (SMS, "workers.price_sync.drain"),
    "redact": (SMS, "workers.redaction.drain"),
}
QUEUES: Final = ("inbound", "proving", "fanout", *dict.fromkeys(each.queue for each in CHANNELS.values()))

# The version before wrote pickles into queues of other names. They are known by their bytes and never unpickled.
PATHS_BEFORE: Final = {
    "workers.inbound.drain": "inbound",
    "workers.proving.drain": "proving",
    "workers.fanout.drain": "fanout",
    "workers.tellings.drain": "tellings",
    "workers.dailies.drain": "dailies",
    "workers.deliver.drain_sms": "sms",
    "workers.deliver.drain_email": "email",
    "workers.receipts.drain": "receipts",
    "workers.reconcile.drain": "reconcile",
    "workers.pictures.drain": "pictures",
    "workers.prices.drain": "prices",
    "workers.redact.drain": "redact",
}
PICKLED: Final = {DefaultSerializer.dumps((path, None, (), {})): name for path, name in PATHS_BEFORE.items()}

TIMEOUT: Final = 300  # seconds that a drain may take; drains end themselves long before
TTL: Final = 60  # seconds that a job waits for a worker; the clock notifies again anyway
LARGEST: Final = 200  # octets of a job's data; ours have 30
MOST: Final = 100  # jobs in a row that name no drain, after which the lists are deleted
ID: Final = re.compile(rb"[A-Za-z0-9_-]{1,64}")
AGAIN: Final = 60.0  # seconds between two log lines about the same kind of strange job

_told: dict[str, float] = {}


def rq_name(queue: str) -> str:
    """The name of our queue in RQ; the version before used the plain name."""
    return f"critter-{queue}"


def keys(queue: str) -> tuple[str, str]:
    """The lists in Redis that a worker of this queue takes jobs from: ours, and that of the version before."""
    return f"rq:queue:{rq_name(queue)}", f"rq:queue:{queue}"


class _Strange(Exception):
    """A job that Critter has not written; the argument says what is wrong with it."""


class DrainJob(Job):
    """The job that RQ's worker gets: the name of a drain out of the table."""

    def __init__(self, name: str, connection: Redis) -> None:
        super().__init__(connection=connection, serializer=JSONSerializer)
        self.name = name


class JobQueue(Queue):
    """RQ's queue, except that it only ever returns a DrainJob of ours."""

    def __init__(self, name: str = "default", connection: Redis | None = None, **options: Any) -> None:
        super().__init__(name, connection, **{**options, "serializer": JSONSerializer})

    def put(self, name: str) -> None:
        with self.connection.pipeline() as pipeline:
            self._put(name, pipeline)
            pipeline.execute()

    def _put(self, name: str, pipeline: Pipeline) -> None:
        self.enqueue_call(name, timeout=TIMEOUT, result_ttl=0, ttl=TTL, failure_ttl=TTL, pipeline=pipeline)

    @classmethod
    def dequeue_any(
        cls, queues: Iterable[Queue], timeout: int | None, connection: Redis, *_: Any, **__: Any
    ) -> tuple[Job, Queue] | None:
        """Waits for the next job that names one of our drains. Raises DequeueTimeout as RQ's own does."""
        by_key = {queue.key: queue for queue in queues}
        silent = 0
        while (popped := cls._pop(list(by_key), timeout, connection)) is not None:
            queue = by_key[popped[0]]
            if name := take(connection, queue.name, popped[1]):
                return DrainJob(name, connection), queue
            silent += 1
            if silent % MOST == 0:  # a flood, or what a long stop has left: the clock notifies for all that is due
                connection.unlink(*by_key)
        return None

    @classmethod
    def _pop(cls, lists: list[str], timeout: int | None, connection: Redis) -> tuple[str, bytes] | None:
        try:
            popped = cls.lpop(lists, timeout, connection)
        except ResponseError:
            if not mend(connection, lists):
                raise
            popped = cls.lpop(lists, timeout, connection)
        return (as_text(popped[0]), popped[1]) if popped else None


def take(redis: Redis, rq_queue: str, job_id: bytes) -> str | None:
    """Removes a job and returns the drain that it names; None when the job has expired or is none of ours."""
    try:
        return _take(redis, rq_queue, job_id)
    except _Strange as strange:
        refuse(str(strange))
        return None


def _take(redis: Redis, rq_queue: str, job_id: bytes) -> str | None:
    if not ID.fullmatch(job_id):
        raise _Strange("id")
    key = b"rq:job:" + job_id
    try:
        size = redis.hstrlen(key, "data")  # checked first, so that nobody can make us read a large value
    except ResponseError:
        redis.unlink(key)
        raise _Strange("type") from None
    with redis.pipeline(transaction=False) as pipeline:
        if 0 < size <= LARGEST:
            pipeline.hget(key, "data")
        pipeline.unlink(key)
        *read, removed = pipeline.execute()
    if not removed:
        return None  # it has expired
    if not read:
        raise _Strange("size")
    return drain_named(rq_queue, read[0])


def drain_named(rq_queue: str, compressed: bytes) -> str:
    """The drain that a job's data names. Raises _Strange when it is not a drain of this queue, or when the data says
    anything else."""
    try:
        data = zlib.decompressobj().decompress(compressed, LARGEST)
        said = json.loads(data) if rq_queue not in QUEUES else [PICKLED.get(data), None, [], {}]
    except (zlib.error, ValueError, RecursionError):
        raise _Strange("content") from None
    name = said[0] if isinstance(said, list) and said[1:] == [None, [], {}] else None
    if not isinstance(name, str) or name not in DRAINS or rq_queue not in (rq_name(DRAINS[name][0]), DRAINS[name][0]):
        raise _Strange("content")
    return name


def drain_heard(queue: str, ring: object) -> str | None:
    """The drain that a notification without a job names, if it is one of this queue; else None."""
    name = ring.decode("ascii", "replace") if isinstance(ring, bytes) else ""
    if name in DRAINS and DRAINS[name][0] == queue:
        return name
    refuse("ring")
    return None


def mend(redis: Redis, lists: Iterable[str]) -> int:
    """Removes keys that have the names of our lists but are no lists, so that jobs can be written again; how many."""
    kinds = {"rq:queues": b"set", **dict.fromkeys(lists, b"list")}
    wrong = [name for name, kind in kinds.items() if redis.type(name) not in (kind, b"none")]
    for name in wrong:
        redis.unlink(name)
        refuse("type")
    return len(wrong)


def refuse(kind: str) -> None:
    """Counts something in Redis that Critter has not written, and logs it at most once a minute."""
    counters.add("strange_jobs", kind)
    now = time.monotonic()
    if now - _told.get(kind, float("-inf")) >= AGAIN:
        _told[kind] = now
        log.error("redis holds a job that critter did not write (%s): removed, not run; let nobody else reach it", kind)
