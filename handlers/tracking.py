"""Tracking a word or a phrase in whatever everyone may read."""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from gateway.actions.lookups import accounts_and_posts
from gateway.actions.preferences import tracking
from gateway.actions.preferences.tracking import Tracked
from gateway.channels import EMAIL, SMS
from gateway.i18n.phrases import Phrase, count, joined, languages, listed, say, translated
from gateway.inbound.commands import ONE_TEXT, CommandContext, command
from gateway.language.track_phrases import quoted
from gateway.network.receipts.receipt_text import shorten
from handlers.follows import BY, BY_WAY


@command(
    "track",
    'track [WORD | "a phrase"]',
    about="get any update with a word in it; alone, what I track",
    spanish="rastrear",
)
def track(session: Session, context: CommandContext) -> str:
    if not context.reading.args:
        return _tracked(session, context)
    done = tracking.track(session, context.actor, context.reading.args[0])
    by = BY_WAY[done.way] if done.way else BY[SMS if done.by_text else EMAIL]
    how = say("{by}, {amount}.", by=by, amount=_amount(done.per_week))
    return joined([_opening(done), how, say("To stop: UNTRACK {phrase!u}", phrase=quoted(done.phrase))])


def _opening(done: Tracked) -> Phrase:
    if done.state == "already":
        return say('You track "{phrase}" already:', phrase=done.phrase)
    return say('You track "{phrase}":', phrase=done.phrase)


def _amount(per_week: float) -> Phrase:
    if per_week < 1.5:
        return say("one a week or less")
    if per_week < 7:
        return count("about {count} a week", "about {count} a week", round(per_week))
    return count("about {count} a day", "about {count} a day", max(1, round(per_week / 7)))


@command("untrack", 'untrack [WORD | "a phrase"]', about="no longer get updates with that word")
def untrack(session: Session, context: CommandContext) -> str:
    if not context.reading.args:
        return _tracked(session, context)
    done = tracking.untrack(session, context.actor, context.reading.args[0])
    if done.state == "none":
        return say('You do not track "{phrase}". To see what you track: TRACK', phrase=shorten(done.phrase))
    return say(
        'You no longer track "{phrase}". To track it again: TRACK {again!u}',
        phrase=done.phrase,
        again=quoted(done.phrase),
    )


def _tracked(session: Session, context: CommandContext) -> Phrase:
    """All of them by mail; by text as many as fit in one."""
    found = [quoted(phrase) for phrase in accounts_and_posts.tracked(session, context.actor)]
    if not found:
        return say("You track nothing yet. To get every update with a word in it: TRACK WORD")
    shown = (_first(found, number) for number in range(len(found), 0, -1))
    return next(each for each in shown if context.address.channel == EMAIL or _fits(each))


def _first(phrases: Sequence[str], number: int) -> Phrase:
    more = len(phrases) - number
    names = [*phrases[:number], *([count("{count} more", "{count} more", more)] if more else [])]
    return say("You track {names}. To stop one: UNTRACK WORD", names=listed(names))


def _fits(words: Phrase) -> bool:
    return all(len(translated(words, language)) <= ONE_TEXT for language in languages())
