"""Making groups by text."""

from sqlalchemy.orm import Session

from gateway.actions.groups import group_creation
from gateway.actions.model.confirmation import ConfirmationRequired
from gateway.i18n.phrases import say
from gateway.inbound.commands import CommandContext, QuestionRequired, command, confirms

WHAT = {
    "open": say("open: anyone joins and posts"),
    "closed": say("closed: members post, you let people in"),
    "broadcast": say("broadcast: you post, anyone listens"),
}
ACCESS = {"open": say("open"), "closed": say("closed"), "broadcast": say("broadcast")}


@command("new GROUP [open, closed, broadcast]", intent="new", asks=True, about="make a group", spanish="nuevo, crear")
def new(session: Session, context: CommandContext) -> str:
    handle, access = context.reading.args[0], context.reading.args[1] if len(context.reading.args) > 1 else "open"
    group = group_creation.create_group(session, context.actor, handle, access, set(context.registry.verbs))
    return say(
        "{handle} is ready, {what}. Others: JOIN {handle!u}. You: #{handle} text",
        handle=group.handle,
        what=WHAT[access],
    )


@confirms("new_group")
def _ask(session: Session, context: CommandContext, needed: ConfirmationRequired) -> QuestionRequired:
    asked = say(
        "Make {access} group {handle}? Reply OK to make it, POST to tell everyone your words instead, DROP to delete.",
        access=ACCESS[needed.facts["access"]],
        handle=needed.facts["handle"],
    )
    return QuestionRequired(asked, needed.gives, words=("OK", "POST", "DROP"))
