"""Reserves the budget for texts before they leave. workers/sending/delivery_store calls it within its claim, and gives
back what did not leave."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Generic, TypeVar

import structlog
from sqlalchemy.orm import Session

from gateway.attention.text_limit import TextLimit
from gateway.carriers.common.send_gate import HasAttempt
from gateway.ledger.money import budgets, charges
from gateway.ledger.money.budgets import BudgetOutcome, BudgetRequest, ReaderDay, Scope
from gateway.ledger.outbox import claims, held
from gateway.ledger.outbox.claims import Key, MessageContent
from gateway.settings import Settings
from gateway.sms import destinations
from workers.sending.send_loop import OutboundItem

Parcel = TypeVar("Parcel", bound=HasAttempt)

OVER: Final = "budget"  # the reason of deliveries that did not fit into a budget
UNASKED: Final = ("welcome", "digest")  # Critter's own words for which nobody waits at this moment
WAIT: Final = timedelta(minutes=1)  # until deliveries that wait for the budget breaker are looked at again

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Reservation(Generic[Parcel]):
    """What has a reserved budget and may leave; `taken` says what operators must hear once this is committed."""

    loads: Sequence[OutboundItem[Parcel]]
    taken: BudgetOutcome


def reserve(
    session: Session,
    settings: Settings,
    loads: Sequence[OutboundItem[Parcel]],
    contents: Mapping[int, MessageContent],
    limits: Mapping[Key, TextLimit],
) -> Reservation[Parcel]:
    """Ends what may not leave or does not fit, puts off what waits for the budget breaker or is over its reader's
    limit, and takes the rest from its budgets. Call it last in a transaction: it locks the budgets, and other workers
    wait for them."""
    barred = {load.claimed.key: trouble for load in loads if (trouble := is_barred(settings, load))}
    wanted = [
        request(settings, load, contents[load.claimed.message_id], limits.get(load.claimed.key))
        for load in loads
        if load.claimed.key not in barred
    ]
    taken = budgets.take(session, budgets.limits(settings), wanted) if wanted else BudgetOutcome({}, frozenset())
    _hold(session, [load for load in loads if load.claimed.attempt_id in taken.full_days], limits)
    over = {load.claimed.key: OVER for load in loads if load.claimed.attempt_id in taken.over}
    claims.cancel(session, [load.claimed for load in loads], barred | over)
    claims.release(session, [load.claimed for load in loads if load.claimed.attempt_id in taken.held], WAIT)
    budgets.fall_short(session, _missed(wanted, taken))
    gone = taken.over.keys() | taken.held | taken.full_days
    left = [one for one in loads if one.claimed.key not in barred and one.claimed.attempt_id not in gone]
    return Reservation(left, taken)


def _hold(session: Session, loads: Sequence[OutboundItem[Parcel]], limits: Mapping[Key, TextLimit]) -> None:
    """Has updates wait whose readers have had the texts of their day."""
    rows = [load.claimed for load in loads]
    over = {row.key: limits[row.key].over for row in rows}
    held.hold(session, rows, {key: hold for key, hold in over.items() if hold})


def reserve_again(
    session: Session,
    settings: Settings,
    loads: Sequence[OutboundItem[Parcel]],
    contents: Mapping[int, MessageContent],
    limits: Mapping[Key, TextLimit],
) -> Reservation[Parcel]:
    """Does the same for items that have a reservation but waited too long: first their reservation is given back."""
    charges.refund(session, [load.claimed.attempt_id for load in loads])
    return reserve(session, settings, loads, contents, limits)


def is_barred(settings: Settings, load: OutboundItem[Parcel]) -> str | None:
    """Why no text may go to that number; None when one may."""
    found = destinations.trouble(load.claimed.address, settings.sms_countries)
    return found.value if found else None


def request(
    settings: Settings, load: OutboundItem[Parcel], content: MessageContent, limit: TextLimit | None
) -> BudgetRequest:
    """What a text asks of its budgets; `limit`: of its reader's day."""
    parts = load.segments or 1
    country = destinations.country(load.claimed.address)
    return BudgetRequest(
        attempt_id=load.claimed.attempt_id,
        message_id=load.claimed.message_id,
        address_id=load.claimed.address_id,
        number=load.claimed.number,
        digest=load.digest,
        author_id=content.author_id or 0,
        group_id=content.group_id or 0,
        country=country,
        parts=parts,
        micros=budgets.micros(parts * settings.price_of(country)),
        urgent=content.urgent or _uses_reserve(content),
        pausable=content.kind in ("update", *UNASKED) and not (content.private or content.urgent),
        reader=ReaderDay(limit.reader_id, limit.day, limit.most, limit.over is None) if limit else None,
    )


def _uses_reserve(content: MessageContent) -> bool:
    return content.private and content.must_arrive if content.author_id else content.kind not in UNASKED


def _missed(wanted: Sequence[BudgetRequest], taken: BudgetOutcome) -> dict[int, tuple[int, Scope, int]]:
    """Returns by message, for messages that somebody wrote: (the author, the budget, how many phones)."""
    missed: dict[int, tuple[int, Scope, int]] = {}
    for one in wanted:
        if one.author_id and one.attempt_id in taken.over:
            _, scope, phones = missed.get(one.message_id, (0, taken.over[one.attempt_id], 0))
            missed[one.message_id] = (one.author_id, scope, phones + 1)
    return missed


def tell(taken: BudgetOutcome) -> None:
    """Tells operators in the log about each budget that is used up, once a period, and when the budget breaker
    opens."""
    for scope, subject in taken.exhausted:
        write = log.error if scope.startswith("company") else log.warning
        write("budget for texts is used up: see critter costs", budget=scope, of=subject)
    if taken.tripped:
        parts, usual = taken.tripped
        log.error("far more texts than usual: updates wait for critter costs --resume", hour=parts, usual=usual)
