"""Reassembly of a text whose marked parts come one by one, in any order: which of them go on with it, which wait.

grammar.py asks how a part is to be read, process.py what is kept of it. Pure: the state is a `PendingFragment`."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from gateway.language.fragments.part_marks import TextPart, part
from gateway.language.model.reading import PendingFragment

# begins: part 1. goes on: the part that is awaited. early: one before it is missing. unclear: of which text it is.
Kind = Literal["begins", "goes on", "early", "unclear"]


@dataclass(frozen=True, slots=True)
class Arrived:
    """What a part is for its text: its words with those of the parts behind it that waited for it; `missing` is the
    number that the text waits for after it; `parts` are the words of all that came; `mixed`: two texts of as many parts
    come at once, and nobody can tell whose a part is."""

    kind: Kind
    words: str
    missing: int
    parts: Mapping[int, str]
    mixed: bool = False


def find_mark(text: str, half: PendingFragment | None) -> TextPart | None:
    """The part that a cleaned text is. While others are awaited even a bare "2/3 " is a mark, but no second "1/3 "."""
    piece = part(text, awaited=bool(half and half.total))
    return part(text) if piece and piece.first and half and half.missing > 1 else piece


def place_part(half: PendingFragment | None, piece: TextPart) -> Arrived:
    """The place of a part in the text that is awaited, or in one of its own when that has another number of parts."""
    text = half if half and half.total == piece.total else PendingFragment(total=piece.total, missing=1)
    if piece.first:
        return _begins(text, piece)
    if text.mixed or _clashes(text, piece):
        return Arrived("unclear", piece.text, text.missing, text.parts, mixed=True)
    parts = {**text.parts, piece.number: piece.text}
    if text.joinable and text.missing in (0, piece.number):  # 0: the version before did not write it down
        words, missing = _run(parts, piece.number)
        return Arrived("goes on", words, missing, parts)
    return Arrived("early", piece.text, text.missing, parts)


def _begins(text: PendingFragment, piece: TextPart) -> Arrived:
    """Part 1; while another text has begun already it stays alone, unless it is the same once more."""
    again = text.parts.get(1, piece.text) == piece.text
    if text.mixed or (text.missing != 1 and not again):
        return Arrived("begins", piece.text, 2, {1: piece.text}, mixed=True)
    if text.missing > 1:
        return Arrived("begins", piece.text, 2, {1: piece.text, **_waiting(text)})
    parts = {**text.parts, 1: piece.text}
    words, missing = _run(parts, 1)
    return Arrived("begins", words, missing, parts)


def _clashes(text: PendingFragment, piece: TextPart) -> bool:
    """Whether that part of the text has come before, and was another, or is read already."""
    known = text.parts.get(piece.number)
    return piece.number < text.missing or (known is not None and known != piece.text)


def _waiting(text: PendingFragment) -> dict[int, str]:
    return {number: words for number, words in text.parts.items() if number >= text.missing}


def _run(parts: Mapping[int, str], start: int) -> tuple[str, int]:
    """The words of the parts from that one on without a gap, and the number of the first that is missing."""
    words = []
    while start in parts:
        words.append(parts[start])
        start += 1
    return " ".join(words), start


def only_part(found: Arrived) -> Arrived:
    """The same when part 1 was a command: it is done by itself, and what else came is no part of it."""
    return replace(found, words=found.parts[1], missing=2)


def without(half: PendingFragment, numbers: frozenset[int]) -> PendingFragment:
    """The same text when its writer has decided about some of its early parts otherwise."""
    parts = {number: words for number, words in half.parts.items() if number not in numbers}
    drafts = {number: draft for number, draft in half.drafts.items() if number not in numbers}
    return replace(half, parts=parts, drafts=drafts)


def read_up_to(half: PendingFragment, missing: int) -> PendingFragment:
    """The same with no question any more about the parts that are read."""
    drafts = {number: draft for number, draft in half.drafts.items() if number >= missing}
    return replace(half, drafts=drafts)
