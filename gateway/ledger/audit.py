"""Who did what, for later questions. The command line and handlers record here.

The database itself makes handles into ids, chains each row to the one before, and refuses to change or to delete one
(schema.sql): erasing a person needs no change here, and nobody can make a row look as if it had never been.
"""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session

from gateway.store.tables import Audit


class Head(NamedTuple):
    """The last row of the chain: who has noted it elsewhere can tell later whether rows before it are missing."""

    number: int
    hash: str  # hex


def record(
    session: Session, actor: str, action: str, subject_id: int | None = None, detail: Mapping[str, Any] | None = None
) -> None:
    """`actor`: @handle, or the command line's user. `detail` has no names, no numbers and no bodies, for it stays for
    ever; a handle under `handle`, `by`, `whom` or `inviter` becomes an id."""
    session.add(Audit(actor=actor, action=action, subject_id=subject_id, detail=dict(detail or {})))
    session.flush()


def head(session: Session) -> Head:
    """Number 0 while nothing was recorded."""
    row = session.execute(HEAD).one_or_none()
    return Head(row.number, row.hash.hex()) if row else Head(0, "")


def stands(session: Session, noted: Head) -> bool:
    """Whether a head that was noted before is still part of the chain."""
    if noted.number == 0:
        return True
    found = session.scalar(text("SELECT hash FROM audit WHERE number = :number"), {"number": noted.number})
    return found is not None and found.hex() == noted.hash


HEAD: Final = text("SELECT number, hash FROM audit WHERE number IS NOT NULL ORDER BY number DESC LIMIT 1")
