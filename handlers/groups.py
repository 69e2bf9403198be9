"""Making groups by text. Others see a group's name, so it is asked before it is made."""

from sqlalchemy.orm import Session

from gateway.commands import Turn, command
from gateway.network import accounts

WHAT = {
    "open": "anyone joins and posts",
    "closed": "members post, you let people in",
    "broadcast": "you post, anyone listens",
}


@command("new GROUP [open, closed, broadcast]", intent="new", asks=True, about="make a group")
def new(session: Session, turn: Turn) -> str:
    """Runs after OK."""
    handle, access = wanted(turn.reading.args)
    reserved = set(turn.world.verbs)
    by_text = turn.address.channel == "sms"
    group = accounts.create_group(session, handle, handle, access, turn.account.id, by_text=by_text, reserved=reserved)
    turn.did("group", group.id)
    return f"{group.handle} is there, {access}: {WHAT[access]}. Others: join {group.handle}. You: #{group.handle} text"


def wanted(args: tuple[str, ...]) -> tuple[str, str]:
    return args[0], args[1] if len(args) > 1 else "open"
