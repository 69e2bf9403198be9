"""The ways that people chose for all that has one cause, and what they prefer to texts. What they chose for
one follow, tag or phrase stands with it (gateway/network/follows/subscriptions.py)."""

from collections.abc import Iterable, Mapping
from typing import Final

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from gateway.attention.causes import DeliveryCause
from gateway.attention.ways import CHOOSABLE
from gateway.channels import EMAIL
from gateway.network.push import push_subscriptions
from gateway.store.tables import Account, Address, Attention

Ways = Mapping[DeliveryCause, str]

_COLUMNS: Final = {cause: getattr(Attention, cause.name.lower()) for cause in CHOOSABLE}


def ensure(session: Session, account_id: int) -> None:
    """Notes that somebody chooses how something comes: all others are sent everything as it was asked for, and nothing
    is looked up for them. A trigger notes it as well, for processes of the version before, which know digests alone."""
    session.execute(insert(Attention).values(account_id=account_id).on_conflict_do_nothing())
    session.execute(update(Account).where(Account.id == account_id, ~Account.chooses).values(chooses=True))


def preferred(session: Session, account_id: int) -> str | None:
    """What they prefer to texts: mail, push, web, or None."""
    return session.scalar(select(Attention.prefer).where(Attention.account_id == account_id))


def prefers_mails(session: Session, account_id: int) -> bool:
    return preferred(session, account_id) == "mail"


def set_preferred(session: Session, account_id: int, way: str | None) -> None:
    _put(session, account_id, {"prefer": way})


def is_addressed_quietly(session: Session, account_id: int) -> bool:
    """Whether anything that is written to them comes by push or on the web alone, where it may not be seen."""
    chosen, instead = by_cause(session, account_id), preferred(session, account_id)
    ways = {chosen.get(cause, "text") for cause in CHOOSABLE if cause.addressed}
    return bool(ways & {"push", "web"}) or ("text" in ways and instead in ("push", "web"))


def has_mailbox(session: Session, account_id: int) -> bool:
    """Whether there is a mailbox that mails can go to; one that is off for now counts."""
    mine = Address.account_id == account_id, Address.channel == EMAIL, Address.is_primary
    able = Address.state == "verified", Address.bouncing_since.is_(None)
    return session.scalar(select(Address.id).where(*mine, *able)) is not None


def has_place(session: Session, account_id: int, way: str) -> bool:
    """Whether there is a mailbox or a device for what is to come by mail or by push."""
    return has_mailbox(session, account_id) if way == "mail" else push_subscriptions.has_device(session, account_id)


def by_cause(session: Session, account_id: int) -> Ways:
    """Of the causes for which a way was chosen."""
    row = session.execute(select(*_COLUMNS.values()).where(Attention.account_id == account_id)).first()
    return {cause: way for cause, way in zip(_COLUMNS, row, strict=True) if way} if row else {}


def set_way(session: Session, account_id: int, cause: DeliveryCause, way: str | None) -> None:
    """`way`: None for as usual."""
    _put(session, account_id, {_COLUMNS[cause].key: way})


def set_ways(session: Session, account_id: int, causes: Iterable[DeliveryCause], way: str | None) -> None:
    if names := {_COLUMNS[cause].key: way for cause in causes}:
        _put(session, account_id, names)


def _put(session: Session, account_id: int, values: Mapping[str, str | None]) -> None:
    ensure(session, account_id)
    session.execute(update(Attention).where(Attention.account_id == account_id).values(values))
