"""Making groups by text. Others see a group's name, so a new group is confirmed before it is made."""

from sqlalchemy.orm import Session

from gateway.errors import Refused
from gateway.i18n.phrases import say
from gateway.inbound.commands import CommandContext, ConfirmationRequired, command, undoes
from gateway.network.follows import group_owners
from gateway.network.people import accounts
from gateway.store.tables import Effect

WHAT = {
    "open": say("open: anyone joins and posts"),
    "closed": say("closed: members post, you let people in"),
    "broadcast": say("broadcast: you post, anyone listens"),
}
ACCESS = {"open": say("open"), "closed": say("closed"), "broadcast": say("broadcast")}


@command("new GROUP [open, closed, broadcast]", intent="new", asks=True, about="make a group", spanish="nuevo, crear")
def new(session: Session, turn: CommandContext) -> str:
    """Runs after an OK."""
    handle, access = turn.reading.args[0], turn.reading.args[1] if len(turn.reading.args) > 1 else "open"
    reserved = set(turn.world.verbs)
    if "ok" not in turn.confirmed:
        accounts.check_handle(session, handle, reserved)
        asked = say(
            "Make {access} group {handle}? Reply OK to make it, POST to tell everyone your words "
            "instead, DROP to delete.",
            access=ACCESS[access],
            handle=handle,
        )
        raise ConfirmationRequired(asked, "ok", words=("OK", "POST", "DROP"))
    by_text = turn.address.channel == "sms"
    group = accounts.create_group(session, handle, handle, access, turn.account.id, by_text=by_text, reserved=reserved)
    turn.did("group", group.id)
    return say(
        "{handle} is ready, {what}. Others: JOIN {handle!u}. You: #{handle} text",
        handle=group.handle,
        what=WHAT[access],
    )


@undoes("group")
def _unmake(session: Session, turn: CommandContext, effect: Effect) -> str:
    """Removes the group only while nobody else is in it or has written to it; then the name is free again."""
    group = accounts.by_id(session, effect.subject_id or 0)
    if group is None or group.state != "active":
        raise Refused(say("What you did last is undone already."))
    if group_owners.others(session, group.id, turn.account.id):
        raise Refused(
            say(
                "{name} stays, because others are in it or ask to join. To leave: LEAVE {handle!u}",
                name=group.name,
                handle=group.handle,
            )
        )
    if group_owners.written(session, group.id):
        raise Refused(say("{name} stays, because there are updates in it.", name=group.name))
    session.delete(group)
    session.flush()
    return say("{name} is removed again.", name=group.name)
