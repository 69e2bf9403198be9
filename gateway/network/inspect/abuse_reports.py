"""Reports to the operators about a person, or about one item of theirs. `report` and `critter reports` call it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from gateway.errors import Refused
from gateway.store.tables import Report


@dataclass(frozen=True, slots=True)
class Reported:
    """A report with the handles of both; no words of whom it is about. `reason`: in the reporter's words."""

    id: int
    created_at: datetime
    closed_at: datetime | None
    reporter: str
    reported: str
    kind: str
    post_id: int | None
    visibility: str | None
    reason: str | None = None


_ROWS = text("""
    SELECT r.id, r.created_at, r.closed_at, reporter.handle AS reporter, reported.handle AS reported,
           reported.kind, r.post_id, p.visibility, r.reason
    FROM reports r
    JOIN accounts reporter ON reporter.id = r.reporter_id
    JOIN accounts reported ON reported.id = r.account_id
    LEFT JOIN posts p ON p.id = r.post_id
    WHERE (:everything OR r.closed_at IS NULL) AND (CAST(:one AS bigint) IS NULL OR r.id = :one)
    ORDER BY r.id
""")
LARGEST = 2**63 - 1


def add(
    session: Session, reporter_id: int, account_id: int, post_id: int | None = None, reason: str | None = None
) -> int | None:  # fmt: skip
    """Stores a report and returns its id; None when the same is open already."""
    same = select(Report.id).where(Report.reporter_id == reporter_id, Report.account_id == account_id)
    about = Report.post_id.is_(None) if post_id is None else Report.post_id == post_id
    if session.scalar(same.where(about, Report.closed_at.is_(None))) is not None:
        return None
    report = Report(reporter_id=reporter_id, account_id=account_id, post_id=post_id, reason=reason)
    session.add(report)
    session.flush()
    return report.id


def list_open(session: Session, *, everything: bool = False) -> Sequence[Reported]:
    """The open reports, the oldest first; `everything`: the closed ones too."""
    rows = session.execute(_ROWS, {"everything": everything, "one": None})
    return [Reported(**row) for row in rows.mappings()]


def read_one(session: Session, report_id: int) -> Reported:
    """An open or closed one; raises Refused."""
    known = 0 < report_id <= LARGEST
    rows = session.execute(_ROWS, {"everything": True, "one": report_id}).mappings().all() if known else []
    if not rows:
        raise Refused(f"There is no report {report_id}: critter reports list shows them.")
    return Reported(**rows[0])


def close(session: Session, report_id: int) -> bool:
    """Closes it when an operator is done with it; False when it was closed before."""
    row = session.get_one(Report, report_id, with_for_update=True)
    if row.closed_at:
        return False
    row.closed_at = func.now()
    session.flush()
    return True


def withdraw(session: Session, report_id: int) -> None:
    """Withdraws it for its writer: no operator need look at it any more."""
    session.get_one(Report, report_id).closed_at = func.now()
    session.flush()
