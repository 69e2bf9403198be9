"""Cuts hours and days that a person writes into tokens: times, days, and what joins them, in English and Spanish.
quiet_hours.py and digest_times.py read these."""

import re
import unicodedata
from typing import Final, NamedTuple

from gateway.language.words.durations import clock
from gateway.language.words.weekdays import ANY, days_named

LONGEST_TEXT: Final = 480
_DASHES = re.compile("[\u2010-\u2015\u2212\u301c~]")
_HALF = (
    r"(?:(?P<am>(?<=\d)a\b| ?(?:a\.? ?m\b|(?:in the|de la|por la) (?:morning|manana|madrugada)))"
    r"|(?P<pm>(?<=\d)p\b| ?(?:p\.? ?m\b|(?:in the|de la|por la) (?:afternoon|evening|tarde)))"
    r"|(?P<night> ?(?:at night|de la noche|por la noche))| ?h(?:s|rs?|ours?|oras?)?\b| o['’]?clock\b)\.?"
)
_TIME = rf"(?P<hour>\d{{1,2}})(?:[:.h]?(?P<minute>\d\d))?(?!\d)(?:{_HALF})?"
_NAMED = {"noon": "noon", "midday": "noon", "mediodia": "noon", "midnight": "midnight", "medianoche": "midnight"}
_TO = frozenset({"-", "to", "till", "til", "until", "through", "thru", "a", "al", "hasta"})
_AND = frozenset({"and", "y", "&", "+"})
_BETWEEN = frozenset({"between", "entre"})
_PASSED_OVER = """
from of on at the in hours hour time times mode during every each weekly :
de del desde el la las los en horas hora durante cada todos
"""
_FILLERS = frozenset(_PASSED_OVER.split())
_TOKEN = re.compile(rf"(?P<days>{ANY})(?![\w-])|(?P<time>{_TIME})|(?P<word>[a-z]+\.?|[-,;/&+:])")


class Token(NamedTuple):
    """One piece of what was written: D days, T a time (M when more than digits mark it as one), or what joins them.
    `value`: the days, or hour and minute."""

    kind: str
    value: tuple[int, ...] = ()
    written: str = ""


def tokens_of(written: str) -> list[Token] | None:
    """None when there is a word that does not belong to hours and days, for then it is a sentence."""
    text = plain(written)
    found: list[Token] = []
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        token = _token(match) if match else None
        if match is None or token is None:
            return None
        if token.kind:
            found.append(token)
        at = match.end() + (text[match.end() : match.end() + 1] == " ")
    return found


def plain(text: str) -> str:
    """Lower case without accents, digits in ASCII, every dash and blank of one kind."""
    if len(text) > LONGEST_TEXT:
        return ""
    letters = unicodedata.normalize("NFKD", text.casefold())
    bare = "".join(
        str(unicodedata.decimal(each)) if each.isdecimal() else each
        for each in letters
        if not unicodedata.combining(each)
    )
    return " ".join(_DASHES.sub("-", bare).split()).strip("\"'“”‘’`¿¡ ").rstrip(".,:;!? ")


def _token(match: re.Match[str]) -> Token | None:
    if match["time"]:
        return _time(match)
    word = match["days"] or match["word"]
    if word in _NAMED:
        return Token("M", clock(_NAMED[word]) or (), word)
    for kind, words in (("-", _TO), ("&", _AND), ("B", _BETWEEN), (",", ",;/"), ("", _FILLERS)):
        if word in words:
            return Token(kind, written=word)
    days = days_named(word)
    return Token("D", days) if days else None


def _time(match: re.Match[str]) -> Token | None:
    hour, minute, half = int(match["hour"]), match["minute"] or "00", ""
    if match["night"]:  # "12 at night" and "1 at night" are after midnight
        half = "am" if hour == 12 or hour < 6 else "pm"
    elif match["am"] or match["pm"]:
        half = "am" if match["am"] else "pm"
    if half == ("pm" if hour > 12 else "am" if hour == 0 else ""):
        half = ""  # "22pm" and "0:30am" say the half of the day twice
    time = clock(f"{hour}:{minute}{half}")
    return Token("T" if match["time"].isdigit() else "M", time, match["time"]) if time else None
