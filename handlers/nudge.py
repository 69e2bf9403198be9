"""Asking somebody for an update."""

from sqlalchemy.orm import Session

from gateway.actions import nudging
from gateway.i18n.phrases import say
from gateway.inbound.commands import CommandContext, command


@command("nudge NAME", about="ask for an update", spanish="preguntar")
def nudge(session: Session, context: CommandContext) -> str:
    if nudging.nudge(session, context.actor, context.names[0]):
        return say("Nudged {name}.", name=context.names[0].name)
    return say("You already nudged {name} today.", name=context.names[0].name)
