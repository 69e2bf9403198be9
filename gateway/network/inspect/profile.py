"""One person with all that an operator may have to look at, but nothing of what they said. `critter people show` calls
it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from gateway.channels import ONLY_IF_CHOSEN
from gateway.network.follows import follows
from gateway.network.inspect.trace_deliveries import iso
from gateway.network.people import addresses, aliases
from gateway.network.verification import lockouts, pins
from gateway.store.channel_sql import rank_of
from gateway.store.tables import Account, Address


@dataclass(frozen=True, slots=True)
class Reach:
    """A phone or mailbox as `mask` shows it, and whether anything goes there."""

    channel: str
    address: str
    state: str
    primary: bool
    seen_at: datetime | None


def profile(session: Session, person: Account, mask: Callable[[str], str]) -> dict[str, Any]:
    """Plain values, times in ISO 8601."""
    groups = follows.groups(session, person.id, limit=None)[1]
    return {
        "id": str(person.id),
        "handle": person.handle,
        "name": person.name,
        "title": person.title,
        "state": person.state,
        "role": person.role,
        "language": person.language,
        "timezone": person.timezone,
        "zone_now": person.zone_now,
        "since": iso(person.created_at),
        "aliases": [one.word for one in aliases.of(session, person.id)],
        "addresses": [_plain(one) for one in _reaches(session, person.id, mask)],
        "groups": [group.handle for group in groups],
        "follows": follows.following(session, person.id)[0],
        "followers": follows.followers(session, person.id)[0],
        "pin": "locked" if person.pin != "none" and pins.locked(session, person.id) else person.pin,
        "confirming": "locked" if _locked(session, person.id) else "free",
    }


def _locked(session: Session, account_id: int) -> bool:
    return any(
        lockouts.locked_until(session, account_id, channel) for channel in (*addresses.NOUN, lockouts.COMMAND_LINE)
    )


def _reaches(session: Session, account_id: int, mask: Callable[[str], str]) -> list[Reach]:
    mine = select(Address).where(Address.account_id == account_id, Address.channel.not_in(ONLY_IF_CHOSEN))
    rows = session.scalars(mine.order_by(rank_of(Address.channel).desc(), Address.is_primary.desc(), Address.id))
    return [Reach(row.channel, mask(row.address), _state(row), row.is_primary, row.seen_at) for row in rows]


def _state(row: Address) -> str:
    """The first reason for which texts or mails do not reach it."""
    if row.stopped_at is not None:
        return "opted out"
    if row.bouncing_since is not None:
        return "bounces"
    return row.state if row.receiving else "off"


def _plain(one: Reach) -> dict[str, Any]:
    return {
        "channel": one.channel,
        "address": one.address,
        "state": one.state,
        "primary": one.primary,
        "seen_at": iso(one.seen_at),
    }
