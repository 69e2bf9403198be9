"""Who runs this installation, as far as everybody may know: whom to ask for what only an admin does."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from gateway.store.tables import Account

MOST = 5


def find(session: Session) -> Sequence[Account]:
    """The admins who can be written to, by name."""
    admins = select(Account).where(Account.kind == "person", Account.role == "admin", Account.state == "active")
    return session.scalars(admins.order_by(Account.name).limit(MOST)).all()
