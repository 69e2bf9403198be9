"""Whether somebody's mailbox says that they are away: for three days after its last automatic answer, or until they
write themselves. It changes no way in which anything comes."""

from datetime import timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, exists, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from gateway.store.tables import Address, Attention

LASTS: Final = timedelta(days=3)  # responders answer one sender once in some days


def record(session: Session, account_id: int) -> None:
    until = {"out_of_office_until": func.now() + LASTS}
    row = insert(Attention).values(account_id=account_id, **until)
    session.execute(row.on_conflict_do_update(index_elements=["account_id"], set_=until))


def is_away(account_id: Any) -> ColumnElement[bool]:
    """As a condition on the column of an account. That they wrote since then is seen by their addresses, so that a text
    costs nothing for it."""
    wrote = select(Address.id).where(
        Address.account_id == Attention.account_id, Address.seen_at > Attention.out_of_office_until - LASTS
    )
    said = select(Attention.account_id).where(
        Attention.account_id == account_id, Attention.out_of_office_until > func.now(), ~wrote.exists()
    )
    return exists(said)
