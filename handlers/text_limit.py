"""`limit`: how many texts come on a day. Further updates wait for a digest."""

from sqlalchemy.orm import Session

from gateway.actions.preferences import text_limit
from gateway.actions.preferences.text_limit import LimitState
from gateway.i18n.phrases import Phrase, count, joined, say
from gateway.inbound.commands import CommandContext, command
from handlers.digests import describe_next, describe_released

TO_END = say("To end it: LIMIT OFF")


@command(
    "limit [NUMBER]",
    "limit off",
    about="how many texts come on a day; alone, mine",
    spanish="límite, limite",
)
def limit(session: Session, context: CommandContext) -> str:
    said = context.reading.args[0] if context.reading.args else None
    if said is None:
        return _shown(text_limit.state_of(session, context.actor))
    if said == "off":
        return _ended(text_limit.set_limit(session, context.actor, None))
    return _set(text_limit.set_limit(session, context.actor, int(said)))


def _set(state: LimitState) -> Phrase:
    if released := describe_released(state.digest, state.woken):
        return joined([describe_limit(state.most), released, TO_END])
    waits = say("Then updates wait for your digest; private words, mentions and urgent calls still come.")
    return joined([describe_limit(state.most), waits, TO_END])


def describe_limit(most: int | None) -> Phrase:
    if most is None:
        return say("Your texts have no limit.")
    return count("At most {count} text a day.", "At most {count} texts a day.", most)


def _ended(state: LimitState) -> Phrase:
    if state.was is None:
        return joined([describe_limit(None), say("To get at most 20 texts a day: LIMIT 20")])
    return joined([describe_limit(None), describe_released(state.digest, state.woken)])


def _shown(state: LimitState) -> Phrase:
    if state.most is None:
        return joined([describe_limit(None), say("To get at most 20 texts a day: LIMIT 20")])
    came = count("{count} came today.", "{count} came today.", state.today)
    return joined([describe_limit(state.most), came, describe_next(state.digest), TO_END])
