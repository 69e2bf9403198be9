"""How far somebody has read a place on the web or in an app: home, what is to them, a group, a private talk."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from gateway.store.tables import ReadMark

HOME: Final = "home"
TO_YOU: Final = "to_you"
NOTIFICATIONS: Final = "notifications"  # in apps: the id of a notification, not of a post
CLEARED: Final = "cleared"  # what was to them until then was dismissed in an app


@dataclass(frozen=True, slots=True)
class Mark:
    """The newest that was read, and when."""

    upto: int
    read_at: datetime


def talk(account_id: int) -> str:
    """The private talk with this person."""
    return f"private:{account_id}"


def hidden(account_id: int) -> str:
    """Up to where the private talk with this person was taken out of an app's list."""
    return f"hidden:{account_id}"


def group(account_id: int) -> str:
    return f"group:{account_id}"


def read(session: Session, account_id: int, places: Collection[str]) -> dict[str, int]:
    """Place → the newest post that was shown there; places that were never read are left out."""
    return {place: mark.upto for place, mark in list_marks(session, account_id, places).items()}


def list_marks(session: Session, account_id: int, places: Collection[str]) -> dict[str, Mark]:
    """The same with when it was."""
    mine = ReadMark.account_id == account_id, ReadMark.place.in_(places)
    rows = session.execute(select(ReadMark.place, ReadMark.upto, ReadMark.read_at).where(*mine))
    return {row.place: Mark(row.upto, row.read_at) for row in rows}


def advance(session: Session, account_id: int, place: str, upto: int) -> None:
    """Moves a mark forward, never back. A mark that stands is not written again."""
    session.execute(ADVANCE, {"account": account_id, "place": place, "upto": upto})


ADVANCE: Final = text("""
    INSERT INTO read_marks (account_id, place, upto) VALUES (:account, :place, :upto)
    ON CONFLICT (account_id, place) DO UPDATE SET upto = excluded.upto, read_at = now()
    WHERE read_marks.upto < excluded.upto
""")
