"""Calls back what has not left, or waits for its reader: deliveries and fan-outs of posts that were taken back, of
somebody's words, or to addresses that get nothing more. What is on its way is settled by the worker that has it."""

from collections.abc import Collection
from typing import Any, Final

from sqlalchemy import Select, Update, func, select, update
from sqlalchemy.orm import Session

from gateway.ledger.outbox import email_fallback, held_cancellations
from gateway.store.tables import Delivery, Fanout, Message

UNSYNCHRONISED: Final = {"synchronize_session": False}
LEFT: Final = ("sending", "sent", "delivered", "unknown")


def cancel_posts(session: Session, post_ids: Collection[int]) -> tuple[int, int]:
    """Cancels what carries these posts: (fan-outs and deliveries that were stopped, deliveries that have left)."""
    waiting = _spreading().where(Fanout.post_id.in_(post_ids))
    unspread = session.execute(waiting.returning(Fanout.reached)).all()
    messages = select(Message.id).where(Message.post_id.in_(post_ids))
    stopped = _waiting("retracted").where(Delivery.message_id.in_(messages))
    recalled = len(session.execute(stopped.returning(Delivery.address_id)).all())
    recalled += held_cancellations.cancel_posts(session, post_ids)
    gone = select(func.count()).where(Delivery.message_id.in_(messages), Delivery.state.in_(LEFT))
    left = (session.scalar(gone) or 0) + held_cancellations.count_leaving(session, post_ids)
    return recalled + len(unspread), left


def cancel_words(session: Session, author_id: int, reason: str) -> None:
    """Cancels what somebody wrote and has not left: first the fan-outs, so that they add no delivery afterwards."""
    session.execute(_spreading().where(Fanout.author_id == author_id), execution_options=UNSYNCHRONISED)
    session.execute(_waiting(reason).where(Delivery.author_id == author_id), execution_options=UNSYNCHRONISED)
    held_cancellations.cancel_words(session, author_id, reason)


def cancel_open(session: Session, address_ids: Select[int], reason: str) -> None:
    """Cancels the deliveries to these addresses. What was for a suspended phone is sent by mail."""
    ended = _waiting(reason).where(Delivery.address_id.in_(address_ids))
    gone: Any = ended.returning(Delivery.message_id, Delivery.address_id)
    keys = [(row[0], row[1]) for row in session.execute(gone, execution_options=UNSYNCHRONISED)]
    keys += held_cancellations.cancel_addresses(session, session.scalars(address_ids).all(), reason)
    if reason == "suspended":
        email_fallback.send_by_mail(session, keys)


def _spreading() -> Update:
    """Ends fan-outs that have not reached everybody."""
    ended = update(Fanout).where(Fanout.state == "waiting")
    return ended.values(state="cancelled", done_at=func.now())


def _waiting(reason: str) -> Update:
    """Ends deliveries that nobody is sending."""
    waiting = update(Delivery).where(Delivery.ended_at.is_(None), Delivery.state.in_(["queued", "retry"]))
    return waiting.values(state="cancelled", reason=reason, ended_at=func.now(), lease_until=None, lease_owner=None)
