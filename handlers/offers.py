"""`connect`: whether others are pointed to what one wrote, and one is offered people to ask. And the answer to such an
offer."""

from sqlalchemy.orm import Session

from gateway.actions import offers
from gateway.i18n.phrases import Phrase, joined, listed, say
from gateway.inbound.commands import CommandContext, command, question
from gateway.network.conversation.conversations import AskedQuestion
from gateway.network.conversation.offers import KIND
from gateway.network.people import discoverability


@command("connect", "connect on|off", intent="setting", about="be found by what I wrote, and be offered whom to ask")
def connect(session: Session, context: CommandContext) -> str:
    if not context.reading.args:
        return describe_connecting(discoverability.connects(session, context.account.id))
    wanted = context.reading.args[0] == "on"
    offers.set_connecting(session, context.actor, wanted)
    return describe_connecting(wanted)


def describe_connecting(wanted: bool) -> Phrase:
    if wanted:
        pointed = say("Whoever asks about what you wrote is pointed to you, and you are offered people to ask.")
        return joined([pointed, say("To end both: CONNECT OFF")])
    nobody = say("Nobody is pointed to your updates, and nobody is offered to you.")
    return joined([nobody, say("What you wrote stays. To change that: CONNECT ON")])


@question(KIND)
def _ask_offered(session: Session, context: CommandContext, asked: AskedQuestion, word: str) -> Phrase:
    done = offers.ask_offered(session, context.actor, asked.about["post"])
    if not done.names:
        return say("None of them can be asked any more. Nothing was sent.")
    return joined([say("Asked {names} privately.", names=listed(done.names)), say("To take it back: UNDO")])
