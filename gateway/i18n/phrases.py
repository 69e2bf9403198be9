"""Phrases: sentences for people that keep their template and values, so that they can be translated for their reader.

Whoever answers writes `say("You follow {name}.", name=…)`: this is a str in English, which `translated` turns into
another language when the reader is known. The catalogs are locales/*.po; `make translations` finds what they lack.
"""

from __future__ import annotations

import io
import string
from collections.abc import Callable, Iterable
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from gettext import GNUTranslations, NullTranslations
from pathlib import Path
from typing import Any, Final

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_skeleton
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_currency, format_decimal

LOCALES: Final = Path(__file__).parent / "locales"
ENGLISH: Final = "en"
Saying = Callable[["Translator"], str]


class Phrase(str):
    """A sentence in English; `saying` gives it in the language of a translator."""

    saying: Saying

    def __new__(cls, saying: Saying) -> Phrase:
        phrase = super().__new__(cls, saying(translator(ENGLISH)))
        phrase.saying = saying
        return phrase

    def __reduce__(self) -> tuple[type[str], tuple[str]]:
        """A pickled or copied phrase is only its English words, because the function `saying` cannot be pickled."""
        return str, (str(self),)


class Translator:
    """One language: its catalog, and how it writes numbers, money and times."""

    def __init__(self, language: str) -> None:
        self.locale = _locale(language)
        self.catalog = _catalog(self.locale.language)

    def value(self, value: Any) -> str:
        """A value as a reader of this language expects it; a plain str (words of people) stays as it is."""
        if isinstance(value, Phrase):
            return value.saying(self)
        if isinstance(value, int):
            return _without_odd_blanks(format_decimal(value, locale=self.locale))
        if isinstance(value, Decimal):
            return _without_odd_blanks(format_currency(value, "USD", locale=self.locale))
        if isinstance(value, datetime):
            return _without_odd_blanks(format_skeleton("EEEHm", value, locale=self.locale))
        if isinstance(value, date):
            return _without_odd_blanks(format_skeleton("MMMd", value, locale=self.locale))
        return str(value)

    def filled(self, template: str, values: dict[str, Any]) -> str:
        return FORMATTER.vformat(template, (), {name: self.value(value) for name, value in values.items()})


class _Formatter(string.Formatter):
    """Python's formatter, and `{handle!u}` for capitals: so are commands shown that the reader can send back."""

    def convert_field(self, value: Any, conversion: str | None) -> Any:
        return str(value).upper() if conversion == "u" else super().convert_field(value, conversion)


FORMATTER: Final = _Formatter()


def say(template: str, **values: Any) -> Phrase:
    """A sentence: the English template, which is also its key in the catalogs, with its values."""
    return Phrase(lambda translator: translator.filled(translator.catalog.gettext(template), values))


def template(words: str) -> str:
    """Marks a template that is used elsewhere, so that the extraction of messages finds it."""
    return words


def count(one: str, many: str, number: int, **values: Any) -> Phrase:
    """A sentence about a number; the templates call it {count}."""
    values = {"count": number, **values}
    return Phrase(lambda translator: translator.filled(translator.catalog.ngettext(one, many, number), values))


def weekday(day: date) -> Phrase:
    """Tuesday, as the reader's language writes it within a sentence."""
    return Phrase(lambda translator: format_date(day, "EEEE", locale=translator.locale))


def month(day: date, *, with_year: bool) -> Phrase:
    """May, or May 2026."""

    def saying(translator: Translator) -> str:
        if with_year:
            return _without_odd_blanks(format_skeleton("yMMMM", day, locale=translator.locale))
        return format_date(day, "LLLL", locale=translator.locale)

    return Phrase(saying)


def joined(parts: Iterable[str], between: str = " ") -> Phrase:
    """Phrases one after the other, with `between` between them; empty ones are left out."""
    kept = [part for part in parts if part]
    return Phrase(lambda translator: between.join(translator.value(part) for part in kept))


def sentence(fragment: str) -> Phrase:
    """A reason ("no one is called slaes") as a sentence of its own: capital and full stop."""

    def saying(translator: Translator) -> str:
        words = translator.value(fragment)
        return f"{words[:1].upper()}{words[1:].rstrip('.')}."

    return Phrase(saying)


def capital(fragment: str) -> Phrase:
    """A question ("follow whom?") as a sentence of its own."""

    def saying(translator: Translator) -> str:
        words = translator.value(fragment)
        return f"{words[:1].upper()}{words[1:]}"

    return Phrase(saying)


def listed(words: Iterable[str]) -> Phrase:
    """The words as a list: Kim, Sam and Pat."""
    *first, last = words
    return say("{first} and {last}", first=joined(first, ", "), last=last) if first else joined([last])


def translated(words: str, language: str) -> str:
    """The words in `language` (BCP 47); what is no Phrase, or has no translation, stays as it is."""
    return words.saying(translator(language)) if isinstance(words, Phrase) else words


@lru_cache(maxsize=64)
def translator(language: str) -> Translator:
    return Translator(language)


def languages() -> frozenset[str]:
    """The languages that answers can be given in."""
    return frozenset({ENGLISH, *(path.stem for path in LOCALES.glob("*.po"))})


def _locale(language: str) -> Locale:
    """The nearest locale that Babel knows; English for a language that has no catalog."""
    for name in (language.replace("-", "_"), language.split("-")[0]):
        try:
            found = Locale.parse(name)
        except (UnknownLocaleError, ValueError):
            continue
        if found.language in languages():
            return found
    return Locale(ENGLISH)


@lru_cache(maxsize=16)
def _catalog(language: str) -> NullTranslations:
    """The catalog of a language. gettext reads only the compiled form, which is made here in memory."""
    path = LOCALES / f"{language}.po"
    if not path.exists():
        return NullTranslations()
    with path.open("rb") as file:
        catalog = read_po(file, locale=language)
    compiled = io.BytesIO()
    write_mo(compiled, catalog)
    compiled.seek(0)
    return GNUTranslations(compiled)


def _without_odd_blanks(text: str) -> str:
    """Replaces Babel's no-break spaces, which would turn a text into UCS-2 and double its price."""
    return text.replace("\u202f", " ").replace("\xa0", " ")


def fits(words: str, most: int) -> bool:
    """Whether it has at most so many characters in every language."""
    return all(len(translated(words, language)) <= most for language in languages())
