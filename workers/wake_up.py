"""Sends what waited for its reader when its moment has come, some people at a time. RQ calls `drain`."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Final

import structlog
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from gateway.channels import by_rank
from gateway.ledger.outbox import digest_items, held
from gateway.ledger.outbox.held import HeldItem
from gateway.network.digests import wake_up
from gateway.store.database import transaction
from workers.runtime.context import WorkerContext
from workers.runtime.drain_loop import drain as drained

PEOPLE: Final = 200
AGAIN: Final = timedelta(minutes=5)  # until the next try with somebody whose items could not be decided about

log = structlog.get_logger()


def drain() -> None:
    drained("wake_ups", step)


def step(context: WorkerContext) -> bool:
    """Takes one batch in one transaction; returns False when nothing is due. What a lost worker left of digests that
    have ended is looked for when nothing else is: that reads all that is in digests now."""
    with transaction(context.engine) as session:
        items = held.due(session, PEOPLE)
        if not items:
            digest_items.follow_digests(session)
            items = held.due(session, PEOPLE)
        channels = _woken(session, items) if items else frozenset()
    for channel in by_rank(channels):
        context.notifier.notify(channel)
    return bool(items)


def _woken(session: Session, items: Sequence[HeldItem]) -> frozenset[str]:
    """All of them at once. When that fails, each person alone: whoever is the reason keeps nobody else waiting."""
    channels = _tried(session, items)
    if channels is not None:
        return channels
    people = [list(mine) for _, mine in groupby(items, key=lambda item: item.account_id)]
    return frozenset().union(*(_alone(session, mine) for mine in people))


def _alone(session: Session, items: Sequence[HeldItem]) -> frozenset[str]:
    channels = _tried(session, items)
    if channels is None:
        held.put_off(session, items, datetime.now(UTC) + AGAIN)
    return channels or frozenset()


def _tried(session: Session, items: Sequence[HeldItem]) -> frozenset[str] | None:
    try:
        with session.begin_nested():
            return wake_up.wake_up(session, items)
    except OperationalError:
        raise
    except Exception:
        log.exception("wake-up failed", people=len({item.account_id for item in items}))
        return None
