"""`off` and `on`: getting nothing for now, and getting all of it again. The follows stay."""

from datetime import datetime
from typing import Final

from sqlalchemy.orm import Session

from gateway.actions import receiving
from gateway.i18n.phrases import joined, say
from gateway.inbound.commands import CommandContext, command
from gateway.language.model.reading import NamedAccount
from handlers.daily_mail import DAILY, daily
from handlers.follows import ends, local
from handlers.mutes import tell_lifted

ON: Final = {"sms": say("Texts are on."), "email": say("Mails are on.")}
OFF: Final = {"sms": say("Texts are off."), "email": say("Mails are off.")}


@command(
    "off [NAME] [for]",
    "off [for]",
    "off daily",
    about="get nothing for now, from all or from one; your follows stay",
    spanish="apagar, pausar",
)
def off(session: Session, turn: CommandContext) -> str:
    if turn.reading.args == DAILY:
        return daily(session, turn, False)
    until = _until(turn)
    if turn.names:
        return _off_source(session, turn, turn.names[0], until)
    receiving.turn_off(session, turn.actor, turn.address, until)
    return joined(
        [_off_till(turn, until), say("You still get answers, and your follows stay. To turn them on again: ON")]
    )


def _off_till(turn: CommandContext, until: datetime | None) -> str:
    if until is None:
        return OFF[turn.address.channel]
    if turn.address.channel == "sms":
        return say("Texts are off till {time}.", time=local(turn, until))
    return say("Mails are off till {time}.", time=local(turn, until))


def _off_source(session: Session, turn: CommandContext, source: NamedAccount, until: datetime | None) -> str:
    receiving.turn_off_source(session, turn.actor, source, until)
    stays = say("You still follow. To turn it on again: ON {handle!u}", handle=source.handle)
    if until is None:
        return joined([say("{name} is off.", name=source.name), stays])
    return joined([say("{name} is off till {time}.", name=source.name, time=local(turn, until)), stays])


def _until(turn: CommandContext) -> datetime | None:
    rest = turn.reading.args[1:] if turn.names else turn.reading.args
    return ends(turn, rest[0]) if rest else None


@command(
    "on [NAME]",
    "on daily",
    about="get all of it again, or just one; ends a mute or a block",
    spanish="encender, reanudar",
)
def on(session: Session, turn: CommandContext) -> str:
    if turn.reading.args == DAILY:
        return daily(session, turn, True)
    if not turn.names:
        receiving.turn_on(session, turn.actor, turn.address)
        return ON[turn.address.channel]
    lifted = receiving.turn_on_source(session, turn.actor, turn.names[0])
    return tell_lifted(lifted) if lifted else say("{name} is on.", name=turn.names[0].name)
