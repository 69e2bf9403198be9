"""The end of one follow by the link in a mail (R35, RFC 8058); doors/web/pages asks and acts."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from gateway.ledger import audit
from gateway.network import follows
from gateway.store.tables import Account, Address


@dataclass(frozen=True, slots=True)
class Pair:
    """Who follows whom, as the token says."""

    follower_id: int
    account_id: int
    handle: str
    name: str


def pair(session: Session, account_id: int, address_id: int) -> Pair | None:
    """None when one of them is gone."""
    follower = select(Address.account_id).where(Address.id == address_id).scalar_subquery()
    wanted = select(Account.handle, Account.name, follower).where(Account.id == account_id)
    found = session.execute(wanted).one_or_none()
    if found is None or found[2] is None:
        return None
    return Pair(follower_id=found[2], account_id=account_id, handle=found.handle, name=found.name)


def end(session: Session, ending: Pair) -> None:
    """The same success however often it is asked. No input tells of it, so the audit does: who left a closed group was
    in it before."""
    if follows.unfollow(session, ending.follower_id, ending.account_id):
        follower = session.get_one(Account, ending.follower_id)
        audit.record(session, f"@{follower.handle}", "follow.unsubscribe", follower.id, {"from": ending.handle})
