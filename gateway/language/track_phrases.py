"""Tracked words: the phrases of a text, by which posts and what people track are compared.

Both are folded alike: case, accents, invisible characters and links do not count. What somebody tracks is one phrase;
a post has every run of its words. gateway/network/follows/trackers.py asks which of them anybody tracks.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final

from gateway.language.nanoformats import LINK
from gateway.language.words.normalize import CLOSING_QUOTES, OPENING_QUOTES, clean, without_invisible

LONGEST: Final = 40  # characters of a phrase, so that an answer with it fits one text
MOST_WORDS: Final = 5
MOST_TYPED: Final = 400  # characters; what is longer is too long in any case
MOST_TOKENS: Final = 500  # of one post: what stands behind them is not looked for
MOST_RUNS: Final = 8_000  # of one post; a long one in Chinese has about as many

# A word weighs three, so that five fill a phrase. In scripts without blanks each character stands by itself, and a word
# of Thai or a name in kana has more than five.
_WORD, _CHARACTER, _HEAVIEST = 3, 1, 3 * MOST_WORDS

_UNSPACED = (  # Thai, Lao, Burmese, Khmer, kana and Han; with what repeats a character
    r"\u0e00-\u0e3a\u0e40-\u0e4e\u0e81-\u0ecf\u1000-\u103f\u1050-\u109d\u1780-\u17d3\u17dc\u17dd"
    r"\u3005-\u3007\u3041-\u3096\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff"
    r"\U00020000-\U0003ffff"
)
_SIGNS = (  # vowels and tones that belong to the character before them
    r"\u0e31\u0e34-\u0e3a\u0e47-\u0e4e\u0eb1\u0eb4-\u0ebc\u0ec8-\u0ecf\u102b-\u103e\u1056-\u1059\u105e-\u1060"
    r"\u1062-\u1064\u1067-\u106d\u1071-\u1074\u1082-\u108d\u108f\u109a-\u109d\u17b4-\u17d3\u17dd"
)
# Vowels are marks there, not letters.
_INDIC = r"\u0900-\u0963\u0966-\u0dff\u0f00\u0f18-\u0f39\u0f3e-\u0f84\u0f86-\u0fbc"
_LETTER = rf"(?:[^\W_{_UNSPACED}]|[{_INDIC}])"
_TOKEN = re.compile(rf"[{_UNSPACED}][{_SIGNS}]*|{_LETTER}+(?:'{_LETTER}+)*")
_SPACELESS = re.compile(rf"[{_UNSPACED}]")
# Accents, which people leave out: of Latin, Greek and Cyrillic, the points of Hebrew and Arabic, and Arabic's stretch.
_ACCENTS = re.compile(
    "[\u0300-\u036f\u0483-\u0489\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u0640\u064b-\u065f\u0670"
    "\u06d6-\u06dc\u06df-\u06e4\u06e7\u06e8\u06ea-\u06ed\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20f0\ufe20-\ufe2f]"
)
_ALIKE = str.maketrans({"\u2019": "'", "\u02bc": "'", "\uff07": "'", "\u0131": "i"})
_LONE = {0x3099: None, 0x309A: None}  # voiced sound marks that belong to no kana
_POSSESSIVE = "'s"
_QUOTES = str.maketrans(dict.fromkeys(OPENING_QUOTES + CLOSING_QUOTES, " "))
_EDGES = ".,:;!?#@()…'’"


@dataclass(frozen=True, slots=True)
class TrackPhrase:
    """What somebody tracks. `folded`: as posts are compared with it; `shown`: as people read it, and can send it
    back."""

    folded: str
    shown: str

    @property
    def too_short(self) -> bool:
        """One letter is in every text, and what has no letter is in none."""
        return len(self.folded) < 2

    @property
    def too_long(self) -> bool:
        return len(self.folded) > LONGEST or sum(map(_weight, self.folded.split())) > _HEAVIEST


def track_phrase(words: str) -> TrackPhrase:
    """The phrase that somebody typed, or that came from a page: cleaned as posts are."""
    words = clean(words[:MOST_TYPED])
    folded = " ".join(tokens(words))
    shown = _shown(words)
    same = len(shown) <= LONGEST and all(" ".join(tokens(each)) == folded for each in (shown, shown.upper()))
    return TrackPhrase(folded, shown if same else folded)


def quoted(phrase: str) -> str:
    """A phrase as `track` takes it: several words stand in quotation marks."""
    return f'"{phrase}"' if " " in phrase else phrase


def phrases(text: str) -> set[str]:
    """Every run of words of a post, folded: what it may be tracked by. A word with 's counts without it, too."""
    return set(islice(_runs(tokens(text)), MOST_RUNS))


def has_phrase(text: str, phrase: str) -> bool:
    """Whether a folded phrase is among the phrases of a text. Of most texts the first look says no."""
    plain = _plain(text)
    return all(word in plain for word in phrase.split()) and phrase in phrases(text)


def tokens(text: str) -> list[str]:
    """The first words of a text, folded: letters and digits, with apostrophes inside."""
    return [match.group() for match in islice(_TOKEN.finditer(_plain(text)), MOST_TOKENS)]


def _runs(words: list[str]) -> Iterator[str]:
    """The runs from each word on. Posts are spread by this, so the usual words take the shorter way."""
    unusual = {at for at, word in enumerate(words) if word.endswith(_POSSESSIVE) or _SPACELESS.match(word)}
    for start, first in enumerate(words):
        end = start + MOST_WORDS
        if not unusual.isdisjoint(range(start, end)):
            yield from _unusual_runs(words, start)
            continue
        run = first
        for word in [*words[start + 1 : end], ""]:
            if len(run) > LONGEST:
                break
            yield run
            run = f"{run} {word}"


def _unusual_runs(words: list[str], start: int) -> Iterator[str]:
    """Those in which a word has two forms, or characters stand for words."""
    heads, weight = [""], 0
    for word in islice(words, start, None):
        weight += _weight(word)
        heads = [run for head in heads for form in _forms(word) if len(run := f"{head} {form}") <= LONGEST + 1]
        if weight > _HEAVIEST or not heads:
            return
        for run in heads:
            yield run[1:]


def _forms(word: str) -> tuple[str, ...]:
    return (word, word[:-2]) if word.endswith(_POSSESSIVE) else (word,)


def _weight(word: str) -> int:
    return _CHARACTER if _SPACELESS.match(word) else _WORD


def _plain(text: str) -> str:
    text = LINK.sub(" ", text)
    if text.isascii():
        return text.lower()
    spread = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", without_invisible(text)).casefold())
    return unicodedata.normalize("NFC", _ACCENTS.sub("", spread.translate(_ALIKE))).translate(_LONE)


def _shown(words: str) -> str:
    """In lower case and without marks around its words."""
    written = unicodedata.normalize("NFC", without_invisible(LINK.sub(" ", words)).translate(_QUOTES))
    lower = written.lower().replace("i\u0307", "i")
    return " ".join(filter(None, (word.strip(_EDGES) for word in lower.split())))
