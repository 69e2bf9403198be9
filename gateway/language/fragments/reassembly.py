"""Reassembles a text whose marked parts arrive one by one, in any order, and says which part joins now and which waits.

grammar.py asks how to read a part; gateway/inbound/process.py asks what to keep of it. The functions are pure: the
state is a `PendingFragment`."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from gateway.language.fragments.part_marks import TextPart, part
from gateway.language.model.reading import PendingFragment

# begins: part 1. goes on: the awaited part. early: a part before it is missing. unclear: it may be of two texts.
Kind = Literal["begins", "goes on", "early", "unclear"]


@dataclass(frozen=True, slots=True)
class Arrived:
    """How a part fits into its text. `words`: its words, with those of later parts that waited for it; `missing`: the
    number of the part that is awaited next; `parts`: the words of all parts that came; `mixed`: two texts with the same
    number of parts arrive at once, and nobody can tell to which of them a part belongs."""

    kind: Kind
    words: str
    missing: int
    parts: Mapping[int, str]
    mixed: bool = False


def find_mark(text: str, half: PendingFragment | None) -> TextPart | None:
    """Reads a cleaned text as a part. While others are awaited, even a bare "2/3 " is a mark, but no second "1/3 "."""
    piece = part(text, awaited=bool(half and half.total))
    return part(text) if piece and piece.first and half and half.missing > 1 else piece


def place_part(half: PendingFragment | None, piece: TextPart) -> Arrived:
    """Places a part in the text that is awaited, or in a new text when that one has another number of parts."""
    text = half if half and half.total == piece.total else PendingFragment(total=piece.total, missing=1)
    if piece.first:
        return _begins(text, piece)
    if text.mixed or _clashes(text, piece):
        return Arrived("unclear", piece.text, text.missing, text.parts, mixed=True)
    parts = {**text.parts, piece.number: piece.text}
    if text.joinable and text.missing in (0, piece.number):  # 0: the previous version did not store it
        words, missing = _run(parts, piece.number)
        return Arrived("goes on", words, missing, parts)
    return Arrived("early", piece.text, text.missing, parts)


def _begins(text: PendingFragment, piece: TextPart) -> Arrived:
    """Places part 1. When another text has begun already it stays alone, unless it repeats the same part."""
    again = text.parts.get(1, piece.text) == piece.text
    if text.mixed or (text.missing != 1 and not again):
        return Arrived("begins", piece.text, 2, {1: piece.text}, mixed=True)
    if text.missing > 1:
        return Arrived("begins", piece.text, 2, {1: piece.text, **_waiting(text)})
    parts = {**text.parts, 1: piece.text}
    words, missing = _run(parts, 1)
    return Arrived("begins", words, missing, parts)


def _clashes(text: PendingFragment, piece: TextPart) -> bool:
    """Whether a part with this number has already been read, or came before with other words."""
    known = text.parts.get(piece.number)
    return piece.number < text.missing or (known is not None and known != piece.text)


def _waiting(text: PendingFragment) -> dict[int, str]:
    return {number: words for number, words in text.parts.items() if number >= text.missing}


def _run(parts: Mapping[int, str], start: int) -> tuple[str, int]:
    """The words of the parts from `start` on without a gap, and the number of the first part that is missing."""
    words = []
    while start in parts:
        words.append(parts[start])
        start += 1
    return " ".join(words), start


def only_part(found: Arrived) -> Arrived:
    """The same with part 1 only, for a part 1 that is a command: it is carried out alone, without the other parts."""
    return replace(found, words=found.parts[1], missing=2)


def without(half: PendingFragment, numbers: frozenset[int]) -> PendingFragment:
    """The same text without some early parts, which its writer has decided about separately."""
    parts = {number: words for number, words in half.parts.items() if number not in numbers}
    drafts = {number: draft for number, draft in half.drafts.items() if number not in numbers}
    return replace(half, parts=parts, drafts=drafts)


def read_up_to(half: PendingFragment, missing: int) -> PendingFragment:
    """The same text without the drafts (open questions) of the parts that have been read."""
    drafts = {number: draft for number, draft in half.drafts.items() if number >= missing}
    return replace(half, drafts=drafts)
