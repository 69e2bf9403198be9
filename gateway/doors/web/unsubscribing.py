"""The end of one follow, or of the daily mail, by the link in a mail (R35, RFC 8058); doors/web/pages asks and acts."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from gateway.ledger import audit
from gateway.network import dailies, follows, topics
from gateway.store.tables import Account, Address


@dataclass(frozen=True, slots=True)
class Pair:
    """Who follows whom or what, as the token says. `called`: @kim or #win; `back`: what `follow` takes, or the whole
    command that brings the daily mail back."""

    follower_id: int
    source_id: int
    called: str
    back: str
    name: str


def pair(session: Session, source_id: int, address_id: int) -> Pair | None:
    """None when one of them is gone."""
    follower_id = session.scalar(select(Address.account_id).where(Address.id == address_id))
    if follower_id is None:
        return None
    if source_id == dailies.SOURCE:
        return Pair(follower_id, source_id, "", "on daily", "")
    account = session.get(Account, source_id)
    if account is not None:
        return Pair(follower_id, source_id, f"@{account.handle}", account.handle, account.name)
    tag = topics.tag_of(session, source_id)
    return Pair(follower_id, source_id, f"#{tag}", f"#{tag}", f"#{tag}") if tag else None


def end(session: Session, ending: Pair) -> None:
    """The same success however often it is asked. No input tells of it, so the audit does: who left a closed group was
    in it before."""
    if ending.source_id == dailies.SOURCE:
        dailies.want(session, ending.follower_id, False)
        return
    keys = (session, ending.follower_id, ending.source_id)
    if follows.unfollow(*keys) or topics.leave(*keys):
        follower = session.get_one(Account, ending.follower_id)
        audit.record(session, f"@{follower.handle}", "follow.unsubscribe", follower.id, {"from": ending.back})
