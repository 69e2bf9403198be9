"""Rings for whatever is due: held posts, retries, and all that a lost bell or a lost worker left. Started by critter/.

One per installation is enough; two do no harm.
"""

import time
from collections.abc import Iterator
from itertools import chain
from typing import Final

import structlog
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from gateway.ledger import budgets, pricing, waiting
from gateway.network import bouncing, conversations, shortfalls, tellings
from gateway.store.database import transaction
from workers import fingerprints, litter
from workers.retention import ages, batches
from workers.room import Room
from workers.sweep import sweep

SECOND: Final = 1.0  # between two looks, less when something is due sooner
SWEEP: Final = 5.0
MINUTE: Final = 60.0
FIVE_MINUTES: Final = 300.0
HOUR: Final = 3_600.0
DAY: Final = 86_400.0

log = structlog.get_logger()


def run(here: Room) -> None:
    """Until the room is told to stop. A database that is away is asked again a second later."""
    cleaning: Iterator[tuple[str, int]] = iter(())  # one batch a look, so that bells are not kept waiting
    swept = minute_at = dailies_at = hour_at = months_at = float("-inf")
    while not here.stopping():
        try:
            if time.monotonic() - months_at > DAY:
                _ensure_months(here)
                months_at = time.monotonic()
            if time.monotonic() - hour_at > HOUR:
                _forget(here)
                cleaning = chain(
                    batches(here.engine, ages(here.settings)),
                    litter.sweep(here.engine, here.settings.var),
                    fingerprints.batches(here.engine),
                )
                hour_at = time.monotonic()
            if time.monotonic() - minute_at > MINUTE:
                _note_delays(here)
                test_mailboxes(here)
                minute_at = time.monotonic()
            if here.settings.mail and time.monotonic() - dailies_at > FIVE_MINUTES:
                here.bell.ring("dailies", job=True)  # whoever's morning it is
                dailies_at = time.monotonic()
            if time.monotonic() - swept > SWEEP:
                sweep(here)
                _tell_short(here)
                swept = time.monotonic()
            _clean(cleaning)
            pause = look(here)
        except OperationalError as problem:
            log.warning("database is away", problem=type(problem.orig).__name__)
            pause = SECOND
        here.rest(pause)


def look(here: Room) -> float:
    """Rings for what is due; how long until the next look."""
    with transaction(here.engine) as session:
        found = waiting.look(session)
    for bell in sorted(found.bells):
        here.bell.ring(bell, job=True)
    if found.next_in is None:
        return SECOND
    return min(SECOND, max(0.02, found.next_in.total_seconds()))


def _note_delays(here: Room) -> None:
    """Mails that are late for the first time; their authors are told when the next look rings for it."""
    with transaction(here.engine) as session:
        tellings.note_delays(session)


def test_mailboxes(here: Room) -> None:
    """Mailboxes that sent mail back get a test mail, or are on again because the last one stayed there."""
    with transaction(here.engine) as session:
        bells = bouncing.probe(session)
    for bell in bells:
        here.bell.ring(bell)


def _tell_short(here: Room) -> None:
    """Writers hear that a budget kept words of theirs back."""
    with transaction(here.engine) as session:
        bells = shortfalls.tell(session)
    for bell in bells:
        here.bell.ring(bell)


def _clean(cleaning: Iterator[tuple[str, int]]) -> None:
    """One batch of what is too old to be kept."""
    what, rows = next(cleaning, ("", 0))
    if rows:
        log.info("cleaned", what=what, rows=rows)


def _forget(here: Room) -> None:
    """What people never decided about, and old counters; the texts of yesterday get their prices."""
    with transaction(here.engine) as session:
        conversations.forget_old(session)
        budgets.forget_old(session)
        pricing.open_days(session)


def _ensure_months(here: Room) -> None:
    """The partitions of this month and the next two."""
    months = "SELECT ensure_partition(now() + n * interval '1 month') FROM generate_series(0, 2) n"
    with transaction(here.engine) as session:
        session.execute(text(months))
