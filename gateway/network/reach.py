"""How people can be reached now: by which phone or mailbox. Handlers ask before they promise."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select, true
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from gateway.store.tables import Account, Address, Follow


@dataclass(frozen=True, slots=True)
class Unreached:
    """A person whom nothing reaches, and whether that is because they opted out."""

    name: str
    stopped: bool


def reached(session: Session, people: Collection[int]) -> Sequence[Address]:
    """Where something addressed to these people goes: to their phone, else to their mailbox."""
    usable = select(Address).where(Address.account_id.in_(people), Address.is_primary, Address.state == "verified")
    first = usable.ext(distinct_on(Address.account_id)).order_by(Address.account_id, Address.channel.desc())
    return session.scalars(first).all()


def unreached(session: Session, people: Collection[int]) -> list[Unreached]:
    """Those whose phone and mailbox both take nothing: stopped, never verified, or turned off for now."""
    turned_off = ~Address.receiving & func.coalesce(Address.off_until > func.now(), true())
    verified = func.bool_or((Address.state == "verified") & ~turned_off)
    stopped = func.bool_or(Address.state == "stopped")
    rows = session.execute(
        select(Account.name, func.coalesce(stopped, False))
        .outerjoin(Address, (Address.account_id == Account.id) & Address.is_primary)
        .where(Account.id.in_(people))
        .group_by(Account.id)
        .having(~func.coalesce(verified, False))
        .order_by(Account.name)
    )
    return [Unreached(name, opted_out) for name, opted_out in rows]


def channels(session: Session, account_id: int) -> list[str]:
    """The ways somebody can be reached, in words; never the numbers themselves."""
    mine = select(Address.channel).where(Address.account_id == account_id, Address.state == "verified").distinct()
    words = {"sms": "text", "email": "mail"}
    return [words[channel] for channel in sorted(session.scalars(mine), reverse=True)]


def broadcasts(session: Session, account_id: int) -> Sequence[Account]:
    """The broadcast groups that this person hears by text."""
    mine = select(Account).join(Follow, Follow.account_id == Account.id).where(Follow.follower_id == account_id)
    heard = mine.where(Account.access == "broadcast", Follow.state == "active", Follow.by_text)
    return session.scalars(heard.order_by(Account.handle)).all()


def own_address(session: Session, account_id: int) -> Address | None:
    """Through which a person's talk goes when they speak from no device: their phone, else their mailbox."""
    mine = select(Address).where(Address.account_id == account_id, Address.state != "suspended")
    return session.scalars(mine.order_by(Address.is_primary.desc(), Address.channel.desc()).limit(1)).first()
