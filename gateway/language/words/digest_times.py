"""Reads when a person wants their digest: "8am", "monday 8:30", "lunes a las 8". The argument kind TIME reads by it."""

import re
from dataclasses import dataclass
from datetime import time

from gateway.language.words.quiet_spans import DAY, time_of
from gateway.language.words.time_tokens import tokens_of
from gateway.language.words.weekdays import EVERY_DAY

_ORDER = re.compile("@?[TM]|D,?@?[TM]|[TM],?D")  # "@" is the Spanish "a", as in "lunes a las 8"


@dataclass(frozen=True, slots=True)
class DigestTime:
    """A time of every day, or of one weekday (0 is Monday)."""

    weekday: int | None
    at: time


def read(text: str) -> DigestTime | None:
    """None when the text names no time, more than one, or days that are neither one nor all."""
    tokens = tokens_of(text) or []
    kinds = "".join("@" if token.written == "a" else token.kind for token in tokens)
    if not _ORDER.fullmatch(kinds):
        return None
    clock = next(token.value for token in tokens if token.kind in "TM")
    days = next((token.value for token in tokens if token.kind == "D"), EVERY_DAY)
    return _at(days, clock) if days == EVERY_DAY or len(days) == 1 else None


def _at(days: tuple[int, ...], clock: tuple[int, ...]) -> DigestTime:
    """Midnight, as 24:00, ends the day that it is said of."""
    minute = clock[0] * 60 + clock[1]
    if days == EVERY_DAY:
        return DigestTime(None, time_of(minute))
    return DigestTime((days[0] + minute // DAY) % 7, time_of(minute))
