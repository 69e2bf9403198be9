"""What somebody types into a search box: words, "words side by side", -words, and from:, in:, to:me, before:, after:,
has:picture. It is pure; whoever searches looks the names up."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from gateway.language.words.normalize import CLOSING_QUOTES, OPENING_QUOTES, clean

LONGEST: Final = 200  # characters
MOST: Final = 12  # words and operators
_PIECE: Final = re.compile(
    rf"(?P<minus>-)?[{re.escape(OPENING_QUOTES)}](?P<phrase>[^{re.escape(CLOSING_QUOTES)}]*)"
    rf"(?:[{re.escape(CLOSING_QUOTES)}]|$)"
    rf"|(?P<key>from|in|to|before|after|has):(?P<value>\S*)|(?P<word>\S+)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class SearchQuery:
    """`authors`, `groups`: handles or names as they were typed. `wrong`: what was typed and means nothing here."""

    words: Sequence[str] = ()
    phrases: Sequence[str] = ()
    without: Sequence[str] = ()
    authors: Sequence[str] = ()
    groups: Sequence[str] = ()
    to_me: bool = False
    before: date | None = None
    after: date | None = None
    pictures: bool = False
    wrong: Sequence[str] = ()

    @property
    def said(self) -> str:
        """The words alone, as a topic that people may know about."""
        return " ".join([*self.words, *self.phrases])

    @property
    def narrowed(self) -> bool:
        return bool(self.authors or self.groups or self.to_me or self.before or self.after or self.pictures)

    @property
    def empty(self) -> bool:
        return not (self.words or self.phrases or self.narrowed)


@dataclass(slots=True)
class _Found:
    lists: dict[str, list[str]] = field(
        default_factory=lambda: {each: [] for each in ("words", "phrases", "without", "authors", "groups", "wrong")}
    )
    days: dict[str, date] = field(default_factory=dict)
    to_me: bool = False
    pictures: bool = False


def read(typed: str) -> SearchQuery:
    """Never raises, whatever was typed."""
    found = _Found()
    for piece in list(_PIECE.finditer(clean(typed)[:LONGEST]))[:MOST]:
        _take(found, piece)
    return SearchQuery(
        **found.lists, to_me=found.to_me, before=found.days.get("before"), after=found.days.get("after"),
        pictures=found.pictures,
    )  # fmt: skip


def _take(found: _Found, piece: re.Match[str]) -> None:
    if piece["phrase"] is not None:
        _add(found, "without" if piece["minus"] else "phrases", piece["phrase"].strip())
    elif piece["key"]:
        _operator(found, piece["key"].lower(), piece["value"].strip(",;"), piece[0])
    elif piece["word"].startswith("-") and len(piece["word"]) > 1:
        _add(found, "without", piece["word"][1:])
    else:
        _add(found, "words", piece["word"])


def _operator(found: _Found, key: str, value: str, written: str) -> None:
    match key, value.lower():
        case ("from", name) if name:
            _add(found, "authors", name.lstrip("@"))
        case ("in", name) if name:
            _add(found, "groups", name.lstrip("#@"))
        case ("to", "me"):
            found.to_me = True
        case ("has", "picture" | "pictures" | "image"):
            found.pictures = True
        case ("before" | "after", written_day) if day := _day(written_day):
            found.days[key] = day
        case _:
            _add(found, "wrong", written)


def _add(found: _Found, kind: str, what: str) -> None:
    if any(each.isalnum() for each in what):
        found.lists[kind].append(what)


def _day(written: str) -> date | None:
    try:
        return date.fromisoformat(written)
    except ValueError:
        return None
