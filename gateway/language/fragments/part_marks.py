"""Part marks that a gateway adds to the pieces of a long text: "(1/2) ", "1/2 ", "1 of 2:". grammar.py removes them, so
that the first piece is read as usual and the others as its continuation."""

import re
from dataclasses import dataclass

MOST = 20  # parts
_STARTS = frozenset("([{0123456789pPtTdD")
LONG = 100  # characters; a shorter text that begins with "1/2 " may be about a half of something
_NUMBERS = r"(\d{1,2})\s?(?:/|of|von|de|di|van|sur)\s?(\d{1,2})"
_PART = "(?:part|teil|parte|partie|deel) "
_ENCLOSED = re.compile(rf"[(\[{{]\s?(?:{_PART})?{_NUMBERS}\s?[)\]}}][:.\-]?\s*", re.IGNORECASE)
_SAID = re.compile(rf"(?:{_PART}{_NUMBERS}[:.)\-]?|{_NUMBERS}\s?[:)])\s+", re.IGNORECASE)
_BEHIND = re.compile(rf"(.*\S)\s*[(\[]{_NUMBERS}[)\]]", re.DOTALL)
_BARE = re.compile(r"(\d{1,2})/(\d{1,2})\s+")


@dataclass(frozen=True, slots=True)
class TextPart:
    """One piece of a text: its number, the number of pieces, and its words. When not `sure`, the mark may be ordinary
    words, as in "1/2 cup left"."""

    number: int
    total: int
    text: str
    sure: bool = True

    @property
    def first(self) -> bool:
        return self.number == 1


def part(text: str, *, awaited: bool = False) -> TextPart | None:
    """Reads a cleaned text as a piece. `awaited`: another piece has come, so that even a bare "2/3 " is a mark."""
    if text[-1:] in ")]" and (behind := _BEHIND.fullmatch(text)):
        number, total = int(behind[2]), int(behind[3])
        if 1 <= number <= total and 2 <= total <= MOST:
            return TextPart(number, total, behind[1], awaited)
    if text[:1] not in _STARTS:
        return None
    match = _ENCLOSED.match(text) or _SAID.match(text) or _BARE.match(text)
    if match is None:
        return None
    number, total = (int(each) for each in match.groups() if each)
    words = text[match.end() :].strip()
    if not words or not 1 <= number <= total or not 2 <= total <= MOST:
        return None
    sure = awaited or len(text) >= LONG or (match.re is not _BARE and number > 1)
    return TextPart(number, total, words, sure)
