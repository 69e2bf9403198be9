"""Recognises reactions in any language by their shape: a short phrase and one quotation. reactions.py knows the
languages of its table; grammar.py uses this module for all others, and only when the quoted item is on the phone."""

import re
from dataclasses import dataclass

from gateway.language.reactions.reactions import EMOJI, ReadReaction, reaction
from gateway.language.words.normalize import first_token

KIND = "reaction"  # the name of the reaction when it has no emoji
MOST_WORDS = 6  # beside the quotation: "Поставила отметку «Нравится» сообщению", "さんが…にいいねしました"
_LONGEST = 60  # characters beside the quotation
_OPENING, _CLOSING = "\"“”„‟«»‹›＂「『'‘‚", "\"“”‟«»‹›＂」』'’"
_MARK = re.compile("[" + _OPENING + "]")
_PAIRS = {"「": "」", "『": "』"}
_EMOJI = re.compile(EMOJI)
_ENDS = " .!。…"
_SENTENCE = re.compile(r"[:?;\n]")  # a writer who uses these beside a quotation comments on it


@dataclass(frozen=True, slots=True)
class _Shape:
    head: str
    quote: str
    tail: str


def possible_reaction(text: str) -> ReadReaction | None:
    """The reaction that a cleaned text would be if it quotes an item; None when it does not have that shape."""
    shape = _outermost(text)
    if shape is None or not _short_phrase(shape):
        return None
    known = reaction(f"{shape.head} “x” {shape.tail}".strip())
    emoji = _EMOJI.search(f"{shape.head} {shape.tail}")
    what = known.what if known else emoji.group() if emoji else KIND
    return ReadReaction(what, shape.quote, removed=known.removed if known else False)


def words_beside(text: str) -> list[str]:
    """The words before and after the quotation, to look up names: a text that names somebody there is about them."""
    shape = _outermost(text)
    return [] if shape is None else f"{shape.head} {shape.tail}".split()


def _outermost(text: str) -> _Shape | None:
    """Takes the text between the first and the last mark as the quotation, which may contain marks."""
    if _MARK.search(text, 0, _LONGEST + 1) is None:
        return None
    start = next((at for at, mark in enumerate(text[: _LONGEST + 1]) if _opens(text, at, mark)), None)
    if start is None:
        return None
    end = _last_mark(text, start)
    quote = text[start + 1 : end].strip()
    return _Shape(text[:start].strip(), quote, text[end + 1 :].strip(_ENDS)) if quote else None


def _opens(text: str, at: int, mark: str) -> bool:
    """Whether a mark opens a quotation. An apostrophe inside a word does not: "J'aime «…»"."""
    if mark not in _OPENING:
        return False
    return mark not in "'’‘‚" or not (at and text[at - 1].isalnum())


def _last_mark(text: str, start: int) -> int:
    """The place of the closing mark, or the end of the text when a phone cut off a long item with its mark."""
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
