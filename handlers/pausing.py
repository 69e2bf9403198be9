"""`off` and `on`: getting nothing for now, and getting all of it again. The follows stay."""

from datetime import datetime
from typing import Final

from sqlalchemy.orm import Session

from gateway.actions import pausing
from gateway.i18n.phrases import Phrase, count, joined, say
from gateway.inbound.commands import CommandContext, command
from gateway.language.model.reading import NamedAccount
from handlers.daily_mail import DAILY, daily
from handlers.follows import ends, local
from handlers.mutes import tell_lifted

ON: Final = {"sms": say("Texts are on."), "email": say("Mails are on."), "push": say("Pushes are on.")}
OFF: Final = {"sms": say("Texts are off."), "email": say("Mails are off."), "push": say("Pushes are off.")}


@command(
    "off [NAME] [for]",
    "off [for]",
    "off daily",
    about="get nothing for now, from all or from one; your follows stay",
    spanish="apagar, pausar",
)
def off(session: Session, context: CommandContext) -> str:
    if context.reading.args == DAILY:
        return daily(session, context, False)
    until = _until(context)
    if context.names:
        return _off_source(session, context, context.names[0], until)
    pausing.turn_off(session, context.actor, context.address, until)
    if until is None:
        stays = say("Answers and urgent calls still come, and your follows stay. To turn them on again: ON")
        return joined([OFF[context.address.channel], stays])
    return joined([_off_till(context, until), say("What comes is kept for you till then. To turn them on again: ON")])


def _off_till(context: CommandContext, until: datetime) -> str:
    if context.address.channel == "sms":
        return say("Texts are off till {time}.", time=local(context, until))
    return say("Mails are off till {time}.", time=local(context, until))


def describe_waited(number: int) -> Phrase | str:
    if not number:
        return ""
    return count("{count} update waited and comes now.", "{count} updates waited and come now.", number)


def _off_source(session: Session, context: CommandContext, source: NamedAccount, until: datetime | None) -> str:
    pausing.turn_off_source(session, context.actor, source, until)
    stays = say("You still follow. To turn it on again: ON {handle!u}", handle=source.handle)
    if until is None:
        return joined([say("{name} is off.", name=source.name), stays])
    return joined([say("{name} is off till {time}.", name=source.name, time=local(context, until)), stays])


def _until(context: CommandContext) -> datetime | None:
    rest = context.reading.args[1:] if context.names else context.reading.args
    return ends(context, rest[0]) if rest else None


@command(
    "on [NAME]",
    "on daily",
    about="get all of it again, or just one; ends a mute or a block",
    spanish="encender, reanudar",
)
def on(session: Session, context: CommandContext) -> str:
    if context.reading.args == DAILY:
        return daily(session, context, True)
    if not context.names:
        waited = pausing.turn_on(session, context.actor, context.address)
        return joined([ON[context.address.channel], describe_waited(waited)])
    lifted = pausing.turn_on_source(session, context.actor, context.names[0])
    return tell_lifted(lifted) if lifted else say("{name} is on.", name=context.names[0].name)
