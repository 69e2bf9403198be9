"""Reads a batch of texts together: each sender once, plain updates in one statement. workers/inbound claims with it,
and reads what it leaves by itself, row by row.

A batch is one statement to claim it and one to end it; a text by itself takes about twenty. docs/decisions/0054 has the
figures.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import structlog
from sqlalchemy.exc import OperationalError

from gateway.channels import EMAIL, SMS
from gateway.inbound import plain_texts, plain_updates
from gateway.inbound.plain_texts import ClaimedText
from gateway.inbound.plain_updates import PlainUpdate, Published
from gateway.ledger.commit import counters
from gateway.ledger.inbox import inbox
from gateway.store.arrays import numbers
from gateway.store.database import transaction
from workers.fanout import FIRST
from workers.runtime.context import WorkerContext

MOST, FEWEST = 100, 20  # rows in a batch: few as long as so many are read by themselves, within one lease

log = structlog.get_logger()


@dataclass(slots=True)
class InboundBatch:
    """What a claim brought, and what of it is ended; `queues`: the drains to wake."""

    rows: Sequence[ClaimedText]
    ended: set[int] = field(default_factory=set)
    queues: set[str] = field(default_factory=set)


def claim(context: WorkerContext, lease: timedelta, limit: int) -> list[ClaimedText]:
    """Claims the oldest rows whose senders no other worker has in hand, with what is known of them."""
    statement = plain_texts.STATEMENTS[context.settings.sender_limits].claim
    given = {"owner": context.owner, "lease": lease, "limit": limit, "silent": _silent(context)}
    try:
        return [ClaimedText(*row) for row in context.direct.run(statement, given)]
    except OperationalError:
        raise
    except Exception:
        log.exception("a batch is claimed without facts")
        return _claim_alone(context, lease, limit)


def _claim_alone(context: WorkerContext, lease: timedelta, limit: int) -> list[ClaimedText]:
    """A statement that fails for one row must not keep the others from being read."""
    with transaction(context.engine) as session:
        claimed = inbox.claim(session, context.owner, lease, limit)
    return [ClaimedText(one.id, one.attempt) for one in claimed]


def read(context: WorkerContext, rows: Sequence[ClaimedText]) -> InboundBatch:
    """Ends the plain updates among these rows; of each sender and each author it looks at the first one alone. What
    goes wrong is no row's fault yet: all of them are read by themselves then."""
    batch = InboundBatch(rows)
    updates = list(_updates(context, rows))
    if not updates:
        return batch
    try:
        published = plain_updates.publish(context.direct, updates, min(FIRST - 1, context.settings.ask_phones))
    except OperationalError as problem:
        log.warning("a batch is read row by row", rows=len(updates), problem=type(problem.orig).__name__)
    except Exception:
        log.exception("a batch is read row by row", rows=len(updates))
    else:
        _note(batch, published)
    return batch


def look_again(context: WorkerContext, rows: Sequence[ClaimedText]) -> list[ClaimedText]:
    """These rows with what is known of them by now: an earlier row of their sender has been read meanwhile."""
    statement = plain_texts.STATEMENTS[context.settings.sender_limits].again
    given = {"ids": numbers(one.id for one in rows), "attempts": numbers(one.attempt for one in rows)}
    try:
        return [ClaimedText(*row) for row in context.direct.run(statement, given | {"silent": _silent(context)})]
    except Exception as problem:  # noqa: BLE001  each is read by itself then, and meets the problem there
        log.warning("nothing is known of claimed rows", rows=len(rows), problem=type(problem).__name__)
        return [ClaimedText(one.id, one.attempt) for one in rows]


def _updates(context: WorkerContext, rows: Sequence[ClaimedText]) -> Iterable[PlainUpdate]:
    authors: set[int | None] = set()
    for row in rows:
        if row.account_id is None or row.account_id in authors:
            continue
        authors.add(row.account_id)
        try:
            plain = plain_texts.read(context.registry, row)
            update = plain_updates.of(plain) if plain else None
        except Exception:
            log.exception("a text is read alone", inbound=row.id)
            continue
        if update:
            yield update


def _note(batch: InboundBatch, published: Sequence[Published]) -> None:
    texts, mails = sum(one.texts for one in published), sum(one.mails for one in published)
    batch.ended |= {one.inbound_id for one in published}
    batch.queues |= {channel for channel, made in ((SMS, texts), (EMAIL, mails)) if made}
    counters.add_all({("read", "done"): len(published), ("fanned_out", SMS): texts, ("fanned_out", EMAIL): mails})
    for one in published:
        log.info("inbound", inbound=one.inbound_id, state="done", intent="update")


def _silent(context: WorkerContext) -> timedelta | None:
    return plain_texts.silent(context.settings.silent_days)
