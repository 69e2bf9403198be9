"""`unseen`: after how long what was not seen on the web goes to the phone."""

from sqlalchemy.orm import Session

from gateway.actions.preferences import unseen as setting
from gateway.actions.preferences.unseen import UnseenState
from gateway.i18n.phrases import Phrase, count, joined, say
from gateway.inbound.commands import CommandContext, command


@command(
    "unseen [MINUTES]",
    "unseen off",
    about="what I have not seen on the web goes to my phone after so long",
    spanish="no visto, novisto",
)
def unseen(session: Session, context: CommandContext) -> str:
    said = context.reading.args[0] if context.reading.args else None
    if said is None:
        return _shown(setting.state_of(session, context.actor))
    if said == "off":
        return _ended(setting.set_unseen(session, context.actor, None))
    return _set(setting.set_unseen(session, context.actor, int(said)))


def describe_unseen(minutes: int | None) -> Phrase:
    if minutes is None:
        return say("What you have not seen on the web stays there.")
    return count(
        "What is written to you and not seen on the web goes to your phone after {count} minute.",
        "What is written to you and not seen on the web goes to your phone after {count} minutes.",
        minutes,
    )


def _set(state: UnseenState) -> Phrase:
    so = say("It was so already.") if state.already else ""
    return joined([so, describe_unseen(state.minutes), _next(state)])


def _next(state: UnseenState) -> Phrase:
    """It begins to matter when something that is written to them comes by push or on the web alone."""
    if state.quiet:
        return say("To end it: UNSEEN OFF")
    return say("So far it comes by text at once: PREFER WEB")


def _ended(state: UnseenState) -> Phrase:
    so = say("It was so already.") if state.already else ""
    return joined([so, describe_unseen(None), say("To get it on your phone: UNSEEN 5M")])


def _shown(state: UnseenState) -> Phrase:
    if state.minutes is None:
        return joined([describe_unseen(None), say("To get it on your phone: UNSEEN 5M")])
    return joined([describe_unseen(state.minutes), _next(state)])
