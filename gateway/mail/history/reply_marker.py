"""The line above which people write their replies, in the reader's language. compose.py adds it, and quote_trimming.py
cuts there."""

from functools import lru_cache
from typing import Final

from gateway.i18n.phrases import languages, say, translated

MARKER: Final = "## Reply above this line ##"


def marker(language: str) -> str:
    """The marker in a language. It has hashes on both sides, which nobody types and mail programs do not change."""
    return f"## {translated(say('Reply above this line'), language)} ##"


def is_marked(line: str) -> bool:
    """Whether a line has our marker in any language: its reader may have changed theirs since the mail was sent."""
    return "##" in line and any(each in line for each in _all())


@lru_cache(maxsize=1)
def _all() -> tuple[str, ...]:
    return tuple(dict.fromkeys((MARKER, *map(marker, sorted(languages())))))
