"""Making groups, and unmaking one while nobody else is in it. Others see a group's name, so it is confirmed first."""

from collections.abc import Collection

from sqlalchemy.orm import Session

from gateway.actions.model.actor import Actor
from gateway.actions.model.confirmation import OK, ConfirmationRequired
from gateway.actions.model.undo_result import Undone
from gateway.i18n.refusals import refusal
from gateway.language.model.reading import NamedAccount
from gateway.network.follows import group_owners
from gateway.network.people import accounts
from gateway.network.people.directory import find_named
from gateway.store.tables import Effect


def create_group(
    session: Session, actor: Actor, handle: str, access: str, reserved: Collection[str], name: str = ""
) -> NamedAccount:  # fmt: skip
    """`access`: open, closed or broadcast. `reserved`: words that no group may be called, because texts begin with
    them. `name`: as people read it; without one it is the handle."""
    if OK not in actor.confirmed:
        accounts.check_handle(session, handle, reserved)
        raise ConfirmationRequired("new_group", OK, handle=handle, access=access)
    group = accounts.create_group(
        session, handle, name or handle, access, actor.account.id, by_text=actor.by_text, reserved=reserved
    )  # fmt: skip
    actor.did("group", group.id)
    return find_named(group)


def undo_group(session: Session, actor: Actor, effect: Effect) -> Undone:
    """Removes the group only while nobody else is in it or has written to it; then the name is free again."""
    group = accounts.by_id(session, effect.subject_id or 0)
    if group is None or group.state != "active":
        raise refusal("undone_already")
    if group_owners.others(session, group.id, actor.account.id):
        raise refusal("group_in_use", name=group.name, handle=group.handle)
    if group_owners.written(session, group.id):
        raise refusal("group_written", name=group.name)
    session.delete(group)
    session.flush()
    return Undone("group_removed", {"name": group.name})
