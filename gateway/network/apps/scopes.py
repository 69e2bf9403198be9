"""What an app may do, in Mastodon's words: `read`, `write`, `follow`, `push`, `profile`, and parts of them such as
`read:statuses`. A wider scope covers its parts."""

from collections.abc import Collection, Iterable, Sequence
from typing import Final

PARTS: Final = {
    "read": (
        "accounts", "blocks", "bookmarks", "favourites", "filters", "follows", "lists", "mutes", "notifications",
        "search", "statuses",
    ),
    "write": (
        "accounts", "blocks", "bookmarks", "conversations", "favourites", "filters", "follows", "lists", "media",
        "mutes", "notifications", "reports", "statuses",
    ),
}  # fmt: skip
OLD_FOLLOW: Final = frozenset(f"{kind}:{part}" for kind in PARTS for part in ("blocks", "follows", "mutes"))
WHOLE: Final = ("profile", "read", "write", "follow", "push", "admin:read", "admin:write")
KNOWN: Final = (*WHOLE, *(f"{kind}:{part}" for kind, parts in PARTS.items() for part in parts))
DEFAULT: Final = ("read",)  # of an app that names none


def split(written: str) -> tuple[str, ...]:
    """The scopes of a list with blanks or commas between them, each once, in their order."""
    return tuple(dict.fromkeys(written.replace(",", " ").replace("+", " ").split()))


def unknown(asked: Iterable[str]) -> list[str]:
    return [each for each in asked if each not in KNOWN]


def covers(granted: Collection[str], wanted: str) -> bool:
    """Whether who has these scopes may do what needs `wanted`."""
    if wanted in granted or wanted.partition(":")[0] in granted:
        return True
    if wanted == "profile":
        return covers(granted, "read:accounts")
    return "follow" in granted and wanted in OLD_FOLLOW


def covers_all(granted: Collection[str], wanted: Sequence[str]) -> bool:
    return all(covers(granted, each) for each in wanted)
