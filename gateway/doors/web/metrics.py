"""GET /metrics: the installation's metrics in the form that Prometheus reads. Any web process answers for all of it.

The metrics are read from PostgreSQL at each request; what processes count themselves arrives there some seconds later.
Labels are our own words, ids of our senders, and carriers' codes: never phone numbers, addresses or bodies.
"""

import hmac
import logging
import re
from collections.abc import Iterable, Iterator, Mapping
from ipaddress import ip_address
from typing import Final

import redis
from flask import Blueprint, Request, Response, abort, request
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from gateway.channels import NAMES
from gateway.doors.client_address import passed_on
from gateway.doors.route_access import access
from gateway.ledger.commit import counters
from gateway.ledger.operations.metrics_snapshot import Figures, take_snapshot
from gateway.queue import jobs
from gateway.settings import Settings
from gateway.store.database import transaction

PATIENCE: Final = 2  # seconds for Redis
HOST: Final = re.compile(r"(localhost|127\.0\.0\.1|\[::1\])(:\d+)?")  # a proxy would pass on its own public name

# Counter name → (metric, meaning, labels, kinds that are shown although nothing was counted yet): an alarm can only
# watch a metric that exists.
COUNTERS: Final[dict[str, tuple[str, str, tuple[str, ...], tuple[str, ...]]]] = {
    "accepted": ("accepted", "Texts and mails that the doors took in", ("channel",), NAMES),
    "proved": (
        "proved",
        "Mails whose sender was looked for, by proof or by how they stand",
        ("outcome",),
        ("dmarc", "held", "dropped", "later"),
    ),
    "read": ("read", "Inputs that were read, by how they ended", ("state",), ("done", "held", "dropped")),
    "fanned_out": ("fanned_out", "Deliveries that fan-outs made", ("channel",), NAMES),
    "sends": (
        "sends",
        "Tries to send, by the carrier's answer; paused: it refuses us",
        ("channel", "outcome"),
        tuple(f"{channel},{how}" for channel in NAMES for how in ("sent", "failed", "retry", "unknown", "paused")),
    ),
    "lease_expiries": (
        "lease_expiries",
        "Rows that were taken back from workers that fell silent",
        ("of",),
        ("inbound", "delivery"),
    ),
    "task_failures": ("task_failures", "Turns of the clock's tasks that failed", ("task",), ("due",)),
    "bounces": (
        "bounces",
        "Mails that came back, by what they say; again: a copy, unproved: without a token of ours",
        ("kind",),
        ("hard", "soft", "delayed", "delivered", "relayed", "again", "unproved"),
    ),
    "strange_jobs": (
        "strange_jobs",
        "What stood in Redis and was not written by Critter, by what is wrong with it",
        ("what",),
        ("content", "id", "ring", "size", "type", "workers"),
    ),
    "refusals": ("carrier_refusals", "Refusals of our own account or number, by code", ("channel", "code"), ()),
    "strange": (
        "strange_answers",
        "Answers that no carrier should give",
        ("channel", "what"),
        ("sms,malformed", "sms,callback", "sms,callback_status", "email,protocol"),
    ),
}

log = logging.getLogger(__name__)


def blueprint(settings: Settings, engine: Engine) -> Blueprint:
    """GET /metrics: for whoever has CRITTER_METRICS_TOKEN or, without this setting, for this machine alone; 404 for
    everybody else."""
    pages = Blueprint("metrics", __name__)
    client = redis.Redis.from_url(settings.redis_url, socket_timeout=PATIENCE, socket_connect_timeout=PATIENCE)

    @pages.get("/metrics")
    @access("metrics")
    def metrics() -> Response:
        if not may_ask(settings.metrics_token, request):
            abort(404)
        registry = CollectorRegistry()
        registry.register(_Told([*_database(settings, engine), *_redis_metrics(client)]))
        return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)

    return pages


def may_ask(token: str, asked: Request) -> bool:
    """Tells whether a request may see the metrics: it has the token or, if none is set, it comes from this machine and
    no proxy has passed it on."""
    if token:
        given = asked.headers.get("Authorization", "").removeprefix("Bearer ")
        return hmac.compare_digest(given.encode(), token.encode())
    if passed_on(asked) or asked.remote_addr is None:
        return False
    return ip_address(asked.remote_addr).is_loopback and HOST.fullmatch(asked.host.lower()) is not None


class _Told(Collector):
    """The metrics that were found, in the form that prometheus_client expects."""

    def __init__(self, found: Iterable[Metric]) -> None:
        self._found = list(found)

    def collect(self) -> Iterable[Metric]:
        return self._found


def _database(settings: Settings, engine: Engine) -> Iterator[Metric]:
    """Yields the metrics from the database; if it is away, only one that says so."""
    try:
        with transaction(engine) as session:
            found = take_snapshot(session, settings)
    except SQLAlchemyError as error:
        log.warning("the database does not answer: %s", type(error).__name__)
        yield GaugeMetricFamily("critter_database_up", "Whether PostgreSQL answers", 0)
        return
    yield GaugeMetricFamily("critter_database_up", "Whether PostgreSQL answers", 1)
    yield from _counters(found.totals)
    yield from _latency(found.totals)
    yield from _queues(found)
    yield from _troubles(settings, found)


def _counters(totals: Mapping[tuple[str, str], float]) -> Iterator[Metric]:
    for name, (metric, about, labels, always) in COUNTERS.items():
        family = CounterMetricFamily(f"critter_{metric}", about, labels=labels)
        found = dict.fromkeys(always, 0.0) | {kind: total for (named, kind), total in totals.items() if named == name}
        for kind, total in sorted(found.items()):
            family.add_metric(kind.split(","), total)
        yield family
    yield CounterMetricFamily("critter_segments", "Parts of texts that were sent", totals.get(("segments", ""), 0.0))


def _latency(totals: Mapping[tuple[str, str], float]) -> Iterator[Metric]:
    family = HistogramMetricFamily(
        "critter_carrier_seconds", "From handing a text or mail to its carrier until its answer", labels=["channel"]
    )
    for channel in NAMES:
        buckets, below = [], 0.0
        for bound in counters.BOUNDS:
            below += totals.get(("carrier_seconds", f"{channel},{bound}"), 0.0)
            buckets.append((bound, below))
        family.add_metric([channel], buckets, totals.get(("carrier_seconds_sum", channel), 0.0))
    yield family


def _queues(found: Figures) -> Iterator[Metric]:
    yield _gauge("queue_age_seconds", "Age of the oldest row that is due", "queue", found.ages)
    yield _gauge("queue_rows", "Open rows, 10000 for more", "queue", found.waiting)


def _troubles(settings: Settings, found: Figures) -> Iterator[Metric]:
    yield GaugeMetricFamily("critter_unknown_texts", "Texts in doubt that are looked for", found.unknown)
    yield _gauge("dead_letters", "Deliveries that ended badly and wait for a word, 10000 for more", "state", found.dead)
    yield _gauge("set_aside_inputs", "Inputs that wait for a word", "state", found.inputs)
    yield _gauge(
        "processes", "Processes heard of in the last 30 s", "process", {**_expected(settings), **found.processes}
    )
    yield GaugeMetricFamily("critter_mailboxes_off", "Mailboxes that get nothing, because mails came back", found.off)
    yield GaugeMetricFamily("critter_failing_tasks", "Tasks of the clock that keep failing", found.failing)
    yield GaugeMetricFamily(
        "critter_default_partition_rows", "Deliveries whose month has no partition, 10000 for more", found.outside
    )
    paused = GaugeMetricFamily(
        "critter_sender_paused", "Whether a number of ours may not send now", labels=["sender", "carrier"]
    )
    for sender in found.senders:
        paused.add_metric([str(sender.id), sender.carrier], sender.paused)
    yield paused
    if found.budget_left is not None:
        yield GaugeMetricFamily(
            "critter_budget_left_ratio", "What is left of this month's money for texts", found.budget_left
        )


def _gauge(name: str, about: str, label: str, found: Mapping[str, float]) -> Metric:
    family = GaugeMetricFamily(f"critter_{name}", about, labels=[label])
    for kind, value in sorted(found.items()):
        family.add_metric([kind], value)
    return family


def _expected(settings: Settings) -> dict[str, int]:
    """Returns 0 for each process that should run, so that one which never reported is shown as 0."""
    wanted = {"web": True, "clock": True, "worker-inbound": True, "worker-fanout": True}
    wanted |= {
        "mail": settings.mail,
        "worker-email": settings.mail,
        "worker-proving": settings.mail,
        "worker-sms": settings.sms,
    }
    return {name: 0 for name, on in wanted.items() if on}


def _redis_metrics(client: "redis.Redis") -> Iterator[Metric]:
    """Yields the metrics of Redis. If Redis is away, work is only delayed; if jobs pile up, no worker takes them."""
    try:
        with client.pipeline(transaction=False) as pipeline:
            for queue in jobs.QUEUES:
                pipeline.llen(jobs.keys(queue)[0])
            waiting = dict(zip(jobs.QUEUES, pipeline.execute(), strict=True))
    except redis.RedisError as error:
        log.warning("redis does not answer: %s", type(error).__name__)
        yield GaugeMetricFamily("critter_bell_up", "Whether Redis answers", 0)
        return
    yield GaugeMetricFamily("critter_bell_up", "Whether Redis answers", 1)
    yield _gauge("bell_jobs", "Rings that no worker has answered yet", "queue", waiting)
