"""Invitations by colleagues: to phones and mailboxes that belong to nobody yet, and may answer with a name."""

from datetime import timedelta
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from gateway.network.people import addresses
from gateway.network.people.handles import HANDLE, handle_problem, plain
from gateway.store.tables import Account, Address, Alias, Invitation

AGAIN: Final = timedelta(days=30)  # between two invitations of one address; also how long one is valid
DAILY: Final = 10  # of one inviter
LONGEST: Final = 20


def was_invited_lately(session: Session, address_id: int) -> bool:
    row = select(Invitation.address_id).where(Invitation.address_id == address_id)
    return session.scalar(row.where(Invitation.created_at > func.now() - AGAIN)) is not None


def today(session: Session, inviter_id: int) -> int:
    """How many people this person invited within a day."""
    mine = select(func.count()).select_from(Invitation).where(Invitation.inviter_id == inviter_id)
    return session.scalar(mine.where(Invitation.created_at > func.now() - timedelta(days=1))) or 0


def keep(session: Session, address_id: int, inviter_id: int) -> None:
    new = insert(Invitation).values(address_id=address_id, inviter_id=inviter_id)
    fresh = {"inviter_id": inviter_id, "created_at": func.now(), "accepted_at": None}
    session.execute(new.on_conflict_do_update(index_elements=["address_id"], set_=fresh))


def standing(session: Session, channel: str, address: str) -> tuple[Address, Account] | None:
    """An address that was invited and has not joined, locked, and who invited it."""
    asked = select(Address, Account).join(Invitation, Invitation.address_id == Address.id)
    asked = asked.join(Account, Account.id == Invitation.inviter_id)
    mine = asked.where(Address.channel == channel, Address.address == address, Address.account_id.is_(None))
    open_ = mine.where(Invitation.accepted_at.is_(None), Invitation.created_at > func.now() - AGAIN)
    found = session.execute(open_.with_for_update(of=Address)).one_or_none()
    return (found[0], found[1]) if found else None


def accept(session: Session, row: Address, account_id: int, wording: str, our: str | None, carrier: str | None) -> None:
    """Gives the address to this person, and keeps the words of its consent."""
    invitation = session.get_one(Invitation, row.id)
    invitation.accepted_at = func.now()
    mine = addresses.add(session, account_id, row.channel, row.address)
    addresses.agree(session, mine, wording, addresses.SOURCE[row.channel], our, carrier)


def free_handle(session: Session, name: str, reserved: frozenset[str]) -> str:
    """A free handle, from a person's name: the first name, else with the last one, else with a number."""
    words = ["".join(one for one in word if HANDLE.fullmatch(one * 2)) for word in plain(name).split()]
    first, joined = (words or [""])[0], "".join(words)
    wanted = [each[:LONGEST] for each in (first, joined) if len(each) > 1] or ["member"]
    tried = (each for each in [*wanted, *(f"{wanted[-1][: LONGEST - 4]}{number}" for number in range(2, 10_000))])
    return next(each for each in tried if not handle_problem(each, reserved) and _free(session, each))


def _free(session: Session, handle: str) -> bool:
    taken = (
        select(Account.id)
        .where(Account.handle == handle)
        .union_all(select(Alias.account_id).where(Alias.alias == handle))
    )
    return session.execute(taken).first() is None
