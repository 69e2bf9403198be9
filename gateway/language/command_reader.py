"""Reads texts that begin with a verb as a command, as a question to the writer, or as an error. grammar.py calls it."""

from collections.abc import Mapping

from gateway.i18n.phrases import Phrase, say, template
from gateway.language.call_answers import words_for_asker
from gateway.language.model.reading import Context, Item, Privacy, Reading, Resolver
from gateway.language.replies import after_few, which_of_digest
from gateway.language.usage.arguments import LONGEST_WORD, ArgumentWords, words
from gateway.language.usage.matching import ArgumentMismatch, Bound, Fit, TooFew, TooMany, account, fit
from gateway.language.usage.verbs import Verb
from gateway.language.words import time_zones
from gateway.language.words.normalize import bare_verb_of, first_token, fold_case, verb_of

Verbs = Mapping[str, Verb]


def command(text: str, verbs: Verbs, resolver: Resolver, context: Context) -> Reading | None:
    """Reads a cleaned text whose first token is a verb; None when the text is only the beginning of a sentence."""
    found = _verb(text, verbs)
    if found is None:
        return None
    verb, said, rest = found
    fitted = fit(verb, said, rest, resolver, verbs)
    if verb.marked and rest.all and fold_case(rest.all[0][:1]) != "#":
        return _unmarked(text, verb, said, rest, resolver)
    if isinstance(fitted, TooMany) or _sentence(verb, said, fitted):
        return None
    return _reading(text, verb, said, fitted, context)


def _unmarked(text: str, verb: Verb, said: str, rest: ArgumentWords, resolver: Resolver) -> Reading | None:
    """Asks about a command for a group that lacks the mark, as in "urgent dispatch gate 4 is closed"; any other word
    there makes it a sentence."""
    if len(rest) < 2 or len(rest.all[0]) > LONGEST_WORD:
        return None
    group = account(rest.all[0].rstrip(".,:;"), "GROUP", resolver).exact
    if len(group) != 1:
        return None
    reason = say("a group is written as #{handle} here", handle=group[0].handle)
    form = f"{said} #{group[0].handle} {rest.tail(1)}"
    return Reading("ask", (text,), "company", reason, verb.name, group, text, form=form)


def _sentence(verb: Verb, said: str, fitted: Fit) -> bool:
    """Whether several words follow an everyday verb and resemble nobody's name: "get better soon"."""
    unlike = isinstance(fitted, ArgumentMismatch) and fitted.full_name and not fitted.several and not fitted.near
    return unlike and verb.asks_about(said)


def forced_command(text: str, bare: str, verbs: Verbs, resolver: Resolver, context: Context) -> Reading:
    """Reads a text that begins with a slash: it is a command or an error, but never a post."""
    found = _verb(bare, verbs)
    if found is None:
        word = first_token(bare)[0][:20]
        return Reading(
            "error",
            reason=say('no command is called "{word}"; help lists them, a leading dot posts', word=word),
            text=text,
        )
    verb, said, rest = found
    fitted = fit(verb, said, rest, resolver, verbs)
    if isinstance(fitted, TooMany):
        return Reading("error", reason=say("too many words"), verb=verb.name, text=text, form=verb.form(said))
    return _reading(text, verb, said, fitted, context)


def _verb(text: str, verbs: Verbs) -> tuple[Verb, str, ArgumentWords] | None:
    """The verb that a text begins with, the word used for it, and the words after it. Two-word verbs (who got) win."""
    token, rest = first_token(text)
    if len(token) > LONGEST_WORD:
        return None
    if len(text) <= LONGEST_WORD and (alone := verbs.get(bare := bare_verb_of(text))) and not alone.private:
        return alone, bare, words("")
    word = verb_of(token)
    second, after = first_token(rest)
    pair = f"{word} {verb_of(second)}" if second and len(second) <= LONGEST_WORD else ""
    longer = verbs.get(pair)
    if longer is not None and (not after or any(form.pieces for form in longer.forms)):
        return longer, pair, words(after)
    verb = verbs.get(word)
    return (verb, word, words(rest)) if verb and not verb.private else None


def _reading(text: str, verb: Verb, said: str, fitted: Fit, context: Context) -> Reading:
    if isinstance(fitted, Bound):
        return _asked_first(text, verb, fitted) if verb.asks else _done(text, verb, fitted, context)
    if isinstance(fitted, ArgumentMismatch):
        return _unfit(text, verb, said, fitted, context)
    assert isinstance(fitted, TooFew)
    form = verb.form(said)
    return Reading("error", reason=_missing(said, form), verb=verb.name, text=text, form=form)


def _missing(said: str, form: str) -> Phrase:
    """What to ask of somebody who said a bare verb."""
    first = form.removeprefix(said).split()[0].strip("[]").split("[")[0]
    if first in ("NAME", "PERSON"):
        return say("{verb} whom?", verb=said)
    return say("{verb} which group?", verb=said) if first == "GROUP" else say("{verb} what?", verb=said)


def _asked_first(text: str, verb: Verb, bound: Bound) -> Reading:
    reason = f"others see what {verb.name} does, so it is asked first"
    return Reading("ask", bound.args, "company", reason, verb.name, bound.names, text)


def _done(text: str, verb: Verb, bound: Bound, context: Context) -> Reading:
    if verb.intent == "reply":
        return _reply(text, verb, bound, context)
    intent = verb.intent
    if intent == "follow" and len(bound.names) == 1 and bound.names[0].group == "closed":
        intent = "join_request"
    return Reading(intent, bound.args, "company", _does(verb, bound), verb.name, bound.names, text)


def _does(verb: Verb, bound: Bound) -> str:
    return " ".join(("the command", verb.name, *bound.args))[:120]


def _unfit(text: str, verb: Verb, said: str, unfit: ArgumentMismatch, context: Context) -> Reading:
    """For an unknown argument: an everyday verb asks, or is part of a private answer; a made-up verb is an error."""
    asks = verb.asks_about(said) or unfit.full_name
    few = (words_for_asker(text, context) or after_few(text, context)) if asks else None
    if few is not None:
        return few
    reason, form = _why(unfit), "" if unfit.several else verb.form(said)
    if unfit.several or asks:
        args, near = unfit.args, unfit.near
        return Reading("ask", args, "company", reason, verb.name, (), text, near, unknown=unfit.word, form=form)
    return Reading("error", unfit.args, "company", reason, verb.name, (), text, unfit.near, form=form)


def not_fitting(text: str, verb: Verb, said: str, kind: str, written: str) -> Reading:
    """Asks about a text whose verb takes an argument of this kind, which what is written there is not."""
    word = written[:30]
    reason = no_zone(word) if kind == "ZONE" else say(_NOT[kind], word=word)
    return Reading("ask", (text,), "company", reason, verb.name, (), text, unknown=word, form=verb.form(said))


NOBODY = template("no one is called {word}")
_NOT = {
    "ADDRESS": template("“{word}” is not a phone number or a mail address"),
    "CODE": template("“{word}” is not a code"),
    "TIME": template("“{word}” is not a time of day like 8am"),
    "FOR": template("“{word}” is not an end like 3h, till 9 or till monday"),
    "RANGE": template("“{word}” is not a range of hours like 22-7"),
    "NUMBER": template("“{word}” is not a number of texts a day, like 20"),
    "MINUTES": template("“{word}” is not a time like 5m or 1h"),
    "LANG": template("“{word}” is not a language"),
    "CHANNEL": template("“{word}” is not text, mail or web"),
    "WAY": template("“{word}” is not text, mail, digest, web, nothing or usual"),
    "ONOFF": template("“{word}” is not on or off"),
    "VERB": template("“{word}” is not a command"),
    "GROUP": template("“{word}” is not a group"),
    "#GROUP": template("“{word}” is not a group"),
    "PERSON": template("“{word}” is not a person"),
}


def _why(unfit: ArgumentMismatch) -> Phrase:
    word = unfit.word[:30]
    if unfit.several:
        return say("more than one is called {word}", word=word)
    if unfit.kind == "ZONE":
        return no_zone(word)
    return say(_NOT.get(unfit.kind, NOBODY), word=word)


def no_zone(written: str) -> Phrase:
    """Why words are no zone, and how to write the one that is meant, if any looks like it."""
    word, found = written[:30], time_zones.look_up(written).exact
    if found:
        place = time_zones.written_as(found[0])
        return say("“{word}” may be a zone or not. For the zone, write: zone {place}", word=word, place=place)
    if near := time_zones.nearest_written(written):
        return say("no zone is called {word}. Write: zone {place}", word=word, place=near)
    return say("no zone is called {word}", word=word)


def _reply(text: str, verb: Verb, bound: Bound, context: Context) -> Reading:
    """`r text` answers the last item delivered, `r k7 text` the item tagged k7; the reply is as private as the item."""
    *tag, body = bound.args
    if context.digest is not None and not tag:
        return which_of_digest(body, context.digest.message)
    item = context.tagged.get(tag[0]) if tag else context.last
    if item is None:
        missing = say("no item has the tag {tag}", tag=tag[0]) if tag else say("there is nothing to reply to yet")
        return Reading("error", bound.args, "direct", missing, verb.name, (), text)
    author = item.author
    reason = f"a reply to {author.handle}, as private as the item"
    args = (author.handle, body)
    return Reading("reply", args, _as_private_as(item), reason, verb.name, (author,), body, post=item.post)


def _as_private_as(item: Item) -> Privacy:
    if item.private or item.broadcast:
        return "direct"
    return "group" if item.group is not None else "company"
