"""The link of the first start: it makes whoever opens it the first admin, and is dead as soon as there is one."""

from typing import Final

from sqlalchemy import exists, func, select, text
from sqlalchemy.orm import Session

from gateway.security.signed_tokens import Signer
from gateway.store.tables import Account

KIND: Final = "first admin"
LOCK: Final = 0x66697273  # an advisory lock: two who open it at once do not both become admin


def link(session: Session, signer: Signer, public_url: str) -> str | None:
    """The address to open; None when somebody runs this installation already."""
    return f"{public_url}/first/{signer.sign(KIND, _made(session))}" if is_needed(session) else None


def is_needed(session: Session) -> bool:
    """Whether nobody who is active may run this installation."""
    runs = exists().where(Account.kind == "person", Account.state == "active", Account.role.in_(["operator", "admin"]))
    return not session.scalar(select(runs))


def opens(session: Session, signer: Signer, token: str) -> bool:
    """Whether this token is that of this database, and still needed. The answer holds until the transaction ends."""
    session.execute(select(func.pg_advisory_xact_lock(LOCK)))
    return signer.read(KIND, token) == (_made(session),) and is_needed(session)


def _made(session: Session) -> int:
    """When this database was made, in microseconds: the link of another installation opens nothing here."""
    return int(session.scalar(text("SELECT extract(epoch FROM created_at) * 1000000 FROM installation")) or 0)
