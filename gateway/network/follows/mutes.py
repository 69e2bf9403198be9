"""Blocks, which hold both ways, and mutes. What decides who gets something (network/audience/visibility) reads these
rows itself; handlers and notices ask here before they promise anything."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import BigInteger, ColumnElement, and_, bindparam, delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from gateway.network.audience.visibility import blocked
from gateway.network.follows import follows
from gateway.store.tables import Account, Silence
from gateway.store.views import SilenceInForce


@dataclass(frozen=True, slots=True)
class MuteSnapshot:
    """A mute or block as it was, so that `undo` can restore it."""

    kind: str
    expires_at: datetime | None

    @staticmethod
    def read(detail: dict[str, Any] | None) -> "MuteSnapshot | None":
        if detail is None:
            return None
        until = detail["until"]
        return MuteSnapshot(detail["kind"], datetime.fromisoformat(until) if until else None)

    def packed(self) -> dict[str, Any]:
        return {"kind": self.kind, "until": self.expires_at.isoformat() if self.expires_at else None}


def find_mute(session: Session, account_id: int, other_id: int) -> MuteSnapshot | None:
    """The mute or block that `account_id` has put on the other, while it lasts."""
    row = session.execute(
        select(SilenceInForce.kind, SilenceInForce.expires_at).where(
            SilenceInForce.account_id == account_id, SilenceInForce.other_id == other_id
        )
    ).one_or_none()
    return MuteSnapshot(row.kind, row.expires_at) if row else None


@dataclass(frozen=True, slots=True)
class OwnSilence:
    """Somebody whom one has blocked or muted; `kind`: person or group."""

    id: int
    kind: str
    handle: str
    name: str
    blocks: bool
    since: datetime
    until: datetime | None


def list_own(session: Session, account_id: int) -> list[OwnSilence]:
    """By name."""
    s = SilenceInForce
    rows = select(Account.id, Account.kind, Account.handle, Account.name, s.kind == "block", s.created_at, s.expires_at)
    mine = rows.join(Account, Account.id == s.other_id).where(s.account_id == account_id).order_by(Account.name)
    return [OwnSilence(*row) for row in session.execute(mine)]


def block(session: Session, account_id: int, other_id: int) -> list[dict[str, Any]]:
    """Blocks: neither gets the other's posts from now on, and their follows end. Returns those follows as they were,
    for `undo`."""
    put(session, account_id, other_id, MuteSnapshot("block", None))
    ended = [follows.unfollow(session, *pair) for pair in ((account_id, other_id), (other_id, account_id))]
    return [follows.pack(row) for row in ended if row]


def put(session: Session, account_id: int, other_id: int, silence: MuteSnapshot) -> None:
    """Makes this the one mute or block of this pair."""
    values = {"kind": silence.kind, "expires_at": silence.expires_at, "created_at": func.now()}
    row = insert(Silence).values(account_id=account_id, other_id=other_id, **values)
    session.execute(row.on_conflict_do_update(index_elements=["account_id", "other_id"], set_=values))


def lift(session: Session, account_id: int, other_id: int) -> MuteSnapshot | None:
    """Ends the mute or block of `account_id`; None when none was in force."""
    was = find_mute(session, account_id, other_id)
    session.execute(delete(Silence).where(Silence.account_id == account_id, Silence.other_id == other_id))
    return was


def are_apart(session: Session, one: int, other: int) -> bool:
    """Whether one of the two has blocked the other."""
    return bool(session.scalar(APART, {"one": one, "other": other}))


APART: Final = select(blocked(bindparam("one", type_=BigInteger), bindparam("other", type_=BigInteger)))


def deaf_to(session: Session, author_id: int, people: Collection[int]) -> set[int]:
    """Those of `people` whom nothing of this author may reach: they blocked or muted the author, or the author blocked
    them."""
    asked = select(SilenceInForce.account_id).where(
        SilenceInForce.account_id.in_(people), SilenceInForce.other_id == author_id
    )
    theirs = select(SilenceInForce.other_id).where(_blocks(author_id), SilenceInForce.other_id.in_(people))
    return set(session.scalars(asked.union_all(theirs)))


def apart_from(session: Session, account_id: int, people: Collection[int]) -> set[int]:
    """Those of `people` whom a block separates from this person, whichever side made it."""
    mine = select(SilenceInForce.other_id).where(_blocks(account_id), SilenceInForce.other_id.in_(people))
    theirs = select(SilenceInForce.account_id).where(
        SilenceInForce.account_id.in_(people), SilenceInForce.other_id == account_id, SilenceInForce.kind == "block"
    )
    return set(session.scalars(mine.union_all(theirs)))


def _blocks(account_id: int) -> ColumnElement[bool]:
    return and_(SilenceInForce.account_id == account_id, SilenceInForce.kind == "block")
