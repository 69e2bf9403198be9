"""Fits words into a text message: at most two parts, transliterated where that saves money; the rest is kept."""

import re
from dataclasses import dataclass
from unicodedata import combining, normalize

from gateway.sms.gsm7 import GSM, segments, strip_accents, to_gsm7

__all__ = ["FittedText", "fit", "segments", "thrifty", "to_gsm7"]

_SPACE = re.compile(r"\s+")
_LONGEST = 160  # characters one part can carry at most


@dataclass(frozen=True, slots=True)
class FittedText:
    """A text as it is sent; `rest` is what `more` gives, empty when nothing was cut."""

    text: str
    rest: str
    segments: int
    encoding: str


def thrifty(text: str, accents: bool = False) -> str:
    """The text as it is sent: typographic punctuation in GSM-7, and letters too when that saves a part, unless
    `accents` are wanted. A text that needs UCS-2 anyway keeps its characters."""
    composed = text if text.isascii() else normalize("NFC", text)
    encoding, written = segments(composed)
    if encoding == GSM:
        return composed
    simple = to_gsm7(composed)
    encoding, cost = segments(simple)
    if encoding == GSM:
        return simple
    bare = simple if accents else strip_accents(composed)
    encoding, cheaper = segments(bare)
    if encoding == GSM and cheaper < min(cost, written):
        return bare
    return simple if cost < written else composed


def fit(text: str, tail: str = "", link: str | None = None, limit: int = 2, accents: bool = False) -> FittedText:
    """At most `limit` parts: the text and its tail (" (k7)"), or its beginning, "... ", the link and the tail.

    Cut between words where it can be, and never inside an emoji or a letter with its accents."""
    if len(text) + len(tail) <= _LONGEST * limit:
        whole = thrifty(text + tail, accents)
        encoding, count = segments(whole)
        if count <= limit:
            return FittedText(whole, "", count, encoding)
    end = (" " + link if link else "") + tail
    cut = _longest(text, end, limit, accents)
    sent = _shortened(text, cut, end, accents)
    encoding, count = segments(sent)
    return FittedText(sent, text[cut:].lstrip(), count, encoding)


MORE_NOTE = "\nMORE: 99 pages."


def page(text: str) -> tuple[str, str]:
    """The first whole lines that fit into one part together with ROOM, and what is left. A longer line is cut between
    words."""
    if segments(thrifty(text))[1] <= 1:
        return text, ""
    lines = text.split("\n")
    fits = [
        number for number in range(1, len(lines)) if segments(thrifty("\n".join(lines[:number]) + MORE_NOTE))[1] <= 1
    ]
    if not fits:
        cut = _longest(text, MORE_NOTE, 1, accents=False)
        return text[:cut].rstrip() + "...", text[cut:].lstrip()
    return "\n".join(lines[: fits[-1]]), "\n".join(lines[fits[-1] :])


def pages(text: str) -> int:
    """How many pages `page` makes of a text."""
    turned = 0
    while text:
        text, turned = page(text)[1], turned + 1
    return turned


def _shortened(text: str, cut: int, end: str, accents: bool) -> str:
    return thrifty(text[:cut].rstrip(), accents) + "..." + end


def _longest(text: str, end: str, limit: int, accents: bool) -> int:
    """The last place to cut that still fits, by binary search, since a longer beginning never needs fewer parts."""
    low, high = 0, min(len(text), _LONGEST * limit)
    while low < high:
        middle = (low + high + 1) // 2
        if segments(_shortened(text, middle, end, accents))[1] <= limit:
            low = middle
        else:
            high = middle - 1
    return _between_words(text, low)


def _between_words(text: str, cut: int) -> int:
    """The end of the last whole word before `cut`, unless that would lose more than a third of what fits."""
    if cut >= len(text) or text[cut].isspace():
        return cut
    spaces = [match.start() for match in _SPACE.finditer(text, 0, cut)]
    if spaces and spaces[-1] > cut * 2 // 3:
        return spaces[-1]
    while cut and _joined(text, cut):
        cut -= 1
    return cut


def _joined(text: str, cut: int) -> bool:
    """Whether the character at `cut` belongs to the one before it: accents, skin tones, joined emoji, flags."""
    after, before = text[cut], text[cut - 1]
    return bool(
        combining(after)
        or after in "\u200d\ufe0e\ufe0f\u20e3"
        or before == "\u200d"
        or "\U0001f3fb" <= after <= "\U0001f3ff"
        or ("\U0001f1e6" <= after <= "\U0001f1ff" and _flags_before(text, cut) % 2)
    )


def _flags_before(text: str, cut: int) -> int:
    start = cut
    while start and "\U0001f1e6" <= text[start - 1] <= "\U0001f1ff":
        start -= 1
    return cut - start
