"""Builds the worker processes: settings into a worker context, which an RQ worker or the clock uses."""

import signal
import sys
from importlib import import_module
from typing import Final

import structlog
from redis import Redis, RedisError
from redis.backoff import NoBackoff
from redis.retry import Retry
from rq.exceptions import StopRequested

from critter.doctor.check import check_without_money
from critter.processes import garbage, logs
from critter.processes.rq_worker import DrainWorker
from gateway import failpoints
from gateway.carriers import parts
from gateway.carriers.common.protocol import Carrier, OutboundEmail, OutboundPush, Text
from gateway.carriers.instrumented import InstrumentedCarrier, instrument
from gateway.channels import EMAIL, PUSH, PUSHES, SMS
from gateway.ledger.commit.admission import Admission
from gateway.ledger.operations.heartbeat import Heartbeat, owner
from gateway.mail.compose import dkim_keys
from gateway.queue.jobs import DRAINS, QUEUES
from gateway.queue.worker_notifier import WorkerNotifier
from gateway.settings import Settings
from gateway.store.database import connect
from workers.runtime.context import WorkerContext, enter
from workers.runtime.event_loop import Loop
from workers.upkeep import scheduler

CLOCK_POOL: Final = 10  # connections, and as many more: each task uses its own while it needs one
REST: Final = 0.5  # seconds between two attempts to reach Redis
TURNS: Final = 0.001  # seconds that a thread may hold the GIL: the loop must not wait for rendering

log = structlog.get_logger()


def serve_worker(settings: Settings, queue: str) -> None:
    """Serves one queue until SIGTERM; work in progress then has 20 s."""
    logs.configure()
    failpoints.arm(settings.crash_at, settings.var, f"worker-{queue}")
    sys.setswitchinterval(TURNS)
    context = build(settings, queue)
    enter(context)
    _load(queue)
    _stop_on_signals(context)
    with Heartbeat(context.engine, f"worker-{queue}", context.owner):
        _work(context, queue)
    context.close()


def _load(queue: str) -> None:
    """Loads what the drains of this queue need before the first job."""
    for served, path in DRAINS.values():
        if served == queue:
            import_module(path.rpartition(".")[0])
    garbage.calm()


def _work(context: WorkerContext, queue: str) -> None:
    while not context.stopping():
        try:
            _answer(context, queue)
        except StopRequested:
            break
        except (RedisError, OSError) as problem:
            log.warning("redis is away", problem=type(problem).__name__)
        context.rest(REST)


def _answer(context: WorkerContext, queue: str) -> None:
    """Runs until SIGTERM, or until Redis was lost in the middle of a job; then RQ's worker gives up and a new one
    begins."""
    with Redis.from_url(
        context.settings.redis_url, retry=Retry(NoBackoff(), 0), socket_connect_timeout=5
    ) as connection:
        try:
            DrainWorker(context, queue, connection).work(logging_level="WARNING")
        finally:
            _stop_on_signals(context)  # RQ's handler would end a wait with an exception


def serve_clock(settings: Settings) -> None:
    """Wakes workers for what is due until SIGTERM."""
    logs.configure()
    failpoints.arm(settings.crash_at, settings.var, "clock")
    if stuck := check_without_money(settings):
        log.error(stuck)
    context = build(settings, "clock")
    _stop_on_signals(context)
    with Heartbeat(context.engine, "clock", context.owner, context.admission) as pulse:
        pulse.wait_for_beat()
        scheduler.run(context)
    context.close()


def build(settings: Settings, queue: str) -> WorkerContext:
    """The worker context of one process; only the queues that send have a carrier."""
    return WorkerContext(
        settings=settings,
        engine=connect(
            settings.database_url,
            CLOCK_POOL if queue == "clock" else 5,
            by_key=queue in QUEUES,
            keys=settings.secret_keys,
        ),
        notifier=WorkerNotifier(settings.redis_url),
        owner=owner(queue),
        loop=Loop(),
        texts=_texts(settings) if queue == SMS and settings.sms else {},
        emails=_letters(settings) if queue == EMAIL and settings.mail else None,
        pushes=_pushes(settings) if queue == PUSHES.queue and PUSH in settings.channels else None,
        keys=dkim_keys.of(settings) if queue == EMAIL and settings.mail else (),
        admission=Admission(needs_contact=queue == "clock"),
        inbox=parts.make_inbox(settings) if queue == "clock" and settings.sms else None,
    )


def _texts(settings: Settings) -> dict[str, Carrier[Text]]:
    """The carriers for texts that our numbers name, by these names."""
    return {name: instrument(carrier) for name, carrier in parts.make_texts(settings).items()}


def _letters(settings: Settings) -> Carrier[OutboundEmail]:
    return InstrumentedCarrier(parts.make_mails(settings))


def _pushes(settings: Settings) -> Carrier[OutboundPush]:
    return InstrumentedCarrier(parts.make_pushes(settings))


def _stop_on_signals(context: WorkerContext) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: context.stop())
