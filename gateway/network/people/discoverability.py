"""Whether a person is found by `who about` and in offers, and is offered people to ask: one choice for both."""

from sqlalchemy import exists, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from gateway.store.tables import Attention


def connects(session: Session, account_id: int) -> bool:
    """It is so unless they said otherwise."""
    refused = exists().where(Attention.account_id == account_id, ~Attention.connects)
    return not session.scalar(select(refused))


def put(session: Session, account_id: int, wanted: bool) -> None:
    row = insert(Attention).values(account_id=account_id, connects=wanted)
    session.execute(row.on_conflict_do_update(index_elements=["account_id"], set_={"connects": wanted}))
