"""An owner gives their group another name, or another handle; texts with the old one still arrive."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy.orm import Session

from gateway.actions.model.actor import Actor
from gateway.actions.model.confirmation import OK, ConfirmationRequired
from gateway.actions.model.undo_result import Undone
from gateway.i18n.refusals import refusal
from gateway.language.model.reading import NamedAccount
from gateway.ledger.audit import audit_log
from gateway.network.follows import group_owners
from gateway.network.people import accounts, aliases, rename
from gateway.network.people.directory import find_named
from gateway.network.people.handles import canonical_handle
from gateway.store.tables import Account, Effect


@dataclass(frozen=True, slots=True)
class RenamedGroup:
    """As it is called now. `already`: it was called so before."""

    handle: str
    name: str
    already: bool = False


def rename_group(
    session: Session, actor: Actor, group: NamedAccount, handle: str, name: str, reserved: Collection[str]
) -> RenamedGroup:
    """`handle`: what texts call it; `name`: as people read it. Everyone sees both, so they are confirmed first."""
    group_owners.check_owner(session, actor.account.id, group)
    place = session.get_one(Account, group.id)
    wanted, shown = canonical_handle(handle), accounts.clean_name(name)
    if (wanted, shown) == (place.handle, place.name):
        return RenamedGroup(wanted, shown, already=True)
    if OK not in actor.confirmed:
        raise ConfirmationRequired("group_name", OK, handle=wanted, name=shown, was=place.handle)
    before = {"handle": place.handle, "name": place.name}
    rename.rename(session, place, wanted, shown, reserved)
    actor.did("group_name", place.id, **before)
    audit_log.record(session, f"@{actor.account.handle}", "groups.rename", place.id, {"handle": place.handle})
    return RenamedGroup(place.handle, place.name)


def undo_rename(session: Session, actor: Actor, effect: Effect) -> Undone:
    """The names as they were; the new handle does not go on as an alias."""
    place = session.get(Account, effect.subject_id)
    if place is None or place.state != "active":
        raise refusal("group_gone")
    group_owners.check_owner(session, actor.account.id, find_named(place))
    handle, name = str(effect.detail["handle"]), str(effect.detail["name"])
    now = place.handle
    rename.rename(session, place, handle, name)
    if now != handle:
        aliases.remove(session, place, now)
    audit_log.record(session, f"@{actor.account.handle}", "groups.rename", place.id, {"handle": place.handle})
    return Undone("group_name", {"handle": handle, "name": name})
