"""Rings for whatever is due: held posts, retries, and all that a lost bell or a lost worker left. Started by critter/.

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

SECOND: Final = 1.0  # between two looks, less when something is due sooner
SWEEP: Final = 5.0
MINUTE: Final = 60.0
FIVE_MINUTES: Final = 300.0
HOUR: Final = 3_600.0
READING: Final = 1_800.0  # seconds that reading a long list of texts may take
MOVING: Final = 0.2  # between two steps, in which others get on

log = structlog.get_logger()


def run(here: WorkerContext, chosen: Sequence[Task] | None = None) -> None:
    """Until the room is told to stop. A database that is away is asked again a second later."""
    listed = tasks(here.settings, reads=here.inbox is not None) if chosen is None else chosen
    periodic_tasks.run(here, [_forgetting(listed), *listed] if chosen is None else listed)


def tasks(settings: Settings, *, reads: bool) -> list[Task]:
    """All of them; `reads`: this process may read the carrier's list of texts to us."""
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


def look(here: WorkerContext) -> float:
    """Rings for what is due; how long until the next look."""
    try:
        with transaction(here.engine) as session:
            found = due_work.look(session)
    except SQLAlchemyError as problem:
        if not periodic_tasks.is_away(problem):
            _look_one_by_one(here)
        raise
    for drain in sorted(found.drains):
        here.notifier.notify(drain, job=True)
    if found.next_in is None:
        return SECOND
    return min(SECOND, max(0.02, found.next_in.total_seconds()))


def _look_one_by_one(here: WorkerContext) -> None:
    """A table that cannot be read just now must not keep the bells of the others silent."""
    for drain in due_work.QUESTIONS:
        try:
            with transaction(here.engine) as session:
                waits = due_work.waits(session, drain)
        except SQLAlchemyError as problem:
            log.warning("no look for a bell", drain=drain, problem=periodic_tasks.reason_of(problem))
            continue
        if waits:
            here.notifier.notify(drain, job=True)


def note_delays(here: WorkerContext) -> None:
    """Mails that are late for the first time; their authors are told when the next look rings for it."""
    _do(here, author_reports.note_delays)


def test_mailboxes(here: WorkerContext) -> None:
    """Mailboxes that sent mail back get a test mail, or are on again because the last one stayed there."""
    with transaction(here.engine) as session:
        drains = bounce_scores.probe(session)
    for drain in drains:
        here.notifier.notify(drain)


def ring_dailies(here: WorkerContext) -> None:
    """Whoever's morning it is gets the mail of the day."""
    here.notifier.notify("dailies", job=True)


def ask_silent_phones(here: WorkerContext) -> None:
    """Phones that nothing was heard from for long are asked whose they are, and suspended when they do not say."""
    days = here.settings.silent_days if here.settings.sms else 0
    with transaction(here.engine) as session:
        drains = number_lifecycle.end(session, days) | number_lifecycle.ask(session, days)
    for drain in sorted(drains):
        here.notifier.notify(drain)


def tell_short(here: WorkerContext) -> None:
    """Writers hear that a budget kept words of theirs back."""
    with transaction(here.engine) as session:
        drains = budget_notices.tell(session)
    for drain in drains:
        here.notifier.notify(drain)


def ensure_months(here: WorkerContext) -> float | None:
    """The partitions of this month and the next two; rows that stand in the way of one are moved first."""
    with transaction(here.engine) as session:
        moved = partitions.move(session)
    if moved:
        log.warning("deliveries stood in the default partition and are moved into their month")
        return MOVING
    _do(here, partitions.ensure)
    return None


def keep_fingerprints(here: WorkerContext) -> float | None:
    """Of private posts that a version wrote which keeps none."""
    with transaction(here.engine) as session:
        made = private_repeats.catch_up(session)
    return MOVING if made else None


def _clean_rows(here: WorkerContext, failures: Failures) -> Turn:
    """What is too old to be kept: each kind fails for itself."""
    return Cleaning(here.engine, retention.kinds(ages(here.settings)), ages(here.settings), failures).turn


def _clean_folder(here: WorkerContext, failures: Failures) -> Turn:
    """The media folder, shelf by shelf."""
    return media_gc.Sweeping(here.engine, here.settings.var, failures).turn


def _forgetting(listed: Sequence[Task]) -> Task:
    """What tasks of another version left in the table of failures."""
    names = [task.name for task in listed] + [f"retention_{kind.name}" for kind in retention.KINDS] + [media_gc.SHELVES]
    return Task("old_failures", HOUR, _each(lambda here: _do(here, lambda s: task_failures.forget_others(s, names))))


def _each(function: Callable[[WorkerContext], float | None]) -> Callable[[WorkerContext, Failures], Turn]:
    """A task that remembers nothing."""
    return lambda here, _failures: lambda: function(here)


def _do(here: WorkerContext, function: Callable[[Session], object]) -> None:
    with transaction(here.engine) as session:
        function(session)
