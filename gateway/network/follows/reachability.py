"""At which phone or mailbox people can be reached now. Handlers ask before they promise."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Select, exists, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from gateway.channels import CHANNELS, EMAIL, ONLY_IF_CHOSEN, SMS, by_rank
from gateway.network.follows import mutes
from gateway.network.people import out_of_office
from gateway.store.channel_sql import rank_of
from gateway.store.tables import Account, Address, Attention
from gateway.store.views import ADDRESSES, AddressNow, FollowInForce


@dataclass(frozen=True, slots=True)
class Unreached:
    """A person whom nothing reaches. `stopped_at`: when they opted out, if that is why."""

    name: str
    stopped_at: datetime | None


def reached(session: Session, people: Collection[int]) -> Sequence[Address]:
    """Where something addressed to these people goes: their phone, else their mailbox; the other way round for who
    prefers mails. An opt-out of texts never leads to another channel."""
    return [address for address, _ in session.execute(_ways(people)) if address.state == "verified"]


def reachable(session: Session, people: Collection[int]) -> set[int]:
    """Those of these people to whom something addressed to them goes: an address of theirs takes it, and is on."""
    usable = [address for address, off in session.execute(_ways(people)) if address.state == "verified" and not off]
    return {address.account_id for address in usable if address.account_id is not None}


class Readiness(NamedTuple):
    """`unreached`: whom nothing of the writer reaches now; `away`: the names of those who are reached, and whose
    mailbox says that they are away."""

    unreached: tuple[Unreached, ...]
    away: tuple[str, ...]


def find_ready(session: Session, people: Collection[int], author_id: int) -> Readiness:
    """Nothing of the author reaches those who opted out, have no verified address or turned everything off or all that
    is private. A block looks the same. Who muted the author is not shown."""
    apart = mutes.apart_from(session, author_id, people)
    unwanting = _want_nothing_private(session, people)
    ways = {address.account_id: (address, off) for address, off in session.execute(_ways(people))}
    asked = select(Account.id, Account.name, out_of_office.is_away(Account.id)).where(Account.id.in_(people))
    unreached, away = [], []
    for person, name, is_away in session.execute(asked.order_by(Account.name)):
        address, off = (None, True) if person in apart | unwanting else ways.get(person, (None, True))
        if address is None or address.state != "verified" or off:
            unreached.append(Unreached(name, address.stopped_at if address and address.state == "stopped" else None))
        elif is_away:
            away.append(name)
    return Readiness(tuple(unreached), tuple(away))


def _want_nothing_private(session: Session, people: Collection[int]) -> set[int]:
    chosen = select(Attention.account_id).where(Attention.account_id.in_(people), Attention.private == "nothing")
    return set(session.scalars(chosen))


def _ways(people: Collection[int]) -> Select[Address, bool]:
    """The one address of each that the fan-out would choose for those whom a post names, whether it is turned off, and
    whether it bounces."""
    off = ~ADDRESSES.c.receives
    mine = select(AddressNow, off).where(AddressNow.account_id.in_(people), AddressNow.is_primary)
    usable = mine.where(AddressNow.state.in_(["verified", "stopped"]), AddressNow.channel.not_in(ONLY_IF_CHOSEN))
    first = usable.ext(distinct_on(AddressNow.account_id))
    mailed = exists().where(Attention.account_id == AddressNow.account_id, Attention.prefer == "mail")
    good = (AddressNow.channel == EMAIL) & (AddressNow.state == "verified") & AddressNow.bouncing_since.is_(None)
    return first.order_by(AddressNow.account_id, off, mailed & ~good, rank_of(AddressNow.channel).desc())


def channels(session: Session, account_id: int) -> list[str]:
    """The ways in which somebody can be reached, in words; never the numbers themselves."""
    theirs = Address.account_id == account_id, Address.channel.not_in(ONLY_IF_CHOSEN)
    mine = select(Address.channel).where(*theirs, Address.state == "verified").distinct()
    return [CHANNELS[channel].noun for channel in by_rank(session.scalars(mine).all())]


def has_phone(session: Session, account_id: int) -> bool:
    """Whether there is a phone that texts can go to; one that is off for now counts."""
    mine = Address.account_id == account_id, Address.channel == SMS, Address.is_primary, Address.state == "verified"
    return session.scalar(select(Address.id).where(*mine)) is not None


def broadcasts(session: Session, account_id: int) -> Sequence[Account]:
    """The broadcast groups that this person follows by text."""
    mine = select(Account).join(FollowInForce, FollowInForce.account_id == Account.id)
    heard = mine.where(FollowInForce.follower_id == account_id, Account.access == "broadcast", FollowInForce.by_text)
    return session.scalars(heard.order_by(Account.handle)).all()


def own_address(session: Session, account_id: int) -> Address | None:
    """The address whose conversation a person uses when they write from no device: their phone, else their mailbox."""
    theirs = Address.account_id == account_id, Address.channel.not_in(ONLY_IF_CHOSEN)
    mine = select(Address).where(*theirs, Address.state != "suspended")
    return session.scalars(mine.order_by(Address.is_primary.desc(), rank_of(Address.channel).desc()).limit(1)).first()
