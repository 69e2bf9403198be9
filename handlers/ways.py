"""`prefer`: mails, pushes or the web instead of texts, and the way of all that has one cause, or of one follow, tag or
tracked phrase."""

from typing import Final

from sqlalchemy.orm import Session

from gateway.actions.lookups.way_table import WayRow, WayTable, way_table
from gateway.actions.preferences import ways
from gateway.actions.preferences.ways import WaySet
from gateway.attention.causes import DeliveryCause as Cause
from gateway.channels import EMAIL
from gateway.i18n.phrases import Phrase, count, joined, languages, listed, say, translated
from gateway.inbound.commands import ONE_TEXT, CommandContext, command
from gateway.language.track_phrases import quoted, track_phrase
from gateway.language.usage.way_words import CAUSE_WORDS, preferred_of, way_of
from handlers.follows import BY_WAY, group_called

_CALLED: Final = {
    Cause.PRIVATE: say("private updates"),
    Cause.MENTION: say("mentions"),
    Cause.REPLY: say("replies"),
    Cause.TRACKED: say("tracked words"),
    Cause.GROUP: say("groups"),
    Cause.PERSON: say("people"),
    Cause.TAG: say("tags"),
    Cause.BROADCAST: say("broadcast groups"),
}

_INSTEAD: Final = {
    "mail": say("by mail, because you prefer mails"),
    "push": say("by push, because you prefer pushes"),
    "web": say("on the web alone, because you prefer it"),
}
_OPENING: Final = {
    "mail": say("Mails instead of texts."),
    "push": say("Pushes instead of texts."),
    "web": say("The web instead of texts."),
}
_TO_END: Final = say("By text come only answers, codes and urgent calls. To end it: PREFER TEXT")


# From now on; it was so already.
_PREFERRED: Final = {
    "mail": (say("Mails instead of texts from now on."), say("Mails come instead of texts already.")),
    "push": (say("Pushes instead of texts from now on."), say("Pushes come instead of texts already.")),
    "web": (
        say("What came by text is on the web alone from now on."),
        say("What came by text is on the web alone already."),
    ),
}


@command(
    "prefer [CHANNEL]",
    'prefer WAY for NAME|CAUSE|#TAG|"WORDS"',
    intent="setting",
    about="mails, pushes or the web instead of texts, or how something comes; alone, mine",
    spanish="prefiero, preferir",
)
def prefer(session: Session, context: CommandContext) -> str:
    args = context.reading.args
    if not args:
        return _shown(session, context)
    if len(args) > 1:
        return _set_way(session, context, way_of(args[0]), args[-1])
    done = ways.prefer(session, context.actor, preferred_of(args[0]))
    if done.way is None:
        return _texts(session, context, done)
    now, already = _PREFERRED[done.way]
    return joined([already if done.already else now, _TO_END])


def _texts(session: Session, context: CommandContext, done: WaySet) -> Phrase:
    if done.already:
        return say("Texts come already where you asked for them. To get mails instead: PREFER MAIL")
    rows = way_table(session, context.actor).rows
    number = sum(row.way == "text" for row in rows if row.called)
    opening = count(
        "Texts come again where you asked for them, from {count} follow.",
        "Texts come again where you asked for them, from {count} follows.",
        number,
    )
    return joined([opening, say("To end it: PREFER MAIL")])


def _set_way(session: Session, context: CommandContext, way: str | None, words: str) -> Phrase:
    if not context.names and words in CAUSE_WORDS:
        cause = Cause[CAUSE_WORDS[words].upper()]
        done = ways.set_cause_way(session, context.actor, cause, way)
        return _told(session, context, done, _CALLED[cause], words)
    source = context.names[0] if context.names else group_called(session, words)
    if source is not None:
        done = ways.set_source_way(session, context.actor, source.id, way)
        return _told(session, context, done, source.name, source.handle)
    if words.startswith("#"):
        return _told(session, context, ways.set_tag_way(session, context.actor, words, way), words, words)
    phrase = quoted(track_phrase(words).shown)
    return _told(session, context, ways.set_phrase_way(session, context.actor, words, way), phrase, phrase)


def _told(session: Session, context: CommandContext, done: WaySet, name: Phrase | str, words: str) -> Phrase:
    if done.way is None:
        return say("From now on as usual: {name}. To see all you chose: PREFER", name=name)
    how = BY_WAY[done.way]
    instead = way_table(session, context.actor).preferred if done.way == "text" else None
    if instead:
        how = _INSTEAD[instead]
    return say("From now on {how}: {name}. To end it: PREFER USUAL FOR {form!u}", how=how, name=name, form=words)


def _shown(session: Session, context: CommandContext) -> Phrase:
    """All of it by mail; by text as much as fits in one."""
    table = way_table(session, context.actor)
    if not table.chosen:
        return _only_preferred(table)
    shown = (_first(table, number) for number in range(len(table.chosen), 0, -1))
    return next(each for each in shown if context.address.channel == EMAIL or _fits(each))


def _only_preferred(table: WayTable) -> Phrase:
    if table.preferred == "mail":
        return say("You get mails instead of texts. To get texts again: PREFER TEXT")
    if table.preferred == "push":
        return say("You get pushes instead of texts. To get texts again: PREFER TEXT")
    if table.preferred == "web":
        return say("What came by text is on the web alone. To get texts again: PREFER TEXT")
    return say("Everything comes as you asked for it. To get mails instead of texts: PREFER MAIL")


def _first(table: WayTable, number: int) -> Phrase:
    more = len(table.chosen) - number
    rest = [count("{count} more", "{count} more", more)] if more else []
    chosen = listed([*map(_row, table.chosen[:number]), *rest])
    opening = _OPENING.get(table.preferred or "", "")
    return joined([opening, say("You chose: {chosen}.", chosen=chosen), say("To change it: PREFER MAIL FOR NAME")])


def _row(row: WayRow) -> Phrase:
    return say("{name} {how}", name=row.called or _CALLED[row.cause], how=BY_WAY[row.way or "text"])


def _fits(words: Phrase) -> bool:
    return all(len(translated(words, language)) <= ONE_TEXT for language in languages())


def describe_way(name: str, way: str | None) -> Phrase:
    """How something comes after `undo`."""
    if way is None:
        return say("As usual again: {name}.", name=name)
    return say("Again {how}: {name}.", how=BY_WAY[way], name=name)


def describe_cause_way(cause: int, way: str | None) -> Phrase:
    name = _CALLED[Cause(cause)]
    if way is None:
        return say("As usual again: {name}.", name=name)
    return say("Again {how}: {name}.", how=BY_WAY[way], name=name)
