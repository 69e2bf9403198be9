"""When the report of a call, and then its end, is due: both happen once, in the transaction that moves the row on.
workers/calls asks."""

from datetime import timedelta
from typing import Final, Literal

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from gateway.network.calls import calls
from gateway.store.tables import Call


def due(session: Session) -> Call | None:
    """The call that is due the longest, locked; none while a step of its people is due."""
    post_id = session.scalar(DUE)
    return session.get_one(Call, post_id, populate_existing=True) if post_id else None


def move(session: Session, call: Call) -> Literal["report", "end"]:
    """Moves a call that is due on: to its end when that is due, else past its report."""
    if session.scalar(select(Call.ends_at > text("now()")).where(Call.post_id == call.post_id)):
        session.execute(REPORTED, {"post": call.post_id})
        return "report"
    calls.depart(session, call.post_id)
    calls.end(session, call, "all" if calls.all_answered(session, call) else "time")
    return "end"


def put_off(session: Session, post_id: int, wait: timedelta) -> None:
    """Has a report or an end that could not be told tried again later."""
    session.execute(PUT_OFF, {"post": post_id, "wait": wait})


DUE: Final = text("""
    SELECT c.post_id FROM calls c
    WHERE c.ended_at IS NULL AND c.next_at <= now() AND NOT EXISTS (
        SELECT FROM call_people p WHERE p.post_id = c.post_id AND p.answered_at IS NULL AND p.next_at <= now())
    ORDER BY c.next_at LIMIT 1 FOR NO KEY UPDATE OF c SKIP LOCKED
""")
REPORTED: Final = text("UPDATE calls SET next_at = ends_at WHERE post_id = :post AND ended_at IS NULL")
PUT_OFF: Final = text("UPDATE calls SET next_at = now() + :wait WHERE post_id = :post AND ended_at IS NULL")
