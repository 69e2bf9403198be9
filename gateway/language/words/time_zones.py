"""Time zones that people mean by what they write: "tokyo", "eastern time", "utc+2". The grammar asks whether words are
a zone, the command `zone` asks which one."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from zoneinfo import available_timezones

from babel import Locale, UnknownLocaleError
from babel.core import get_global

from gateway.i18n.phrases import languages
from gateway.language.words.zone_names import CITIES, MAIN_ZONES, ORDINARY, SHORT_NAMES

NEAREST = 3
LONGEST_TEXT = 64
_ALIKE = 0.7  # how much of two names must agree, as difflib counts; "tokio" and "tokyo" have 0.8
_UNUSABLE = frozenset({"Factory", "localtime", "posixrules"})  # they mean nothing, or what a machine is set to
_REGIONS = frozenset(
    ["Africa", "America", "Antarctica", "Arctic", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific"]
)
_OFFSET = re.compile(r"(?:(?:utc|gmt) ?)?([+-]) ?(\d{1,2})(?::?00)?")
_KEPT_OFFSET = re.compile(r"Etc/GMT([+-])(\d+)")
_AROUND = re.compile(r"(?:hora (?:de la |del |de )?)?(.*?)(?: (?:time(?: ?zone)?|standard time|daylight time))?")
_DASHES = re.compile("[\u2010-\u2015\u2212]")
_DROPPED = re.compile(r"[.'’`\"“”!?]")


@dataclass(frozen=True, slots=True)
class ZonesFound:
    """IANA names. `exact`: what the words mean, more than one where several places are called so. `near`: when none
    is, the names that look most like it, the nearest first."""

    exact: tuple[str, ...] = ()
    near: tuple[str, ...] = ()


def look_up(text: str) -> ZonesFound:
    """As `find`, in every language that Critter speaks: a text is read before it is known who wrote it."""
    found = [find(text, language) for language in sorted(languages())]
    near = tuple(dict.fromkeys(name for one in found for name in one.near))[:NEAREST]
    return next((one for one in found if one.exact), ZonesFound(near=near))


def is_zone(text: str) -> bool:
    """Whether these words, behind the verb, can only mean a zone: "zone north" may be an update about a place."""
    return _fold(text) not in ORDINARY and bool(look_up(text).exact)


def place(name: str) -> str:
    """What an IANA name is called in a sentence: New York, or UTC+2."""
    if match := _KEPT_OFFSET.fullmatch(name):
        return f"UTC{'-' if match[1] == '+' else '+'}{match[2]}"  # the names of IANA have the other sign
    return name.rpartition("/")[2].replace("_", " ")


def written_as(name: str) -> str:
    """How to write a zone so that it alone is meant: by its place, else by its whole name."""
    called = place(name)
    return called.lower() if find(called).exact == (name,) and _fold(called) not in ORDINARY else name


def find(text: str, language: str = "en") -> ZonesFound:
    """The zones that a person means: an IANA name, a city, a country with one zone, a name such as "eastern time", or
    "utc+2". Names of cities and countries are looked up in English and in the person's language."""
    written = _fold(text)
    if not written or len(written) > LONGEST_TEXT:
        return ZonesFound()
    names = _names(language)
    for word in _ways_to_read(written):
        if found := _by_offset(word) or names.get(word):
            return ZonesFound(exact=found)
    return ZonesFound(near=_nearest(next(_ways_to_read(written)), names))


def _ways_to_read(written: str) -> Iterator[str]:
    """The words without "time" around them, as they are, and what stands before a comma ("paris, france")."""
    match = _AROUND.fullmatch(written)
    bare = match[1] if match and match[1] else written
    yield bare
    yield written
    yield bare.partition(",")[0].strip()


def _fold(text: str) -> str:
    """Lower case without accents and marks; IANA's slashes and underscores are blanks."""
    letters = unicodedata.normalize("NFKD", _DASHES.sub("-", text).casefold())
    bare = "".join(each for each in letters if not unicodedata.combining(each))
    return " ".join(_DROPPED.sub("", bare).replace("_", " ").replace("/", " ").split())


def _by_offset(word: str) -> tuple[str, ...]:
    """The zone of a fixed offset. The names of IANA have the other sign: Etc/GMT-2 is two hours ahead of UTC."""
    match = _OFFSET.fullmatch(word)
    if match is None:
        return ()
    hours = int(match[2])
    name = f"Etc/GMT{'-' if match[1] == '+' else '+'}{hours}" if hours else "UTC"
    return (name,) if name in usable() else ()


def _nearest(word: str, names: dict[str, tuple[str, ...]]) -> tuple[str, ...]:
    """Names that begin with the word or have a word that does, and then those that are spelt almost like it."""
    begun = [name for name in names if len(word) >= 3 and f" {word}" in f" {name}"]
    alike = get_close_matches(word, names, n=2 * NEAREST, cutoff=_ALIKE)
    zones = (each for name in (*sorted(begun, key=len), *alike) for each in names[name])
    return tuple(dict.fromkeys(zones))[:NEAREST]


def nearest_written(text: str) -> str | None:
    """How to write the zone whose place looks most like these words, if any does."""
    word, near = _fold(text), look_up(text).near
    written = [each for each in map(written_as, near) if f" {word}" in f" {_fold(each)}"]
    return next(iter([*written, *get_close_matches(word, map(written_as, near), n=1, cutoff=_ALIKE)]), None)


@lru_cache(maxsize=1)
def usable() -> frozenset[str]:
    """The IANA names that this machine knows and that somebody can live in."""
    return frozenset(available_timezones() - _UNUSABLE)


@lru_cache(maxsize=8)
def _names(language: str) -> dict[str, tuple[str, ...]]:
    """Every name of a zone that may be written, folded, and the zones called so."""
    found: dict[str, dict[str, None]] = {}
    for name, meant in _named(language):
        if meant in usable():
            found.setdefault(_fold(name), {})[meant] = None
    sure = {**CITIES, **SHORT_NAMES}
    found.update({name: {meant: None} for name, meant in sure.items() if meant in usable()})
    return {name: tuple(zones) for name, zones in found.items()}


def _named(language: str) -> Iterator[tuple[str, str]]:
    """IANA names, and what stands behind their region; then the names of the person's language."""
    for name in sorted(usable()):
        meant = renamed(name)
        yield name, meant
        region, *places = name.split("/")
        if region in _REGIONS:
            yield " ".join(places), meant
            yield " ".join(reversed(places)), meant
            yield places[-1], meant
    for locale in _locales(language):
        yield from _in_locale(locale)


def renamed(name: str) -> str:
    """The name of today for an older one, if this machine's data have it: Europe/Kyiv for Europe/Kiev."""
    new = get_global("zone_aliases").get(name, name)
    return new if new in usable() else name


def _locales(language: str) -> Iterator[Locale]:
    yield Locale("en")
    try:
        yield Locale.parse(language, sep="-")
    except (ValueError, UnknownLocaleError):
        return  # a language without names of places; the English ones hold


def _in_locale(locale: Locale) -> Iterator[tuple[str, str]]:
    """The cities of zones, and the countries that have one zone, or one in which nearly everybody lives."""
    aliases, territories = get_global("zone_aliases"), get_global("zone_territories")
    zones: dict[str, list[str]] = {}
    for name, territory in territories.items():
        if name not in aliases:
            zones.setdefault(territory, []).append(name)
    for name, known in locale.time_zones.items():
        if "city" in known:
            yield known["city"], renamed(name)
    for territory, country in locale.territories.items():
        only = MAIN_ZONES.get(territory) or (zones[territory][0] if len(zones.get(territory, ())) == 1 else None)
        if only:
            yield country, only
