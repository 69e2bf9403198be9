"""The clock: it wakes workers for whatever is due: held posts, retries, and all that a lost wake-up or a lost worker
left. critter/processes/workers starts it.

Each task below has a thread of its own (workers/runtime/periodic_tasks). One clock per installation is enough; two do
no harm.
"""

from collections.abc import Callable, Sequence
from typing import Final

import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from gateway.ledger.money import budgets, price_sync
from gateway.ledger.operations import partitions, retention, task_failures
from gateway.ledger.outbox import due_work
from gateway.network.audience import private_repeats
from gateway.network.conversation import conversations
from gateway.network.mail import bounce_scores
from gateway.network.receipts import author_reports, budget_notices
from gateway.network.verification import number_lifecycle
from gateway.settings import Settings
from gateway.store.database import transaction
from workers import missed_texts
from workers.runtime import periodic_tasks
from workers.runtime.context import WorkerContext
from workers.runtime.periodic_tasks import Failures, Task, Turn
from workers.upkeep import lease_sweeper, media_gc
from workers.upkeep.retention import Cleaning, ages

SECOND: Final = 1.0  # between two looks for due work, less when something is due sooner
SWEEP: Final = 5.0
MINUTE: Final = 60.0
FIVE_MINUTES: Final = 300.0
HOUR: Final = 3_600.0
READING: Final = 1_800.0  # seconds that reading a long list of texts may take
MOVING: Final = 0.2  # seconds between two steps, so that others are not held up

log = structlog.get_logger()


def run(context: WorkerContext, chosen: Sequence[Task] | None = None) -> None:
    """Runs the tasks until the worker context is told to stop. A database that is away is asked again a second
    later."""
    listed = tasks(context.settings, reads=context.inbox is not None) if chosen is None else chosen
    periodic_tasks.run(context, [_forgetting(listed), *listed] if chosen is None else listed)


def tasks(settings: Settings, *, reads: bool) -> list[Task]:
    """Returns all tasks; `reads`: this process may read the carrier's list of texts to us."""
    mail = [Task("dailies", FIVE_MINUTES, _each(ring_dailies))] if settings.mail else []
    period = min(missed_texts.LOOK, settings.sms_intake_seconds / 4)
    listed = [Task("texts_listed", period, missed_texts.watch_lists, READING)] if reads else []
    return [
        Task("due", SECOND, _each(look)),
        Task("lost_inputs", SWEEP, _each(lease_sweeper.take_back_inputs)),
        Task("lost_proofs", SWEEP, _each(lease_sweeper.take_back_proofs)),
        Task("lost_deliveries", SWEEP, _each(lease_sweeper.take_back_deliveries)),
        Task("late_deliveries", SWEEP, _each(lease_sweeper.give_up_deliveries)),
        Task("shortfalls", SWEEP, _each(tell_short)),
        Task("delays", MINUTE, _each(note_delays)),
        Task("test_mailboxes", MINUTE, _each(test_mailboxes)),
        *mail,
        Task("silent_phones", HOUR, _each(ask_silent_phones)),
        Task("fingerprints", HOUR, _each(keep_fingerprints)),
        Task("months", HOUR, _each(ensure_months)),
        Task("conversations", HOUR, _each(lambda here: _do(here, conversations.forget_old))),
        Task("budgets", HOUR, _each(lambda here: _do(here, budgets.forget_old))),
        Task("price_days", HOUR, _each(lambda here: _do(here, price_sync.open_days))),
        Task("retention", HOUR, _clean_rows),
        Task("media_folder", HOUR, _clean_folder),
        *listed,
    ]


def look(context: WorkerContext) -> float:
    """Wakes workers for what is due; returns the seconds until the next look."""
    try:
        with transaction(context.engine) as session:
            found = due_work.look(session)
    except SQLAlchemyError as problem:
        if not periodic_tasks.is_away(problem):
            _look_one_by_one(context)
        raise
    for drain in sorted(found.drains):
        context.notifier.notify(drain, job=True)
    if found.next_in is None:
        return SECOND
    return min(SECOND, max(0.02, found.next_in.total_seconds()))


def _look_one_by_one(context: WorkerContext) -> None:
    """Looks at each kind of work alone: a table that cannot be read now must not hold up the wake-ups for others."""
    for drain in due_work.QUESTIONS:
        try:
            with transaction(context.engine) as session:
                waits = due_work.waits(session, drain)
        except SQLAlchemyError as problem:
            log.warning("no look for a bell", drain=drain, problem=periodic_tasks.reason_of(problem))
            continue
        if waits:
            context.notifier.notify(drain, job=True)


def note_delays(context: WorkerContext) -> None:
    """Notes the mails that are late for the first time; the next look wakes the worker that tells their authors."""
    _do(context, author_reports.note_delays)


def test_mailboxes(context: WorkerContext) -> None:
    """Sends a test mail to mailboxes that returned mail, or turns them on again when the last test did not come
    back."""
    with transaction(context.engine) as session:
        drains = bounce_scores.probe(session)
    for drain in drains:
        context.notifier.notify(drain)


def ring_dailies(context: WorkerContext) -> None:
    """Wakes the worker that writes the daily mail for people whose morning it is."""
    context.notifier.notify("dailies", job=True)


def ask_silent_phones(context: WorkerContext) -> None:
    """Asks phones that sent nothing for a long time whose they are, and suspends those that do not answer."""
    days = context.settings.silent_days if context.settings.sms else 0
    with transaction(context.engine) as session:
        drains = number_lifecycle.end(session, days) | number_lifecycle.ask(session, days)
    for drain in sorted(drains):
        context.notifier.notify(drain)


def tell_short(context: WorkerContext) -> None:
    """Tells writers that a budget kept some of their words back."""
    with transaction(context.engine) as session:
        drains = budget_notices.tell(session)
    for drain in drains:
        context.notifier.notify(drain)


def ensure_months(context: WorkerContext) -> float | None:
    """Makes the partitions of this month and the next two; rows in the default partition that are in the way are moved
    first."""
    with transaction(context.engine) as session:
        moved = partitions.move(session)
    if moved:
        log.warning("deliveries stood in the default partition and are moved into their month")
        return MOVING
    _do(context, partitions.ensure)
    return None


def keep_fingerprints(context: WorkerContext) -> float | None:
    """Makes the fingerprints of private posts that were written by a version which kept none."""
    with transaction(context.engine) as session:
        made = private_repeats.catch_up(session)
    return MOVING if made else None


def _clean_rows(context: WorkerContext, failures: Failures) -> Turn:
    """Deletes rows that are too old; a kind that fails stops no other."""
    return Cleaning(context.engine, retention.kinds(ages(context.settings)), ages(context.settings), failures).run_once


def _clean_folder(context: WorkerContext, failures: Failures) -> Turn:
    """Sweeps the media folder, shelf by shelf."""
    return media_gc.Sweeping(context.engine, context.settings.var, failures).run_once


def _forgetting(listed: Sequence[Task]) -> Task:
    """Returns the task that removes from the table of failures what tasks of another version left there."""
    names = [task.name for task in listed] + [f"retention_{kind.name}" for kind in retention.KINDS] + [media_gc.SHELVES]
    return Task("old_failures", HOUR, _each(lambda here: _do(here, lambda s: task_failures.forget_others(s, names))))


def _each(function: Callable[[WorkerContext], float | None]) -> Callable[[WorkerContext, Failures], Turn]:
    """Makes a task of a function that remembers nothing between turns."""
    return lambda here, _failures: lambda: function(here)


def _do(context: WorkerContext, function: Callable[[Session], object]) -> None:
    with transaction(context.engine) as session:
        function(session)
