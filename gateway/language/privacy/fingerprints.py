"""Word runs, by which two texts can be compared, and the quotations in a text.
gateway/network/audience/private_repeats.py compares both by their hashes."""

import re
import unicodedata
from collections.abc import Container, Iterator

from gateway.language.words.normalize import fold_case

RUN = 12  # weight of a run: six words, or twelve characters of a script that puts no blanks between words
_WORD, _CHARACTER = 2, 1
LETTERS = 19  # a run of six everyday words has fewer letters ("and why I think that it"), so it takes in more words
MOST_RUNS = 4_000  # of one text; the longest post has about as many words
SHORTEST_QUOTE = 2  # characters; one letter in quotation marks says nothing
_LONGEST_QUOTE = 1_000
# Chinese, Japanese, Thai, Lao, Khmer and Burmese are written without blanks: each character counts by itself.
_UNSPACED = r"\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003ffff"
_TOKEN = re.compile(rf"[{_UNSPACED}]|[^\W_{_UNSPACED}]+")
_SPACELESS = re.compile(rf"[{_UNSPACED}]")
# Quotation marks as people and programs set them, folded to " and '.
_DOUBLE = '"“”„‟«»‹›＂「」『』｢｣《》〈〉〝〞〟″❝❞'
_SINGLE = "'‘’‚‛＇`´′❛❜"
_FOLDED = str.maketrans(dict.fromkeys(_DOUBLE, '"') | dict.fromkeys(_SINGLE, "'"))
_TYPED = re.compile(r"''|<<|>>|,,")  # two characters for one mark
_ANY_MARK = re.compile(rf"[{_DOUBLE}{_SINGLE}]|<<|,,")
_QUOTED = re.compile(r"\"(?P<double>[^\"]{2,1000})\"|(?<![^\W_])'(?P<single>.{2,1000}?)'(?![^\W_])", re.DOTALL)
_APOSTROPHE = re.compile(r"(?<=[^\W_])['’](?=[^\W_])")  # "don't" is one word, also where a phone leaves it out
_MARKS = "\"'"
_SIGNED = re.compile(r"^[^:：\n]{1,80}[:：]\s*")  # "Kim Lee (private): " before the words, as we send them
_TAG = re.compile(r"\s*\([a-z]\d{1,2}\)$")


def tokens(text: str) -> list[str]:
    """The words of a text for comparison: case, accents, punctuation and invisible characters are ignored."""
    return _TOKEN.findall(_plain(text))


def runs(text: str) -> list[str]:
    """Every run of about six words, each once, in order. A text of fewer words has none."""
    words = tokens(text)
    found = dict.fromkeys(_runs(words))
    return list(found)[:MOST_RUNS]


def whole(text: str) -> str | None:
    """The whole of a text that is too short to have a run; None for a longer one, and for one without words."""
    words = tokens(text)
    return _joined(words) if words and next(_runs(words), None) is None else None


def find_quoted(text: str) -> list[str]:
    """Short texts in quotation marks, in the form of `whole`, with and without a writer's name before and a tag
    behind."""
    if not _ANY_MARK.search(text):
        return []
    found: dict[str, None] = {}
    for quotation in _quotations(_TYPED.sub('"', text.translate(_FOLDED))):
        bare = _TAG.sub("", quotation.strip())
        for words in (quotation, bare, _SIGNED.sub("", bare)):
            if short := whole(words):
                found[short] = None
    return list(found)


def _quotations(text: str) -> Iterator[str]:
    """Each quotation, and the text between the outermost marks, because a quotation may contain marks."""
    for match in _QUOTED.finditer(text):
        yield match["double"] or match["single"]
    places = [at for at, character in enumerate(text) if character in _MARKS]
    if len(places) > 2 and SHORTEST_QUOTE < places[-1] - places[0] <= _LONGEST_QUOTE:
        yield text[places[0] + 1 : places[-1]]


def is_covered(words: list[str], known: Container[str]) -> list[bool]:
    """For each word (as `tokens` returns them) whether it is part of a known run."""
    found = [False] * len(words)
    for start, end in _spans(words):
        if _joined(words[start:end]) in known:
            found[start:end] = [True] * (end - start)
    return found


def _runs(words: list[str]) -> Iterator[str]:
    return (_joined(words[start:end]) for start, end in _spans(words))


def _spans(words: list[str]) -> Iterator[tuple[int, int]]:
    """The start and end index of each run."""
    end = weight = letters = 0
    for start, first in enumerate(words):
        while (weight < RUN or letters < LETTERS) and end < len(words):
            weight += _weight(words[end])
            letters += _letters(words[end])
            end += 1
        if weight < RUN or letters < LETTERS:
            return
        yield start, end
        weight -= _weight(first)
        letters -= _letters(first)


def _weight(word: str) -> int:
    return _CHARACTER if _SPACELESS.match(word) else _WORD


def _letters(word: str) -> int:
    """A character of a script without blanks counts as two letters."""
    return 2 if _SPACELESS.match(word) else len(word)


def _joined(words: list[str]) -> str:
    return " ".join(words)


def _plain(text: str) -> str:
    """Without accents: a text message may lose them, and people leave them out."""
    text = _APOSTROPHE.sub("", text)
    if text.isascii():
        return text.lower()
    spread = unicodedata.normalize("NFKD", fold_case(text).replace("ß", "ss"))
    return "".join(character for character in spread if not unicodedata.combining(character) or _is_vowel(character))


def _is_vowel(mark: str) -> bool:
    """Thai, Indic and Arabic marks carry sounds and differ by word; those of Latin, Greek and Cyrillic are accents."""
    return not "\u0300" <= mark <= "\u036f"
