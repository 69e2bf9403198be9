"""The audit as a list, for the operators' page: the newest first, with the names that its ids stand for now."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session

from gateway.ledger.audit import audit_log
from gateway.ledger.audit.hash_chain import ChainCount

PAGE: Final = 50


class AuditRow(NamedTuple):
    """`name`: of the person who acted; None for the command line and Critter itself, and for who was erased."""

    number: int
    at: datetime
    actor: str
    name: str | None
    action: str
    subject_id: int | None
    subject: str | None  # the handle, when it is an account
    detail: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ChainState:
    """How many rows there are, how many are not as they were written, and for how many no seal vouches yet."""

    rows: int
    broken: int
    unsealed: int


def list_rows(session: Session, before: int | None = None) -> tuple[Sequence[AuditRow], int | None]:
    """One page, and the number from which the next goes on."""
    rows = [AuditRow(*row) for row in session.execute(LISTED, {"before": before, "limit": PAGE + 1})]
    return rows[:PAGE], rows[PAGE - 1].number if len(rows) > PAGE else None


def check_chain(session: Session) -> ChainState:
    """Reads the whole table."""
    count = ChainCount()
    broken = sum(1 for _ in audit_log.find_broken(session, count))
    return ChainState(count.rows, broken, count.unsealed_tail)


LISTED: Final = text("""
    SELECT a.number, a.created_at, a.actor, who.name, a.action, a.subject_id, about.handle, a.detail
    FROM audit a
    LEFT JOIN accounts who
      ON who.id = CASE WHEN a.actor ~ '^account:[0-9]+$' THEN CAST(substr(a.actor, 9) AS bigint) END
    LEFT JOIN accounts about ON about.id = a.subject_id
    WHERE a.number IS NOT NULL AND (CAST(:before AS bigint) IS NULL OR a.number < :before)
    ORDER BY a.number DESC LIMIT :limit
""")
