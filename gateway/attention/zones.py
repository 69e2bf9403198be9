"""Time zones: the one that is kept for a person, and the one that they mean by what they write ("tokyo", "utc+2")."""

import logging
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from difflib import get_close_matches
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from babel import Locale, UnknownLocaleError
from babel.core import get_global

from gateway.attention.zone_names import CITIES, MAIN_ZONES, SHORT_NAMES

log = logging.getLogger(__name__)

NEAREST = 3
LONGEST_TEXT = 64
_ALIKE = 0.7  # how much of two names must agree, as difflib counts; "tokio" and "tokyo" have 0.8
_UNUSABLE = frozenset({"Factory", "localtime", "posixrules"})  # they mean nothing, or what a machine is set to
_REGIONS = frozenset(
    ["Africa", "America", "Antarctica", "Arctic", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific"]
)
_OFFSET = re.compile(r"(?:(?:utc|gmt) ?)?([+-]) ?(\d{1,2})(?::?00)?")
_AROUND = re.compile(r"(?:hora (?:de la |del |de )?)?(.*?)(?: (?:time(?: ?zone)?|standard time|daylight time))?")
_DASHES = re.compile("[\u2010-\u2015\u2212]")
_DROPPED = re.compile(r"[.'’`\"“”!?]")


@dataclass(frozen=True, slots=True)
class ZonesFound:
    """IANA names. `exact`: what the words mean, more than one where several places are called so. `near`: when none
    is, the names that look most like it, the nearest first."""

    exact: tuple[str, ...] = ()
    near: tuple[str, ...] = ()


@lru_cache(maxsize=1024)
def zone(name: str) -> ZoneInfo:
    """The zone of a name that is kept; UTC for one that is unknown, or known no more. That is logged once by each
    process and never an error: one person's zone must not end a batch for all."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:  # a folder's name is an OSError
        log.warning("no time zone is called %r, UTC is taken for it: %s", name[:LONGEST_TEXT], type(error).__name__)
        return ZoneInfo("UTC")


def today(name: str, now: datetime) -> date:
    """The date that the clocks of a kept zone show at an instant."""
    return now.astimezone(zone(name)).date()


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
    return (name,) if name in _usable() else ()


def _nearest(word: str, names: dict[str, tuple[str, ...]]) -> tuple[str, ...]:
    """Names that begin with the word or have a word that does, and then those that are spelt almost like it."""
    begun = [name for name in names if len(word) >= 3 and f" {word}" in f" {name}"]
    alike = get_close_matches(word, names, n=2 * NEAREST, cutoff=_ALIKE)
    zones = (each for name in (*sorted(begun, key=len), *alike) for each in names[name])
    return tuple(dict.fromkeys(zones))[:NEAREST]


@lru_cache(maxsize=1)
def _usable() -> frozenset[str]:
    return frozenset(available_timezones() - _UNUSABLE)


@lru_cache(maxsize=8)
def _names(language: str) -> dict[str, tuple[str, ...]]:
    """Every name of a zone that may be written, folded, and the zones called so."""
    found: dict[str, dict[str, None]] = {}
    for name, meant in _named(language):
        if meant in _usable():
            found.setdefault(_fold(name), {})[meant] = None
    sure = {**CITIES, **SHORT_NAMES}
    found.update({name: {meant: None} for name, meant in sure.items() if meant in _usable()})
    return {name: tuple(zones) for name, zones in found.items()}


def _named(language: str) -> Iterator[tuple[str, str]]:
    """IANA names, and what stands behind their region; then the names of the person's language."""
    for name in sorted(_usable()):
        meant = _renamed(name)
        yield name, meant
        region, *places = name.split("/")
        if region in _REGIONS:
            yield " ".join(places), meant
            yield " ".join(reversed(places)), meant
            yield places[-1], meant
    for locale in _locales(language):
        yield from _in_locale(locale)


def _renamed(name: str) -> str:
    """The name of today for an older one, if this machine's data have it: Europe/Kyiv for Europe/Kiev."""
    new = get_global("zone_aliases").get(name, name)
    return new if new in _usable() else name


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
            yield known["city"], _renamed(name)
    for territory, country in locale.territories.items():
        only = MAIN_ZONES.get(territory) or (zones[territory][0] if len(zones.get(territory, ())) == 1 else None)
        if only:
            yield country, only
