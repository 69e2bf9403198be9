"""Cleans the characters of a text, and folds its words for comparison. Everything that reads a text uses it."""

import re
import unicodedata
from functools import lru_cache

from gateway.typed_input import INVISIBLE, SELECTORS

# ZWNJ and ZWJ stay after letters and emoji outside ASCII, which need them; selectors stay after what can have one.
_INVISIBLE, _SELECTORS = INVISIBLE, SELECTORS
_DROPPED = re.compile(
    f"[\\x00-\\x08\\x0e-\\x1b\\x7f-\\x84\\x86-\\x9f\\ud800-\\udfff{_INVISIBLE}]|(?:(?<=[\\x00-\\x7f\\s])|^)[\\u200c\\u200d]+"
    f"|(?:(?<=[\\x00-\\x22\\x24-\\x29\\x2b-\\x2f\\x3a-\\x7f\\s])|^)[{_SELECTORS}]+"
)
_LINE_END = re.compile("\r\n|[\r\x0b\x0c\x1c-\x1f\x85\u2028\u2029]")
_UNSEEN = re.compile(f"[{_INVISIBLE}{_SELECTORS}\\u200c\\u200d]")
_FIRST = re.compile(r"\S+")

OPENING_QUOTES = '"“”„‟«»＂'
CLOSING_QUOTES = '"”“‟«»＂'
_STOPS = "。､、،؛؟।"  # they end sentences in Chinese, Japanese, Arabic and Hindi; NFKC has already folded the wide ones
_VERB_ENDS = ".!:,。､、،।"
_TEXT_ENDS = " .!:,?…¿¡‽⁇⁈⁉" + _STOPS
_NAME_EDGES = ".,:;!?)(…\"'“”„‟«»‘’" + _STOPS


def clean(text: str) -> str:
    """The writer's characters without controls, zero-width characters, lone surrogates and outer white space."""
    if text.isascii() and text.isprintable():
        return text.strip()
    text = _LINE_END.sub("\n", text)
    while (shorter := _DROPPED.sub("", text.strip())) != text:  # removing one character may expose another
        text = shorter
    return text


def fold_case(word: str) -> str:
    """A word for comparison: compatibility forms, case and invisible characters are removed."""
    if word.isascii():
        return word.lower()
    word = _UNSEEN.sub("", unicodedata.normalize("NFKC", word)).casefold()
    return unicodedata.normalize("NFKC", word.replace("i\u0307", "i"))  # İ, a Turkish phone's capital of i


def without_invisible(text: str) -> str:
    """The text without invisible characters, for names and addresses in headers, which are compared exactly."""
    return text if text.isascii() else _UNSEEN.sub("", text)


@lru_cache(maxsize=64)
def verb_of(token: str) -> str:
    """A first token as a verb: trailing dots and exclamation marks go, one colon or comma after it is allowed."""
    word = fold_case(token)
    bare = word.rstrip(_VERB_ENDS)
    return bare if bare else word


def bare_verb_of(text: str) -> str:
    """A whole text as a verb: "why?" is "why", whatever mark is at its end."""
    return fold_case(text).lstrip("¿¡").rstrip(_TEXT_ENDS) or fold_case(text)


def name_of(token: str) -> str:
    """A token as a name: without @ or #, quotation marks, and the punctuation of a sentence."""
    return trim(fold_case(token))


def trim(token: str) -> str:
    """A token as a name, like `name_of`, but in the writer's own letters."""
    return token.strip(_NAME_EDGES).lstrip("@#").strip(_NAME_EDGES)


@lru_cache(maxsize=8)
def first_token(text: str) -> tuple[str, str]:
    """The first token of a cleaned text and the rest after it. One reading asks for it half a dozen times."""
    match = _FIRST.match(text)
    return (match.group(), text[match.end() :].lstrip()) if match else ("", "")


def tokens(text: str, limit: int) -> list[re.Match[str]]:
    """At most `limit` tokens with their places; a long text is never walked to its end."""
    found: list[re.Match[str]] = []
    for match in _FIRST.finditer(text):
        found.append(match)
        if len(found) == limit:
            break
    return found


def unquote(text: str) -> str:
    """Removes the quotation marks of a text that is wholly quoted."""
    if len(text) > 1 and text[0] in OPENING_QUOTES and text[-1] in CLOSING_QUOTES:
        return text[1:-1].strip() or text
    return text
