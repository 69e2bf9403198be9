"""The hours in which one phone or mailbox is not to ring, as its owner set them."""

from typing import Any

from sqlalchemy import func
from sqlalchemy.orm import Session

from gateway.store.tables import Address


def set_hours(session: Session, address_id: int, hours: str | None) -> None:
    """`hours`: the canonical text (gateway/language/words/quiet_spans); None ends them. They hold from now on."""
    row = session.get_one(Address, address_id)
    row.quiet, row.quiet_since = hours, func.now() if hours else None
    session.flush()


def hours_now(session: Session, address_id: int) -> dict[str, Any]:
    """What `quiet` would change, in the form from which `undo` restores it."""
    return {"hours": session.get_one(Address, address_id).quiet}
