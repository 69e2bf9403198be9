"""`status`: the line beside one's name, like in the workshop till 4. Others see it with `whois`, and on the web."""

from datetime import datetime
from typing import Final

from sqlalchemy.orm import Session

from gateway.actions import profile
from gateway.actions.lookups.current_status import status_now
from gateway.actions.model.confirmation import OK
from gateway.actions.profile import StatusChange
from gateway.i18n.phrases import Phrase, joined, say
from gateway.inbound.commands import CommandContext, QuestionRequired, command
from gateway.language.everyday_commands import without_courtesies
from gateway.language.words.normalize import first_token
from gateway.network.people.statuses import SetStatus
from handlers.follows import ends, local_in

TO_END: Final = say("To end it: STATUS OFF")


@command(
    "status [LINE] [for]",
    "status off",
    about="the line beside my name, like in the workshop till 4; alone, mine",
    spanish="estado",
)
def status(session: Session, context: CommandContext) -> str:
    args = context.reading.args
    if not args:
        return _shown(context, status_now(session, context.actor))
    if without_courtesies(args[0]).casefold() == "off":
        return _ended(profile.end_status(session, context.actor))
    until = ends(context, args[1]) if len(args) > 1 else None
    if OK not in context.actor.confirmed and not _is_plain(context, until):
        raise _question(context, args[0], until)
    return _tell(context, profile.set_status(session, context.actor, args[0], until))


def _is_plain(context: CommandContext, until: datetime | None) -> bool:
    """Whether it can only be meant as a status: it has an end, or a slash before it. "Status: the server is down" may
    be an update, which would be lost."""
    first, _ = first_token(context.text)
    return first.startswith(("/", "／")) or (until is not None and first[-1:].isalpha())


def _question(context: CommandContext, words: str, until: datetime | None) -> QuestionRequired:
    asked = say(
        "{status} Reply OK for yes, POST to tell everyone your words instead, DROP to delete.",
        status=_asked(context, words, until),
    )
    return QuestionRequired(asked, {OK}, words=("OK", "POST", "DROP"))


def _asked(context: CommandContext, words: str, until: datetime | None) -> Phrase:
    if until is None:
        return say('Should "{words}" be the line beside your name?', words=words)
    time = local_in(until, context.account.zone_now)
    return say('Should "{words}" be the line beside your name till {time}?', words=words, time=time)


def _tell(context: CommandContext, done: StatusChange) -> Phrase:
    assert done.status
    timezone = context.account.zone_now
    if done.already:
        return joined([say("That is your status already."), describe_status(done.status, timezone), TO_END])
    return joined([describe_status(done.status, timezone), TO_END])


def _shown(context: CommandContext, now: SetStatus | None) -> Phrase:
    if now is None:
        return joined([say("You have no status."), say("To set one: STATUS IN THE WORKSHOP TILL 4")])
    return joined([describe_status(now, context.account.zone_now), TO_END])


def _ended(done: StatusChange) -> Phrase:
    if done.already:
        return joined([say("You have no status."), say("Nothing was changed.")])
    return say("Your status is off.")


def describe_status(status: SetStatus | None, timezone: str) -> Phrase:
    """As a sentence: Your status: in the workshop, till 16:00."""
    if status is None:
        return say("Your status is off.")
    if status.until is None:
        return say("Your status: {words}.", words=status.words)
    return say("Your status: {words}, till {time}.", words=status.words, time=local_in(status.until, timezone))
