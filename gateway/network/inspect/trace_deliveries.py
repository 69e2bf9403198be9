"""Where the copies of a message went and how each attempt ended, as plain values. trace.py puts them into a trace."""

from collections.abc import Callable, Collection
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, select, tuple_
from sqlalchemy.orm import Session

from gateway.mail.bounces import failure_reasons
from gateway.store.tables import Account, Address, Attempt, Callback, Delivery, Held

Plain = dict[str, Any]


def deliveries(
    session: Session, messages: Collection[int], address_id: int | None, mask: Callable[[str], str], limit: int
) -> tuple[list[Plain], int]:
    """The first deliveries of these messages (to that address alone) with their attempts, and how many there are in
    all."""
    mine: ColumnElement[bool] = Delivery.message_id.in_(messages)
    if address_id is not None:
        mine &= Delivery.address_id == address_id
    rows = session.execute(
        select(Delivery, Address.address, Account.handle, Held)
        .join(Address, Address.id == Delivery.address_id)
        .outerjoin(Account, Account.id == Address.account_id)
        .outerjoin(Held, (Held.message_id == Delivery.message_id) & (Held.address_id == Delivery.address_id))
        .where(mine)
        .order_by(Delivery.message_id, Delivery.address_id)
        .limit(limit)
    ).all()
    tries = _attempts(session, [(row[0].message_id, row[0].address_id) for row in rows])
    total = len(rows)
    if total == limit:
        total = session.scalar(select(func.count()).select_from(Delivery).where(mine)) or 0
    return [_delivery(delivery, mask(to), handle, tries, held) for delivery, to, handle, held in rows], total


def iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def _delivery(
    row: Delivery, to: str, handle: str | None, found: dict[tuple[int, int], list[Plain]], held: Held | None
) -> Plain:  # fmt: skip
    return {
        "id": f"{row.message_id}:{row.address_id}",
        "channel": row.channel,
        "to": to,
        "reader": handle,
        "state": row.state,
        "reason": row.reason,
        "why": _why(row),
        "possible_duplicate": row.possible_duplicate,
        "segments": row.segments,
        "created_at": iso(row.created_at),
        "not_before": iso(row.not_before),
        "sent_at": iso(row.sent_at),
        "ended_at": iso(row.ended_at),
        "held": _held(held) if held else None,
        "attempts": found.get((row.message_id, row.address_id), []),
    }


def _held(row: Held) -> Plain:
    """What it waited for, or waits for; `digest`: the message in which it was put together with others."""
    return {
        "state": row.state,
        "reason": row.reason,
        "since": iso(row.created_at),
        "until": iso(row.until),
        "ended_at": iso(row.ended_at),
        "digest": str(row.digest_id) if row.digest_id else None,
    }


def _why(row: Delivery) -> str | None:
    """The reason, in plain words, why it did not arrive."""
    lost = row.state in ("failed", "cancelled") and row.reason is not None
    return str(failure_reasons.describe_failure(row.state, row.reason, row.channel)) if lost else None


def _attempts(session: Session, keys: Collection[tuple[int, int]]) -> dict[tuple[int, int], list[Plain]]:
    mine = tuple_(Attempt.message_id, Attempt.address_id).in_(keys)
    rows = session.scalars(select(Attempt).where(mine).order_by(Attempt.id)).all() if keys else []
    called = _callbacks(session, [row.id for row in rows])
    found: dict[tuple[int, int], list[Plain]] = {}
    for row in rows:
        plain = {
            "id": str(row.id),
            "number": row.number,
            "state": row.state,
            "carrier_id": row.carrier_id,
            "reason": row.reason,
            "started_at": iso(row.started_at),
            "ended_at": iso(row.ended_at),
            "callbacks": called.get(row.id, []),
        }
        found.setdefault((row.message_id, row.address_id), []).append(plain)
    return found


def _callbacks(session: Session, attempts: Collection[int]) -> dict[int, list[Plain]]:
    rows = session.scalars(select(Callback).where(Callback.attempt_id.in_(attempts)).order_by(Callback.id))
    called: dict[int, list[Plain]] = {}
    for row in rows:
        plain = {
            "status": row.status,
            "reason": row.reason,
            "at": iso(row.received_at),
            "applied": bool(row.applied_at),
        }
        called.setdefault(row.attempt_id, []).append(plain)
    return called
