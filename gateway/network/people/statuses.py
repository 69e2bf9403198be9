"""The line beside a person's name: where they are, what they do now, till when. Everyone in the company sees it, but
for who is separated from them by a block."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import delete, func, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from gateway.store.tables import Status

LONGEST: Final = 60  # characters
IN_FORCE: Final = "(s.until IS NULL OR s.until > now())"  # for statements in which the table is called s


@dataclass(frozen=True, slots=True)
class SetStatus:
    """`until`: its end; None while it has none."""

    words: str
    until: datetime | None = None

    def pack(self) -> dict[str, Any]:
        return {"words": self.words, "until": self.until.isoformat() if self.until else None}

    @staticmethod
    def unpack(packed: dict[str, Any] | None) -> "SetStatus | None":
        if packed is None:
            return None
        until = packed["until"]
        return SetStatus(packed["words"], datetime.fromisoformat(until) if until else None)


def find(session: Session, account_id: int) -> SetStatus | None:
    """The one that is in force now."""
    lasts = or_(Status.until.is_(None), Status.until > func.now())
    row = session.execute(select(Status.words, Status.until).where(Status.account_id == account_id, lasts)).first()
    return SetStatus(row.words, row.until) if row else None


def put(session: Session, account_id: int, status: SetStatus | None) -> None:
    """None: they have none any more."""
    if status is None:
        session.execute(delete(Status).where(Status.account_id == account_id))
        return
    values = {"words": status.words, "until": status.until, "created_at": func.now()}
    row = insert(Status).values(account_id=account_id, **values)
    session.execute(row.on_conflict_do_update(index_elements=["account_id"], set_=values))
