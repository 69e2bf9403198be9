"""Reads what the doors accepted, each sender's in order, and commits what it means. RQ calls `drain`."""

from datetime import timedelta

import structlog
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from gateway.channels import EMAIL
from gateway.inbound import bounce_intake
from gateway.inbound.inbound_mail import InboundMail
from gateway.inbound.outcome import InboundOutcome
from gateway.inbound.process import process, process_limited
from gateway.ledger.commit import counters
from gateway.ledger.inbox import inbox, sender_limits
from gateway.ledger.inbox.inbox import ClaimedInput
from gateway.store.database import transaction
from workers import fanout
from workers.effects import alarms
from workers.runtime.context import WorkerContext
from workers.runtime.drain_loop import drain as drained

BATCH = 20  # senders at once; each row has its own transaction
log = structlog.get_logger()


def drain() -> None:
    drained("inbound", step)


def step(context: WorkerContext) -> bool:
    """Reads some of the oldest texts and mails; returns False when that was all: what came meanwhile has woken a
    worker by itself."""
    context.transient_errors.repay(context.engine, "inbound")
    lease = timedelta(seconds=context.settings.lease_seconds)
    with transaction(context.engine) as session:
        claimed = inbox.claim(session, context.owner, lease, BATCH)
    for number, one in enumerate(claimed):
        if context.stopping():
            _give_back(context, claimed[number:])
            return False
        try:
            _hear(context, one)
        except OperationalError as problem:  # a transient error is not this row's fault and does not count as a crash
            pause = context.transient_errors.pause("inbound", one.id, problem)
            if pause is None:
                _give_back(context, claimed[number:])
                raise
            _give_back(context, [one], pause)
        else:
            context.transient_errors.over("inbound", one.id)
    return len(claimed) == BATCH or any(one.attempt > 1 for one in claimed)


def _hear(context: WorkerContext, claimed: ClaimedInput) -> None:
    """Commits the effects, the answer and the row's end in one transaction. What raises is tried once more without the
    first followers, who may be the reason; if that fails too, it is tried again when its lease is over."""
    for spread in (True, False):
        try:
            with transaction(context.engine) as session:
                outcome, queues = _read(session, context, claimed, spread)
            break
        except OperationalError:
            raise  # the database is away: that is no fault of this row
        except Exception:
            log.exception("inbound failed", inbound=claimed.id, attempt=claimed.attempt)
    else:
        return
    if outcome:
        counters.add("read", outcome.state)
        log.info("inbound", inbound=claimed.id, state=outcome.state, intent=outcome.intent)
    for queue in sorted(queues):
        context.notifier.notify(queue)


def _read(
    session: Session, context: WorkerContext, claimed: ClaimedInput, spread: bool
) -> tuple[InboundOutcome | None, set[str]]:
    """Returns what the input meant, and the drains to wake after the commit."""
    taken = inbox.take(session, claimed)
    if taken is None:  # another worker has it by now: this one woke up late
        return None, set()
    row = taken.row
    mail = InboundMail(row, context.registry.signer) if row.channel == EMAIL else None
    limited_ = context.settings.sender_limits and not (mail and bounce_intake.is_unlimited(mail))
    ruling = sender_limits.decide(session, row) if limited_ else sender_limits.READ
    behind = None if ruling.keep_only or sender_limits.is_of_the_carriers(row) else taken.behind
    if moments := [moment for moment in (ruling.later, behind) if moment]:
        inbox.put_off(session, row, max(moments))
        return None, set()
    outcome = process_limited(session, row, mail) if ruling.keep_only else process(session, context.registry, row, mail)
    if outcome.counted:
        alarms.alarm_returned(session)
    inbox.finish(session, row, outcome.state, outcome.intent, outcome.reason, outcome.account_id)
    if "fanout" not in outcome.queues or not spread:
        return outcome, set(outcome.queues)
    session.flush()
    return outcome, (set(outcome.queues) - {"fanout"}) | fanout.begin(context, session, claimed.id)


def _give_back(context: WorkerContext, claimed: list[ClaimedInput], pause: timedelta = timedelta(0)) -> None:
    """Gives rows back as if they had not been claimed. If the database cannot do that now, this worker does it
    later."""
    context.transient_errors.give_back(
        context.engine, "inbound", lambda session: inbox.release(session, claimed, pause)
    )
