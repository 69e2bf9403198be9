"""Reactions in any language, by their shape: a short phrase and one quotation. reactions.py knows the languages that
its table has; grammar.py comes here for all others, and believes the shape only when the phone has that item."""

import re
from dataclasses import dataclass

from gateway.language.reactions.reactions import EMOJI, ReadReaction, reaction
from gateway.language.words.normalize import first_token

KIND = "reaction"  # what it is called when no emoji says it
MOST_WORDS = 6  # beside the quotation: "Поставила отметку «Нравится» сообщению", "さんが…にいいねしました"
_LONGEST = 60  # characters beside the quotation
_OPENING, _CLOSING = "\"“”„‟«»‹›＂「『'‘‚", "\"“”‟«»‹›＂」』'’"
_MARK = re.compile("[" + _OPENING + "]")
_PAIRS = {"「": "」", "『": "』"}
_EMOJI = re.compile(EMOJI)
_ENDS = " .!。…"
_SENTENCE = re.compile(r"[:?;\n]")  # whoever writes these beside a quotation is talking about it


@dataclass(frozen=True, slots=True)
class _Shape:
    head: str
    quote: str
    tail: str


def possible_reaction(text: str) -> ReadReaction | None:
    """The reaction that a cleaned text would be if it quotes an item; None when it has not the shape of one."""
    shape = _outermost(text)
    if shape is None or not _short_phrase(shape):
        return None
    known = reaction(f"{shape.head} “x” {shape.tail}".strip())
    emoji = _EMOJI.search(f"{shape.head} {shape.tail}")
    what = known.what if known else emoji.group() if emoji else KIND
    return ReadReaction(what, shape.quote, removed=known.removed if known else False)


def words_beside(text: str) -> list[str]:
    """The words before and after the quotation, as names are looked up: who is named there is written about."""
    shape = _outermost(text)
    return [] if shape is None else f"{shape.head} {shape.tail}".split()


def _outermost(text: str) -> _Shape | None:
    """What stands between the first mark and the last: a quotation may have marks of its own."""
    if _MARK.search(text, 0, _LONGEST + 1) is None:
        return None
    start = next((at for at, mark in enumerate(text[: _LONGEST + 1]) if _opens(text, at, mark)), None)
    if start is None:
        return None
    end = _last_mark(text, start)
    quote = text[start + 1 : end].strip()
    return _Shape(text[:start].strip(), quote, text[end + 1 :].strip(_ENDS)) if quote else None


def _opens(text: str, at: int, mark: str) -> bool:
    """An apostrophe inside a word opens nothing: "J'aime «…»"."""
    if mark not in _OPENING:
        return False
    return mark not in "'’‘‚" or not (at and text[at - 1].isalnum())


def _last_mark(text: str, start: int) -> int:
    """A phone may cut a long item off, and the closing mark with it."""
    closing = _PAIRS.get(text[start], _CLOSING)
    for at in range(len(text) - 1, max(start, len(text) - _LONGEST - 2), -1):
        if text[at] in closing:
            return at
    return len(text) if text.endswith(("…", "...")) else start


def _short_phrase(shape: _Shape) -> bool:
    beside = f"{shape.head} {shape.tail}".strip()
    if not beside or len(beside) > _LONGEST or _SENTENCE.search(beside):
        return False
    return len(beside.split()) <= MOST_WORDS and not first_token(beside)[0].startswith(("@", "#", "/"))
