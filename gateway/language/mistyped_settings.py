"""Settings that are nearly written as they must be: "quiet off please", "digset 8am", "off for the weekend".

A text that only a verb of these begins, and that otherwise is of the words of that setting alone (hours and days, in
digits or words), is never published without asking. grammar.py calls it for texts that are no command."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from gateway.i18n.phrases import say
from gateway.language.command_reader import command, not_fitting
from gateway.language.everyday_commands import without_courtesies
from gateway.language.model.reading import Context, Reading, Resolver
from gateway.language.usage.arguments import LONGEST_WORD
from gateway.language.usage.verbs import Verb
from gateway.language.words.normalize import first_token, fold_case, verb_of
from gateway.language.words.setting_phrases import in_other_words, track_in_other_words
from gateway.language.words.setting_words import is_about_setting
from gateway.language.words.time_tokens import tokens_of
from gateway.language.words.typing_errors import intended_verb

Verbs = Mapping[str, Verb]
LONGEST: Final = 60  # characters; a longer text is a sentence
# What these commands take.
_KINDS: Final = {
    "quiet": "RANGE", "digest": "TIME", "off": "FOR", "limit": "NUMBER", "zone": "ZONE", "unseen": "MINUTES",
}  # fmt: skip
_WORDED: Final = {**_KINDS, "prefer": "CHANNEL"}
_POLITE_TOO: Final = frozenset([*_WORDED, "on", "connect", "track", "untrack"])
# A verb as short as "off" is one letter away from many words.
_TOLD_APART: Final = frozenset(["quiet", "digest", "limit", "zone", "prefer", "connect", "unseen"])
_MEANT: Final = {"quite": "quiet"}  # an ordinary word, but hours follow it
_FIRST, _LAST = frozenset("qdsrlzpc"), frozenset("toner")  # of these in English and Spanish
_SWITCHES: Final = frozenset(["on", "off", "now"])


def mistyped_setting(text: str, verbs: Verbs, resolver: Resolver, context: Context) -> Reading | None:
    """A courtesy changes nothing, a mistyped verb is asked about, and so are hours that are none."""
    if len(text) > LONGEST or "\n" in text:
        return None
    bare = _without_courtesies(text)
    word, rest = _split(bare, verbs)
    verb = verbs.get(word)
    if verb is None:
        other = in_other_words(bare)
        meant = other and did_you_mean(text, other, verbs, resolver, context)
        return meant or _mistyped(text, word, rest, verbs, resolver, context)
    if bare != text and verb.name in _POLITE_TOO and (found := command(bare, verbs, resolver, context)):
        return replace(found, text=text)
    if tracked := track_in_other_words(verb.name, rest):
        return did_you_mean(text, tracked, verbs, resolver, context)
    if is_about_setting(verb.name, rest):
        kind = _WORDED.get(verb.name)
        return not_fitting(text, verb, word, kind, rest) if kind else did_you_mean(text, word, verbs, resolver, context)
    if verb.name in _KINDS and (_is_time(rest) or _is_switch(rest)):
        return not_fitting(text, verb, word, _KINDS[verb.name], rest)
    return None


def _split(text: str, verbs: Verbs) -> tuple[str, str]:
    """The verb, which may have two words ("no visto"), and what follows it."""
    token, rest = first_token(text)
    word = verb_of(token[:LONGEST_WORD])
    second, after = first_token(rest)
    pair = f"{word} {verb_of(second[:LONGEST_WORD])}"
    return (pair, after) if pair in verbs and after else (word, rest)


def _without_courtesies(text: str) -> str:
    """Spanish courtesies have two words."""
    return without_courtesies(_COURTESY.sub("", text))


_COURTESY: Final = re.compile(r",? (?:por favor|gracias|thank you)[.!]*$", re.IGNORECASE)


def _mistyped(text: str, word: str, rest: str, verbs: Verbs, resolver: Resolver, context: Context) -> Reading | None:
    if word[:1] not in _FIRST and word[-1:] not in _LAST:  # one slip changes one end of a word at most
        return None
    meant = _MEANT[word] if word in _MEANT and _has_digit(rest) else intended_verb(word, verbs)
    if meant is None or meant not in verbs or verbs[meant].name not in _TOLD_APART:
        return None
    written = f"{meant} {rest}".strip()
    if found := did_you_mean(text, written, verbs, resolver, context):
        return found
    kind = _KINDS.get(verbs[meant].name)
    return not_fitting(text, verbs[meant], meant, kind, rest) if kind and _is_time(rest) else None


def did_you_mean(text: str, written: str, verbs: Verbs, resolver: Resolver, context: Context) -> Reading | None:
    """Asks whether this command is meant, which OK does; None when what is written is none."""
    found = command(written, verbs, resolver, context)
    if found is None or found.intent in ("ask", "error"):
        return None
    reason = say('did you mean "{form}"?', form=written)
    return Reading("ask", found.args, "company", reason, found.verb, found.names, text, form=written)


def _is_time(rest: str) -> bool:
    return bool(rest and tokens_of(rest))


def _is_switch(rest: str) -> bool:
    """on, off or now, and perhaps a name behind it."""
    first, more = first_token(rest)
    return fold_case(first) in _SWITCHES and len(more.split()) <= 1


def _has_digit(rest: str) -> bool:
    return any(letter.isdigit() for letter in rest) and _is_time(rest)
