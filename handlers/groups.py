"""Making groups by text. Others see a group's name, so it is asked before it is made."""

from sqlalchemy.orm import Session

from gateway.commands import Turn, Unconfirmed, command
from gateway.language.phrases import say
from gateway.network import accounts

WHAT = {
    "open": say("open: anyone joins and posts"),
    "closed": say("closed: members post, you let people in"),
    "broadcast": say("broadcast: you post, anyone listens"),
}
ACCESS = {"open": say("open"), "closed": say("closed"), "broadcast": say("broadcast")}


@command("new GROUP [open, closed, broadcast]", intent="new", asks=True, about="make a group")
def new(session: Session, turn: Turn) -> str:
    """Runs after OK."""
    handle, access = turn.reading.args[0], turn.reading.args[1] if len(turn.reading.args) > 1 else "open"
    reserved = set(turn.world.verbs)
    if "ok" not in turn.confirmed:
        accounts.check_handle(session, handle, reserved)
        asked = say(
            "Make {access} group {handle}? OK makes it. POST makes it an update, DROP forgets.",
            access=ACCESS[access],
            handle=handle,
        )
        raise Unconfirmed(asked, "ok", words=("OK", "POST", "DROP"))
    by_text = turn.address.channel == "sms"
    group = accounts.create_group(session, handle, handle, access, turn.account.id, by_text=by_text, reserved=reserved)
    turn.did("group", group.id)
    return say(
        "{handle} is there, {what}. Others: join {handle}. You: #{handle} text", handle=group.handle, what=WHAT[access]
    )
