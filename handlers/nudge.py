"""Asking somebody for an update: a notice from us, in their language, once a day for each pair."""

from sqlalchemy.orm import Session

from gateway.errors import Refused
from gateway.i18n.phrases import joined, say
from gateway.inbound.commands import CommandContext, command
from gateway.network.conversation import notices
from gateway.network.follows import mutes, nudges
from gateway.network.follows.reachability import Unreached
from handlers.private_messages import must_reach, not_reached


@command("nudge NAME", about="ask for an update", spanish="preguntar")
def nudge(session: Session, turn: CommandContext) -> str:
    """When the other has muted the asker nothing is sent, and the answer is that of somebody whom nothing reaches."""
    person = turn.names[0]
    if person.kind == "group":
        raise Refused(
            say("You can only nudge people. To ask {name}: #{handle} text", name=person.name, handle=person.handle)
        )
    if person.id == turn.account.id:
        raise Refused(say("That is you. Just text what you are doing."))
    must_reach(session, turn.account, person)
    if mutes.deaf_to(session, turn.account.id, [person.id]):
        raise Refused(joined([say("Not sent."), not_reached([Unreached(person.name, None)], turn.account.timezone)]))
    if not nudges.record(session, turn.account.id, person.id):
        return say("You already nudged {name} today.", name=person.name)
    words = say("{name} would like to hear what you are doing. Just text it.", name=turn.account.name)
    turn.rings |= notices.tell(session, [person.id], words, turn.inbound_id, turn.account.id)
    turn.did("nudge", person.id)
    return say("Nudged {name}.", name=person.name)
