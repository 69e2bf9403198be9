"""Closes what people reported. `critter reports` and the page of reports call it."""

from sqlalchemy.orm import Session

from gateway.ledger.audit import audit_log
from gateway.network.inspect import abuse_reports


def close(session: Session, report_id: int, actor: str) -> bool:
    """The operator is done with it; nobody is told. False when it was closed already."""
    row = abuse_reports.read_one(session, report_id)
    closed = abuse_reports.close(session, report_id)
    if closed:
        audit_log.record(session, actor, "reports.close", report_id, {"by": row.reporter, "whom": row.reported})
    return closed
