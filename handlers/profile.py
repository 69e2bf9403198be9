"""What people set about themselves by text: their name, their language, whether updates are confirmed."""

from babel import Locale, UnknownLocaleError
from sqlalchemy.orm import Session

from gateway.actions import profile
from gateway.actions.model.confirmation import ConfirmationRequired
from gateway.i18n.phrases import Phrase, languages, say
from gateway.inbound.commands import CommandContext, QuestionRequired, command, confirms


@command("name FULLNAME", intent="setting", asks=True, about="my name")
def name(session: Session, context: CommandContext) -> str:
    wanted, changed = profile.rename(session, context.actor, context.reading.args[0])
    if changed:
        return say("You are called {name} now.", name=wanted)
    return say("You already are called {name}.", name=wanted)


@confirms("name")
def _ask_name(session: Session, context: CommandContext, needed: ConfirmationRequired) -> QuestionRequired:
    asked = say(
        "Should we call you {name}? Others see it. Reply OK for yes, POST to tell everyone your "
        "words instead, DROP to delete.",
        name=needed.facts["name"],
    )
    return QuestionRequired(asked, needed.gives, words=("OK", "POST", "DROP"))


@command("lang LANG", intent="setting", about="my language", spanish="idioma")
def lang(session: Session, context: CommandContext) -> str:
    """The answer is in the new language already."""
    tag = context.reading.args[0]
    if not profile.set_language(session, context.actor, tag):
        return say("Your language already is {language}.", language=own_name(tag))
    if tag.split("-")[0] in languages():
        return say("Answers come in {language} now.", language=own_name(tag))
    return say("{language} is noted. There is no translation yet, so answers stay in English.", language=own_name(tag))


def own_name(tag: str) -> str:
    """The name of a language in that language; its tag when that is not known."""
    try:
        return str(Locale.parse(tag.replace("-", "_")).get_display_name() or tag)
    except (UnknownLocaleError, ValueError):
        return tag


@command("ack on|off", intent="setting", about="answer each of my updates")
def ack(session: Session, context: CommandContext) -> str:
    on = context.reading.args[0] == "on"
    if profile.set_acknowledged(session, context.actor, on):
        return describe_acknowledged(on)
    return say("You already get an answer to each update.") if on else say("You get no answer to each update as it is.")


def describe_acknowledged(on: bool) -> Phrase:
    return say("You now get an answer to each update.") if on else say("You no longer get an answer to each update.")
