"""Takes back the leases of lost workers. The clock runs each of these functions every few seconds; `sweep` runs all."""

from datetime import timedelta

import structlog
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from gateway.channels import by_rank
from gateway.inbound import process
from gateway.ledger.commit import counters
from gateway.ledger.inbox import inbox, unauthenticated
from gateway.ledger.outbox import settlements
from gateway.store.database import concerns_one, transaction
from workers.runtime.context import WorkerContext

log = structlog.get_logger()


def sweep(context: WorkerContext) -> None:
    """Takes back all kinds of leases, one after the other. Each function logs what it set aside after three crashes;
    the clock wakes workers for the rest."""
    take_back_inputs(context)
    take_back_proofs(context)
    take_back_deliveries(context)
    give_up_deliveries(context)


def take_back_inputs(context: WorkerContext) -> None:
    with transaction(context.engine) as session:
        again, aside = inbox.expire(session)
        answers = {_apologise(session, inbound) for inbound in aside}
    counters.add("lease_expiries", "inbound", amount=again + len(aside))
    if again:
        log.warning("inbound was left behind", rows=again)
    for inbound in aside:
        log.error("inbound is set aside: it ended three workers", inbound=inbound)
    for channel in by_rank([channel for channel in answers if channel]):
        context.notifier.notify(channel)


def take_back_proofs(context: WorkerContext) -> None:
    with transaction(context.engine) as session:
        lost = unauthenticated.expire(session)
    for inbound in lost:
        log.error("a mail is held: it ended three workers that were to prove it", inbound=inbound)


def take_back_deliveries(context: WorkerContext) -> None:
    look = timedelta(seconds=context.settings.settle_seconds)
    with transaction(context.engine) as session:
        expired = settlements.expire(session, look)
    counters.add("lease_expiries", "delivery", amount=expired.rows)
    if expired.channels:
        log.warning("deliveries were left behind", channels=by_rank(expired.channels))
    for message, address in expired.quarantined:
        log.error("delivery is set aside: it ended three workers", message=message, address=address)


def give_up_deliveries(context: WorkerContext) -> None:
    with transaction(context.engine) as session:
        late = settlements.give_up(session)
    if late:
        log.warning("deliveries were given up", rows=late)


def _apologise(session: Session, inbound: int) -> str | None:
    """Tells the writer of an input that was set aside: every text gets an answer, also one that crashed three workers.
    Returns the channel of the answer; an input that cannot even be answered stays set aside."""
    try:
        with session.begin_nested():
            return process.apologise(session, inbound)
    except OperationalError as problem:
        if not concerns_one(problem):
            raise
        log.exception("no apology in time", inbound=inbound)  # the others are swept all the same
        return None
    except Exception:
        log.exception("no apology", inbound=inbound)
        return None
