"""Quiet hours of one phone or mailbox: what comes in them waits for their end."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from gateway.actions.model.actor import Actor
from gateway.actions.model.undo_result import Undone
from gateway.attention import zones
from gateway.attention.quiet_hours import quiet_until
from gateway.channels import SMS
from gateway.ledger.outbox import held
from gateway.network.people import addresses, quiet_settings
from gateway.network.push import push_subscriptions
from gateway.store.tables import Account, Address, Effect

DRAIN: Final = "wake_ups"


@dataclass(frozen=True, slots=True)
class QuietSetting:
    """`hours`: as the database has them, None for none. `waiting`: items that wait there at the moment."""

    hours: str | None
    waiting: int


def set_hours(session: Session, actor: Actor, address: Address, hours: str | None) -> QuietSetting:
    """Sets or ends them. What waits is decided about again, by the new hours."""
    actor.check_own(address)
    was = quiet_settings.hours_now(session, address.id)
    if was["hours"] != hours:
        actor.did("quiet", address.id, **was)
        quiet_settings.set_hours(session, address.id, hours)
    return QuietSetting(hours, wake(session, actor, address, "quiet", "behind"))


def undo_hours(session: Session, actor: Actor, effect: Effect) -> Undone:
    row = addresses.own(session, actor.account.id, effect.subject_id or 0)
    quiet_settings.set_hours(session, row.id, effect.detail["hours"])
    wake(session, actor, row)
    return Undone("quiet_hours", {"hours": row.quiet, "timezone": actor.account.zone_now})


def wake(session: Session, actor: Actor, address: Address, *reasons: str) -> int:
    """Has what waits at an address decided about again at once, after a setting has changed. Returns how many items
    come now of those that waited for one of these reasons: none while the address still rests. The devices that get
    pushes rest with the phone."""
    waited = Counter(held.wake(session, actor.account.id, address.id))
    devices = push_subscriptions.address_of(session, actor.account.id) if address.channel == SMS else None
    if devices is not None:
        waited.update(held.wake(session, actor.account.id, devices.id))
    if waited:
        actor.queues.add(DRAIN)
    return 0 if _rests(session, address) else sum(waited.get(reason, 0) for reason in reasons)


def _rests(session: Session, address: Address) -> bool:
    now: datetime = session.execute(select(func.now())).scalar_one()
    off = not address.receiving and (address.off_until is None or address.off_until > now)
    zone = zones.zone(session.get_one(Account, address.account_id).zone_now)
    return off or (address.quiet is not None and quiet_until(address.quiet, zone, now) is not None)
