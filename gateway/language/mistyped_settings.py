"""Commands with hours that are nearly written as they must be: "quiet off please", "digset 8am", "quiet till 9".

A text that only a verb of these begins, and that otherwise has hours and days alone, is never published without asking.
grammar.py calls it for texts that are no command."""

from collections.abc import Mapping
from typing import Final

from gateway.i18n.phrases import say
from gateway.language.command_reader import command, not_fitting
from gateway.language.everyday_commands import without_courtesies
from gateway.language.model.reading import Context, Reading, Resolver
from gateway.language.usage.arguments import LONGEST_WORD
from gateway.language.usage.verbs import Verb
from gateway.language.words.normalize import first_token, fold_case, verb_of
from gateway.language.words.time_tokens import tokens_of
from gateway.language.words.typing_errors import intended_verb

Verbs = Mapping[str, Verb]
LONGEST: Final = 60  # characters; a longer text is a sentence
# What these commands take.
_KINDS: Final = {
    "quiet": "RANGE", "digest": "TIME", "off": "FOR", "limit": "NUMBER", "zone": "ZONE", "unseen": "MINUTES",
}  # fmt: skip
_POLITE_TOO: Final = frozenset([*_KINDS, "on", "prefer", "connect"])
# A verb as short as "off" is one letter away from many words.
_TOLD_APART: Final = frozenset(["quiet", "digest", "limit", "zone", "prefer", "connect", "unseen"])
_MEANT: Final = {"quite": "quiet"}  # an ordinary word, but hours follow it
_FIRST, _LAST = frozenset("qdsrlzpc"), frozenset("toner")  # of these in English and Spanish
_SWITCHES: Final = frozenset(["on", "off", "now"])


def mistyped_setting(text: str, verbs: Verbs, resolver: Resolver, context: Context) -> Reading | None:
    """A courtesy changes nothing, a mistyped verb is asked about, and so are hours that are none."""
    if len(text) > LONGEST or "\n" in text:
        return None
    bare = without_courtesies(text)
    token, rest = first_token(bare)
    word = verb_of(token[:LONGEST_WORD])
    verb = verbs.get(word)
    if verb is None:
        return _mistyped(text, word, rest, verbs, resolver, context)
    if bare != text and verb.name in _POLITE_TOO and (found := _setting(bare, verbs, resolver, context)):
        return found
    if verb.name in _KINDS and (_is_time(rest) or _is_switch(rest)):
        return not_fitting(text, verb, word, _KINDS[verb.name], rest)
    return None


def _mistyped(text: str, word: str, rest: str, verbs: Verbs, resolver: Resolver, context: Context) -> Reading | None:
    if word[:1] not in _FIRST and word[-1:] not in _LAST:  # one slip changes one end of a word at most
        return None
    meant = _MEANT[word] if word in _MEANT and _has_digit(rest) else intended_verb(word, verbs)
    if meant is None or meant not in verbs or verbs[meant].name not in _TOLD_APART:
        return None
    written = f"{meant} {rest}".strip()
    found = _setting(written, verbs, resolver, context)
    if found is None:
        kind = _KINDS.get(verbs[meant].name)
        return not_fitting(text, verbs[meant], meant, kind, rest) if kind and _is_time(rest) else None
    reason = say('did you mean "{form}"?', form=written)
    return Reading("ask", found.args, "company", reason, found.verb, found.names, text, form=written)


def _setting(written: str, verbs: Verbs, resolver: Resolver, context: Context) -> Reading | None:
    found = command(written, verbs, resolver, context)
    return found if found and found.intent not in ("ask", "error") else None


def _is_time(rest: str) -> bool:
    return bool(rest and tokens_of(rest))


def _is_switch(rest: str) -> bool:
    """on, off or now, and perhaps a name behind it."""
    first, more = first_token(rest)
    return fold_case(first) in _SWITCHES and len(more.split()) <= 1


def _has_digit(rest: str) -> bool:
    return any(letter.isdigit() for letter in rest) and _is_time(rest)
