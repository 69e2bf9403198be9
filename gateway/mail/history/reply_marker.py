"""The line above which replies are written, in the reader's language: compose.py puts it there, quote_trimming.py cuts
at it."""

from functools import lru_cache
from typing import Final

from gateway.i18n.phrases import languages, say, translated

MARKER: Final = "## Reply above this line ##"


def marker(language: str) -> str:
    """Hashes on both sides in every language: nobody types that, and mail programs leave it as it is."""
    return f"## {translated(say('Reply above this line'), language)} ##"


def is_marked(line: str) -> bool:
    """Does our line stand here, in whichever language it was sent? Its reader may have changed theirs since."""
    return "##" in line and any(each in line for each in _all())


@lru_cache(maxsize=1)
def _all() -> tuple[str, ...]:
    return tuple(dict.fromkeys((MARKER, *map(marker, sorted(languages())))))
