"""The settings as they are in force, each with where it comes from; secrets are covered. The operators' page shows
them."""

import os
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, Final, Literal, NamedTuple

from dotenv import dotenv_values

from gateway.settings import ENV_FILE, Settings

Source = Literal["environment", "file", "default"]
COVERED: Final = "•••"


class InForce(NamedTuple):
    """One setting. `value`: as it would be written; empty when it is not set."""

    name: str
    value: str
    source: Source
    secret: bool


def list_in_force(settings: Settings, environ: Mapping[str, str] | None = None) -> Iterator[InForce]:
    """By name. `environ`: of the process."""
    written = _written_in_file()
    given = os.environ if environ is None else environ
    model = type(settings)
    for attribute, field in sorted(model.model_fields.items(), key=lambda each: each[1].alias or each[0]):
        name = field.alias or attribute
        value = getattr(settings, attribute)
        shown = _shown(value)
        yield InForce(
            name, COVERED if shown and not field.repr else shown, _source(name, given, written), not field.repr
        )


def _written_in_file() -> Mapping[str, str | None]:
    try:
        return dotenv_values(ENV_FILE, interpolate=False)
    except (OSError, UnicodeDecodeError):  # it was readable when the process started; what is in force stays so
        return {}


def _source(name: str, environ: Mapping[str, str], written: Mapping[str, str | None]) -> Source:
    if environ.get(name, "").strip():
        return "environment"
    return "file" if (written.get(name) or "").strip() else "default"


def _shown(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "on" if value else "off"
        case Decimal():
            return f"{value.normalize():f}"
        case float():
            return f"{value:g}"
        case (str() as host, int() as port):
            return f"{host}:{port}"
        case tuple() | list() | frozenset():
            return ", ".join(map(_shown, value))
        case dict():
            return ", ".join(f"{key}={_shown(each)}" for key, each in value.items())
    return str(value)
