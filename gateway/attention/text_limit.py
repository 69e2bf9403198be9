"""How many texts a reader wants on a day: asked about what may leave now, after all other rules. Whether the day is
full is known under the lock of the budgets alone (gateway/ledger/money/budgets)."""

from dataclasses import dataclass
from datetime import date, time
from typing import Final

from gateway.attention import digest_slots, zones
from gateway.attention.causes import DeliveryCause
from gateway.attention.facts import Facts
from gateway.ledger.outbox.held import Hold

WITHOUT_DIGEST: Final = ("day", time(8), None)  # when it comes to who has no digest


@dataclass(frozen=True, slots=True)
class TextLimit:
    """`most`: texts on this `day` by the reader's clock. `over`: how an update waits once the day is full; None for
    what comes all the same, and counts."""

    reader_id: int
    most: int
    day: date
    over: Hold | None


def text_limit(facts: Facts, reader_id: int | None) -> TextLimit | None:
    """None where there is no limit."""
    if facts.texts_a_day is None or reader_id is None:
        return None
    today = zones.today(facts.timezone, facts.now)
    return TextLimit(reader_id, facts.texts_a_day, today, _over(facts) if _waits(facts) else None)


def _waits(facts: Facts) -> bool:
    """What was written to its reader, urgent calls, answers and codes always come. So does a digest, for it is where
    the others wait; and what was in a digest that could not leave, for the next one might fail as well."""
    cause = DeliveryCause(facts.cause)
    passes = cause == DeliveryCause.OURS or cause.addressed or facts.urgent
    return not passes and not facts.digest_failed


def _over(facts: Facts) -> Hold:
    if facts.digest_every == "back":
        return Hold("over", facts.now + digest_slots.LONGEST_AWAY, facts.cause)
    every, at, weekday = WITHOUT_DIGEST
    if facts.digest_every:
        every, at, weekday = facts.digest_every, facts.digest_at, facts.digest_weekday
    slot = digest_slots.due_next(every, at, weekday, facts.clock, facts.now, facts.digest_last)
    return Hold("over", slot.instant, facts.cause, slot.wall)
