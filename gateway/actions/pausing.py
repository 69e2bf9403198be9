"""Turning off and on what comes, for now: everything on one phone or mailbox, or one source on all of them. The follows
stay."""

from datetime import datetime

from sqlalchemy.orm import Session

from gateway.actions import silencing
from gateway.actions.following import amend
from gateway.actions.model.actor import Actor
from gateway.actions.model.confirmation import confirm_end
from gateway.actions.model.undo_result import Undone, active_account
from gateway.actions.preferences import quiet_hours
from gateway.actions.silencing import Lifted
from gateway.i18n.refusals import refusal
from gateway.language.model.reading import NamedAccount
from gateway.network.follows import follow_snapshot, follows
from gateway.network.people import addresses
from gateway.store.tables import Address, Effect


def turn_off(session: Session, actor: Actor, address: Address, until: datetime | None = None) -> None:
    actor.check_own(address)
    now = addresses.receiving_now(session, address.id)
    if until and not now["receiving"] and now["until"] is None:
        confirm_end(actor, address.channel, "", until)
    actor.did("off", address.id, **now)
    addresses.set_receiving(session, address.id, False, until)
    quiet_hours.wake(session, actor, address)


def turn_on(session: Session, actor: Actor, address: Address) -> int:
    """What waited for that comes now; returns how many items there are."""
    actor.check_own(address)
    actor.did("on", address.id, **addresses.receiving_now(session, address.id))
    addresses.set_receiving(session, address.id, True, None)
    return quiet_hours.wake(session, actor, address, "off_till")


def turn_off_source(session: Session, actor: Actor, source: NamedAccount, until: datetime | None = None) -> None:
    was = follow_snapshot.take_snapshot(session, actor.account.id, source.id)
    if was and until and was["off"] and was["off_until"] is None:
        confirm_end(actor, "source", source.name, until)
    if not follows.set_off(session, actor.account.id, source.id, True, until):
        raise refusal("nothing_to_turn_off", name=source.name)
    actor.did("off", source.id, was=was)


def turn_on_source(session: Session, actor: Actor, source: NamedAccount) -> Lifted | None:
    """Ends a mute or a block, if there is one; else turns the follow on again, and returns None."""
    if lifted := silencing.lift(session, actor, source):
        return lifted
    was = follow_snapshot.take_snapshot(session, actor.account.id, source.id)
    if not follows.set_off(session, actor.account.id, source.id, False, None):
        raise refusal("not_followed", name=source.name, handle=source.handle)
    actor.did("on", source.id, was=was)
    return None


def undo_switch(session: Session, actor: Actor, effect: Effect) -> Undone:
    """Restores the switch of one source, or of the whole phone or mailbox that the command came from."""
    if "was" not in effect.detail:
        return _undo_address(session, actor, effect)
    source, was = active_account(session, effect.subject_id), effect.detail["was"]
    amend(session, actor, source, was, follow_snapshot.SWITCH)
    return Undone("source_off" if was["off"] else "source_on", {"name": source.name})


def _undo_address(session: Session, actor: Actor, effect: Effect) -> Undone:
    row = addresses.own(session, actor.account.id, effect.subject_id or 0)
    addresses.restore_receiving(session, row, effect.detail["receiving"], effect.detail["until"])
    quiet_hours.wake(session, actor, row)
    return Undone(f"{row.channel}_on" if row.receiving else f"{row.channel}_off")
