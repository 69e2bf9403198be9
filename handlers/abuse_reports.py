"""Reports to the operators about the last item or about somebody."""

from sqlalchemy.orm import Session

from gateway.actions import reporting
from gateway.i18n.phrases import say
from gateway.i18n.refusals import refusal
from gateway.inbound.commands import CommandContext, command
from gateway.network.posts import timelines

KNOWN = say("You already reported that. The people who run Critter will look at it.")


@command("report [NAME]", about="report it to the people who run Critter", spanish="denunciar")
def report(session: Session, context: CommandContext) -> str:
    return _somebody(session, context) if context.names else _last_item(session, context)


def _somebody(session: Session, context: CommandContext) -> str:
    if not reporting.report_account(session, context.actor, context.names[0]):
        return KNOWN
    name = context.names[0].name
    return say("Reported. The people who run Critter will look at it. {name} is not told.", name=name)


def _last_item(session: Session, context: CommandContext) -> str:
    items = timelines.list_received(session, context.address.id, 1)
    if not items:
        raise refusal("nothing_to_report")
    author = items[0].author
    if not reporting.report_post(session, context.actor, items[0].post.id):
        return KNOWN
    return say(
        "{name}'s last update is reported. The people who run Critter will look at it. Nobody else is told.",
        name=author.name,
    )
