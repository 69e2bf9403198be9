"""Deletes what is older than retention allows, in small batches. The clock and the command line run it."""

from collections import deque
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Final

import structlog
from sqlalchemy import Engine

from gateway.ledger.operations import retention
from gateway.ledger.operations.retention import Kind, RetentionAges
from gateway.settings import Settings
from gateway.store.database import transaction
from workers.runtime.periodic_tasks import Failures, is_away

BREATH: Final = 0.5  # seconds between two batches

log = structlog.get_logger()


def ages(settings: Settings) -> RetentionAges:
    """Returns the ages that the settings say."""
    return RetentionAges(
        raw=timedelta(days=settings.keep_raw_days),
        deliveries=timedelta(days=settings.keep_deliveries_days),
        consent=timedelta(days=settings.keep_consent_days),
        redact=settings.sms and settings.twilio_redact and bool(settings.twilio_account_sid),
    )


def batches(engine: Engine, old: RetentionAges) -> Iterator[tuple[str, int]]:
    """Makes one pass over everything; yields after each committed batch its kind's name and how many rows changed."""
    for kind in retention.kinds(old):
        yield from of_kind(engine, kind, old)


def of_kind(engine: Engine, kind: Kind, old: RetentionAges) -> Iterator[tuple[str, int]]:
    """Makes one pass over one kind. Old months of deliveries are dropped before the messages that they leave without
    deliveries."""
    if kind.name == "messages":
        yield from _months(engine, old)
    yield from _batches(engine, kind, old)


def _batches(engine: Engine, kind: Kind, old: RetentionAges) -> Iterator[tuple[str, int]]:
    while True:
        with transaction(engine) as session:
            changed = retention.batch(session, kind, old)
        if changed is None:
            return
        yield kind.name, changed


def _months(engine: Engine, old: RetentionAges) -> Iterator[tuple[str, int]]:
    with transaction(engine) as session:
        past = retention.months(session, old.deliveries)
    for month in past:
        if month.open:
            continue  # critter retention shows it
        with transaction(engine) as session:
            dropped = retention.drop(session, month)
        if dropped:
            yield month.table, month.rows


class Cleaning:
    """The clock's pass over everything, once an hour, one batch in a turn. A kind that fails is counted under its own
    name and left until the next pass; the others go on."""

    def __init__(self, engine: Engine, kinds: Sequence[Kind], old: RetentionAges, failures: Failures) -> None:
        self._engine, self._kinds, self._old, self._failures = engine, kinds, old, failures
        self._left: deque[tuple[str, Iterator[tuple[str, int]]]] = deque()

    def run_once(self) -> float | None:
        """Runs one batch; returns the seconds until the next one, None when the pass is over."""
        if not self._left:
            self._left.extend((kind.name, of_kind(self._engine, kind, self._old)) for kind in self._kinds)
        name, batches = self._left[0]
        try:
            what, rows = next(batches, ("", 0))
        except Exception as problem:
            self._left.popleft()
            if is_away(problem):
                self._left.clear()
                raise
            self._failures.failed(f"retention_{name}", problem)
            return BREATH if self._left else None
        if not what:
            self._left.popleft()
            self._failures.succeeded(f"retention_{name}")
        elif rows:
            log.info("kept no longer", what=what, rows=rows)
        return BREATH if self._left else None
