"""What operators did, for later questions; only ever added to. The command line records here."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from gateway.store.tables import Audit


def record(
    session: Session, actor: str, action: str, subject_id: int | None = None, detail: Mapping[str, Any] | None = None
) -> None:
    """`actor`: @handle, or the command line's user. `detail` has no numbers and no bodies."""
    session.add(Audit(actor=actor, action=action, subject_id=subject_id, detail=dict(detail or {})))
    session.flush()
