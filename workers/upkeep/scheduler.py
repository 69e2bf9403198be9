"""Rings for whatever is due: held posts, retries, and all that a lost bell or a lost worker left. Started by critter/.

Each task below has a thread of its own (workers/periodic). One clock per installation is enough; two do no harm.
"""

from collections.abc import Callable, Sequence
from typing import Final

import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from gateway.ledger import budgets, partitions, pricing, retention, task_failures, waiting
from gateway.network import bouncing, conversations, number_lifecycle, private_repeats, shortfalls, tellings
from gateway.settings import Settings
from gateway.store.database import transaction
from workers import litter, missed, periodic, sweep
from workers.periodic import Failures, Task, Turn
from workers.retention import Cleaning, ages
from workers.room import Room

SECOND: Final = 1.0  # between two looks, less when something is due sooner
SWEEP: Final = 5.0
MINUTE: Final = 60.0
FIVE_MINUTES: Final = 300.0
HOUR: Final = 3_600.0
READING: Final = 1_800.0  # seconds that reading a long list of texts may take
MOVING: Final = 0.2  # between two steps, in which others get on

log = structlog.get_logger()


def run(here: Room, chosen: Sequence[Task] | None = None) -> None:
    """Until the room is told to stop. A database that is away is asked again a second later."""
    listed = tasks(here.settings, reads=here.inbox is not None) if chosen is None else chosen
    periodic.run(here, [_forgetting(listed), *listed] if chosen is None else listed)


def tasks(settings: Settings, *, reads: bool) -> list[Task]:
    """All of them; `reads`: this process may read the carrier's list of texts to us."""
    mail = [Task("dailies", FIVE_MINUTES, _each(ring_dailies))] if settings.mail else []
    period = min(missed.LOOK, settings.sms_intake_seconds / 4)
    listed = [Task("texts_listed", period, missed.watching, READING)] if reads else []
    return [
        Task("due", SECOND, _each(look)),
        Task("lost_inputs", SWEEP, _each(sweep.take_back_inputs)),
        Task("lost_proofs", SWEEP, _each(sweep.take_back_proofs)),
        Task("lost_deliveries", SWEEP, _each(sweep.take_back_deliveries)),
        Task("late_deliveries", SWEEP, _each(sweep.give_up_deliveries)),
        Task("shortfalls", SWEEP, _each(tell_short)),
        Task("delays", MINUTE, _each(note_delays)),
        Task("test_mailboxes", MINUTE, _each(test_mailboxes)),
        *mail,
        Task("silent_phones", HOUR, _each(ask_silent_phones)),
        Task("fingerprints", HOUR, _each(keep_fingerprints)),
        Task("months", HOUR, _each(ensure_months)),
        Task("conversations", HOUR, _each(lambda here: _do(here, conversations.forget_old))),
        Task("budgets", HOUR, _each(lambda here: _do(here, budgets.forget_old))),
        Task("price_days", HOUR, _each(lambda here: _do(here, pricing.open_days))),
        Task("retention", HOUR, _clean_rows),
        Task("media_folder", HOUR, _clean_folder),
        *listed,
    ]


def look(here: Room) -> float:
    """Rings for what is due; how long until the next look."""
    try:
        with transaction(here.engine) as session:
            found = waiting.look(session)
    except SQLAlchemyError as problem:
        if not periodic.is_away(problem):
            _look_one_by_one(here)
        raise
    for bell in sorted(found.bells):
        here.bell.ring(bell, job=True)
    if found.next_in is None:
        return SECOND
    return min(SECOND, max(0.02, found.next_in.total_seconds()))


def _look_one_by_one(here: Room) -> None:
    """A table that cannot be read just now must not keep the bells of the others silent."""
    for bell in waiting.QUESTIONS:
        try:
            with transaction(here.engine) as session:
                waits = waiting.waits(session, bell)
        except SQLAlchemyError as problem:
            log.warning("no look for a bell", bell=bell, problem=periodic.reason_of(problem))
            continue
        if waits:
            here.bell.ring(bell, job=True)


def note_delays(here: Room) -> None:
    """Mails that are late for the first time; their authors are told when the next look rings for it."""
    _do(here, tellings.note_delays)


def test_mailboxes(here: Room) -> None:
    """Mailboxes that sent mail back get a test mail, or are on again because the last one stayed there."""
    with transaction(here.engine) as session:
        bells = bouncing.probe(session)
    for bell in bells:
        here.bell.ring(bell)


def ring_dailies(here: Room) -> None:
    """Whoever's morning it is gets the mail of the day."""
    here.bell.ring("dailies", job=True)


def ask_silent_phones(here: Room) -> None:
    """Phones that nothing was heard from for long are asked whose they are, and suspended when they do not say."""
    days = here.settings.silent_days if here.settings.sms else 0
    with transaction(here.engine) as session:
        bells = number_lifecycle.end(session, days) | number_lifecycle.ask(session, days)
    for bell in sorted(bells):
        here.bell.ring(bell)


def tell_short(here: Room) -> None:
    """Writers hear that a budget kept words of theirs back."""
    with transaction(here.engine) as session:
        bells = shortfalls.tell(session)
    for bell in bells:
        here.bell.ring(bell)


def ensure_months(here: Room) -> float | None:
    """The partitions of this month and the next two; rows that stand in the way of one are moved first."""
    with transaction(here.engine) as session:
        moved = partitions.move(session)
    if moved:
        log.warning("deliveries stood in the default partition and are moved into their month")
        return MOVING
    _do(here, partitions.ensure)
    return None


def keep_fingerprints(here: Room) -> float | None:
    """Of private posts that a version wrote which keeps none."""
    with transaction(here.engine) as session:
        made = private_repeats.catch_up(session)
    return MOVING if made else None


def _clean_rows(here: Room, failures: Failures) -> Turn:
    """What is too old to be kept: each kind fails for itself."""
    return Cleaning(here.engine, retention.kinds(ages(here.settings)), ages(here.settings), failures).turn


def _clean_folder(here: Room, failures: Failures) -> Turn:
    """The media folder, shelf by shelf."""
    return litter.Sweeping(here.engine, here.settings.var, failures).turn


def _forgetting(listed: Sequence[Task]) -> Task:
    """What tasks of another version left in the table of failures."""
    names = [task.name for task in listed] + [f"retention_{kind.name}" for kind in retention.KINDS] + [litter.SHELVES]
    return Task("old_failures", HOUR, _each(lambda here: _do(here, lambda s: task_failures.forget_others(s, names))))


def _each(function: Callable[[Room], float | None]) -> Callable[[Room, Failures], Turn]:
    """A task that remembers nothing."""
    return lambda here, _failures: lambda: function(here)


def _do(here: Room, function: Callable[[Session], object]) -> None:
    with transaction(here.engine) as session:
        function(session)
