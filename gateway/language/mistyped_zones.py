"""The command `zone` with what is no zone: "zone new yrok", "zone tokyo till fridy". Such a text is never published
without asking. grammar.py calls it for texts that are no command; "zone 5 is closed" is none either, and stays an
update."""

import re
from collections.abc import Mapping, Sequence
from typing import Final

from gateway.language.command_reader import no_zone, not_fitting
from gateway.language.model.reading import Reading
from gateway.language.usage.arguments import LONGEST_WORD
from gateway.language.usage.verbs import Verb
from gateway.language.words import time_zones
from gateway.language.words.durations import duration
from gateway.language.words.normalize import first_token, fold_case, verb_of
from gateway.language.words.setting_words import is_time
from gateway.language.words.time_tokens import tokens_of

NAME: Final = "zone"
LONGEST: Final = 60  # characters; a longer text is a sentence
MOST_WORDS: Final = 4  # of the name of a zone
_END: Final = re.compile(r"(?:till?|until|for)\b")
_OF: Final = frozenset(["of", "in", "to", "de", "en", "a"])
_EDGES: Final = ".,:;!?"


def mistyped_zone(text: str, verbs: Mapping[str, Verb]) -> Reading | None:
    token, rest = first_token(text)
    word = verb_of(token[:LONGEST_WORD])
    verb = verbs.get(word)
    if verb is None or verb.name != NAME or not rest or len(text) > LONGEST or "\n" in text:
        return None
    words = fold_case(rest).rstrip(_EDGES).split()
    if end := _end_behind_zone(words):
        return not_fitting(text, verb, word, "FOR", end)
    called, ends = _called(words)
    count = called.count(" ") + 1
    if words[0] in _OF and time_zones.is_zone(" ".join(words[1:])):
        called = " ".join(words[1:])
        return Reading("ask", (text,), "company", no_zone(called), verb.name, (), text, unknown=called)
    if (ends and count == 1) or (count <= MOST_WORDS and time_zones.nearest_written(called)):
        return Reading("ask", (text,), "company", no_zone(called), verb.name, (), text, unknown=called)
    return None


def _end_behind_zone(words: Sequence[str]) -> str | None:
    """What stands behind a zone and is no end as it must be written, and yet is meant as one: "tokyo friday"."""
    for count in range(min(MOST_WORDS, len(words) - 1), 0, -1):
        if time_zones.is_zone(" ".join(words[:count])):
            rest = " ".join(words[count:])
            meant = _END.match(rest) or tokens_of(rest) or duration(f"till {rest}") or is_time(rest)
            return rest if meant and duration(rest) is None else None
    return None


def _called(words: Sequence[str]) -> tuple[str, bool]:
    """What is called a zone, and whether an end stands behind it."""
    for at in range(1, len(words)):
        if duration(" ".join(words[at:])):
            return " ".join(words[:at]), True
    return " ".join(words), False
