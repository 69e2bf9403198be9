"""The audit log: who did what, the newest first; and whether its chain is whole."""

from typing import Any

from gateway.doors.web.operate import ROUTER
from gateway.doors.web.operate.frame import show
from gateway.doors.web.visits.visit import Visit
from gateway.ledger.audit import audit_log, audit_rows
from gateway.ledger.audit.audit_rows import AuditRow


@ROUTER.page("/operate/audit", "operator")
def audit(visit: Visit) -> str:
    """`?before=`: older rows; `?check=1`: reads the whole chain."""
    rows, older = audit_rows.list_rows(visit.session, visit.number("before"))
    chain = audit_rows.check_chain(visit.session) if visit.arg("check") else None
    return show(
        visit, "audit.html", rows=rows, older=older, chain=chain, head=audit_log.head(visit.session), facts=_facts
    )  # fmt: skip


def _facts(row: AuditRow) -> str:
    """The detail in one line. It holds neither names nor numbers; ids of accounts are left out."""
    return ", ".join(f"{name}: {_fact(value)}" for name, value in row.detail.items() if _says(value))


def _says(value: Any) -> bool:
    return value is not None and not str(value).startswith("account:")


def _fact(value: Any) -> str:
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)[:100]
