"""Sentences of a page in its reader's language. A list says most of them for each of its updates, so those whose values
are plain words and numbers are remembered."""

from functools import lru_cache
from typing import Any, Final

from gateway.i18n.phrases import translator

REMEMBERED: Final = 20_000
PLAIN: Final = (str, int)


def say(language: str, template: str, **values: Any) -> str:
    """`say` of templates: as that of Python, and translated at once."""
    if all(type(value) in PLAIN for value in values.values()):
        return _said(language, template, **values)
    return _say(language, template, values)


def count(language: str, one: str, many: str, number: int, **values: Any) -> str:
    """`count` of templates."""
    if all(type(value) in PLAIN for value in values.values()):
        return _counted(language, one, many, number, **values)
    return _count(language, one, many, number, values)


@lru_cache(REMEMBERED)
def _said(language: str, template: str, **values: Any) -> str:
    return _say(language, template, values)


@lru_cache(REMEMBERED)
def _counted(language: str, one: str, many: str, number: int, **values: Any) -> str:
    return _count(language, one, many, number, values)


def _say(language: str, template: str, values: dict[str, Any]) -> str:
    spoken = translator(language)
    return spoken.filled(spoken.catalog.gettext(template), values)


def _count(language: str, one: str, many: str, number: int, values: dict[str, Any]) -> str:
    spoken = translator(language)
    return spoken.filled(spoken.catalog.ngettext(one, many, number), {"count": number, **values})
