"""How far somebody has read a place on the web: home, what is to them, a group, a private talk."""

from collections.abc import Collection
from typing import Final

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from gateway.store.tables import ReadMark

HOME: Final = "home"
TO_YOU: Final = "to_you"
NOTIFICATIONS: Final = "notifications"  # in apps: the id of a notification, not of a post
CLEARED: Final = "cleared"  # what was to them until then was dismissed in an app


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
    rows = select(ReadMark.place, ReadMark.upto).where(ReadMark.account_id == account_id, ReadMark.place.in_(places))
    return dict(session.execute(rows).all())


def advance(session: Session, account_id: int, place: str, upto: int) -> None:
    """Moves a mark forward, never back. A mark that stands is not written again."""
    session.execute(ADVANCE, {"account": account_id, "place": place, "upto": upto})


ADVANCE: Final = text("""
    INSERT INTO read_marks (account_id, place, upto) VALUES (:account, :place, :upto)
    ON CONFLICT (account_id, place) DO UPDATE SET upto = excluded.upto, read_at = now()
    WHERE read_marks.upto < excluded.upto
""")
