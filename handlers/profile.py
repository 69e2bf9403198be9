"""What people set about themselves by text: their name, their language, whether updates are confirmed."""

from babel import Locale, UnknownLocaleError
from sqlalchemy.orm import Session

from gateway.i18n.phrases import languages, say
from gateway.inbound.commands import CommandContext, ConfirmationRequired, command, undoes
from gateway.network.people import accounts
from gateway.store.tables import Account, Effect


@command("name FULLNAME", intent="setting", asks=True, about="my name")
def name(session: Session, turn: CommandContext) -> str:
    """Runs after an OK, because everyone sees the name."""
    wanted = accounts.clean_name(turn.reading.args[0])
    if wanted == turn.account.name:
        return say("You already are called {name}.", name=wanted)
    if "ok" not in turn.confirmed:
        asked = say(
            "Should we call you {name}? Others see it. Reply OK for yes, POST to tell everyone your "
            "words instead, DROP to delete.",
            name=wanted,
        )
        raise ConfirmationRequired(asked, "ok", words=("OK", "POST", "DROP"))
    turn.did("name", turn.account.id, before=turn.account.name)
    turn.account.name = wanted
    return say("You are called {name} now.", name=wanted)


@undoes("name")
def _former_name(session: Session, turn: CommandContext, effect: Effect) -> str:
    former = str(effect.detail["before"])
    session.get_one(Account, turn.account.id).name = former
    return say("You are called {name} again.", name=former)


@command("lang LANG", intent="setting", about="my language", spanish="idioma")
def lang(session: Session, turn: CommandContext) -> str:
    """The answer is in the new language already."""
    tag = turn.reading.args[0]
    if tag == turn.account.language:
        return say("Your language already is {language}.", language=own_name(tag))
    turn.did("lang", turn.account.id, before=turn.account.language)
    turn.account.language = tag
    if tag.split("-")[0] in languages():
        return say("Answers come in {language} now.", language=own_name(tag))
    return say("{language} is noted. There is no translation yet, so answers stay in English.", language=own_name(tag))


@undoes("lang")
def _former_language(session: Session, turn: CommandContext, effect: Effect) -> str:
    turn.account.language = str(effect.detail["before"])
    return say("Your language is {language} again.", language=own_name(turn.account.language))


def own_name(tag: str) -> str:
    """The name of a language in that language; its tag when that is not known."""
    try:
        return str(Locale.parse(tag.replace("-", "_")).get_display_name() or tag)
    except (UnknownLocaleError, ValueError):
        return tag


@command("ack on|off", intent="setting", about="answer each of my updates")
def ack(session: Session, turn: CommandContext) -> str:
    on = turn.reading.args[0] == "on"
    if on == turn.account.ack:
        return (
            say("You already get an answer to each update.")
            if on
            else say("You get no answer to each update as it is.")
        )
    turn.did("ack", turn.account.id, before=turn.account.ack)
    turn.account.ack = on
    return _confirms(on)


@undoes("ack")
def _as_before(session: Session, turn: CommandContext, effect: Effect) -> str:
    turn.account.ack = bool(effect.detail["before"])
    return _confirms(turn.account.ack)


def _confirms(on: bool) -> str:
    return say("You now get an answer to each update.") if on else say("You no longer get an answer to each update.")
