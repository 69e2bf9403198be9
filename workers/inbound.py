"""Reads what the doors accepted, each sender's in order, and commits what it means. RQ calls `drain`.

What nearly all texts are, plain updates, is read in batches (inbound_wave.py); here is the way of everything else.
"""

import time
from collections.abc import Collection, Sequence
from datetime import timedelta

import structlog
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from gateway.channels import EMAIL
from gateway.inbound import bounce_intake
from gateway.inbound.inbound_mail import InboundMail
from gateway.inbound.outcome import InboundOutcome
from gateway.inbound.plain_texts import ClaimedText
from gateway.inbound.process import process, process_limited
from gateway.ledger.commit import counters
from gateway.ledger.inbox import inbox, sender_limits
from gateway.ledger.inbox.inbox import ClaimedInput
from gateway.store.database import transaction
from workers import fanout, inbound_batch
from workers.effects import alarms
from workers.runtime.context import WorkerContext
from workers.runtime.drain_loop import drain as drained

SUSPECTS = 0.5  # seconds between two looks for rows that once ended a worker, while others come
log = structlog.get_logger()


def drain() -> None:
    drained("inbound", step)


def step(context: WorkerContext) -> bool:
    """Reads some of the oldest texts and mails; returns False when that was all: what came meanwhile has woken a
    worker by itself."""
    context.transient_errors.repay(context.engine, "inbound")
    lease = timedelta(seconds=context.settings.lease_seconds)
    limit = context.wave_limit
    claimed = inbound_batch.claim(context, lease, limit)
    if not _read_in_waves(context, claimed):
        return False
    suspect = _claim_suspect(context, lease) if not claimed or _is_time_for_suspects(context) else []
    _read_each(context, suspect)
    return len(claimed) == limit or bool(suspect)


def _is_time_for_suspects(context: WorkerContext) -> bool:
    return time.monotonic() - context.suspects_at > SUSPECTS


def _claim_suspect(context: WorkerContext, lease: timedelta) -> list[ClaimedInput]:
    """A row that once ended a worker: it is read when this worker has nothing else in hand, so that nothing else is
    blamed for it."""
    context.suspects_at = time.monotonic()
    with transaction(context.engine) as session:
        return inbox.claim_again(session, context.owner, lease)


def _read_in_waves(context: WorkerContext, claimed: Sequence[ClaimedText]) -> bool:
    """Reads the rows, each sender's in order; returns False when the process is told to end."""
    rows = claimed
    while rows:
        first, later = _first_of_each(rows)
        if context.stopping():
            _give_back(context, _inputs(rows))
            return False
        batch = inbound_batch.read(context, first)
        for queue in sorted(batch.queues):
            context.notifier.notify(queue)
        left = [row for row in first if row.id not in batch.ended]
        context.wave_limit = inbound_batch.MOST if len(left) <= inbound_batch.FEWEST else inbound_batch.FEWEST
        usual = frozenset(row.id for row in left if row.address_id is not None)
        if not _read_each(context, _inputs(left), _inputs(later), usual):
            return False
        rows = inbound_batch.look_again(context, later) if later else []
    return True


def _first_of_each(rows: Sequence[ClaimedText]) -> tuple[list[ClaimedText], list[ClaimedText]]:
    """The first row of each sender, and the others, in order. Of rows about which nothing is known, all are others'."""
    senders: set[object] = set()
    first: list[ClaimedText] = []
    later: list[ClaimedText] = []
    for row in rows:
        sender = (row.channel, row.sender) if row.sender else row.id
        (later if sender in senders else first).append(row)
        senders.add(sender)
    return first, later


def _inputs(rows: Sequence[ClaimedText]) -> list[ClaimedInput]:
    return [ClaimedInput(row.id, row.attempt) for row in rows]


def _read_each(
    context: WorkerContext,
    claimed: list[ClaimedInput],
    later: Sequence[ClaimedInput] = (),
    usual: Collection[int] = (),
) -> bool:
    """Reads rows one by one; returns False when the process is told to end. `later`: what is given back with them;
    `usual`: the rows about whose senders nothing is unusual."""
    for number, one in enumerate(claimed):
        if context.stopping():
            _give_back(context, [*claimed[number:], *later])
            return False
        try:
            _hear(context, one, usual=one.id in usual)
        except OperationalError as problem:  # a transient error is not this row's fault and does not count as a crash
            pause = context.transient_errors.pause("inbound", one.id, problem)
            if pause is None:
                _give_back(context, [*claimed[number:], *later])
                raise
            _give_back(context, [one], pause)
        else:
            context.transient_errors.over("inbound", one.id)
    return True


def _hear(context: WorkerContext, claimed: ClaimedInput, *, usual: bool) -> None:
    """Commits the effects, the answer and the row's end in one transaction. What raises is tried once more without the
    first followers, who may be the reason; if that fails too, it is tried again when its lease is over."""
    for spread in (True, False):
        try:
            with transaction(context.engine) as session:
                outcome, queues = _read(session, context, claimed, spread, usual)
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
    session: Session, context: WorkerContext, claimed: ClaimedInput, spread: bool, usual: bool
) -> tuple[InboundOutcome | None, set[str]]:
    """Returns what the input meant, and the drains to wake after the commit."""
    taken = inbox.take(session, claimed)
    if taken is None:  # another worker has it by now: this one woke up late
        return None, set()
    row = taken.row
    mail = InboundMail(row, context.registry.signer) if row.channel == EMAIL else None
    limited_ = context.settings.sender_limits and not usual and not (mail and bounce_intake.is_unlimited(mail))
    ruling = sender_limits.decide(session, row) if limited_ else sender_limits.READ
    behind = None if ruling.keep_only or sender_limits.is_of_the_carriers(row) else taken.behind
    if moments := [moment for moment in (ruling.later, behind) if moment]:
        inbox.put_off(session, row, max(moments))
        return None, set()
    if ruling.keep_only:
        outcome = process_limited(session, row, mail)
    else:
        outcome = process(session, context.registry, row, mail, usual=usual)
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
