"""Verbs that are known and not implemented yet: the answer says so, and what was texted is never posted."""

from sqlalchemy.orm import Session

from gateway.i18n.phrases import say, template
from gateway.inbound.commands import CommandContext, command

NOT_YET = template("{verb} is not available yet. Nothing was changed or posted. To see what is: ?")


@command("quiet RANGE", "quiet [for]", intent="setting", ready=False, about="no texts at night")
@command("track", 'track [WORD | "a phrase"]', intent="track", ready=False, about="any update with a word")
@command("untrack", 'untrack [WORD | "a phrase"]', intent="untrack", ready=False, about="no longer")
@command("prefer CHANNEL", intent="setting", ready=False, about="texts or mails")
@command("digest TIME", "digest on|off", intent="setting", ready=False, about="one summary a day")
def not_yet(session: Session, turn: CommandContext) -> str:
    """Says that it is not implemented; the words are kept from everybody but the writer."""
    verb = turn.reading.verb or turn.reading.intent
    return say(NOT_YET, verb=verb)
