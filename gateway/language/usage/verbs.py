"""The rows of the command table. handlers/ give usage lines as help shows them; the grammar is compiled from these."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from gateway.language.opt_out.keywords import RESERVED
from gateway.language.usage.arguments import KINDS, ArgumentSlot
from gateway.language.words.normalize import fold_case

# Verbs and aliases that are everyday English at the start of a text: an unknown argument makes them ask.
_EVERYDAY = """
ack add block digest drop fav followers following get groups help invite join lang last leave like limit link login lose
more msg mute name new off on oops owner part prefer quiet remove repeat reply report stats status sub track
undo unseen who why zone
"""
EVERYDAY = frozenset(_EVERYDAY.split())
_PIECE = re.compile(r"NAME\[,NAME…\]|\[[^\]]*\]|\S+")
_SPOKEN = {
    "text": "TEXT",
    "for": "FOR",
    "name[,name…]": "NAMES",
    "open, closed, broadcast": "KIND",
    "on|off": "ONOFF",
    '"a phrase"': "QUOTE",
    '"words"': "PHRASE",
}


@dataclass(frozen=True, slots=True)
class UsageForm:
    """One usage line, as written and as compiled. `only`: the alias that it is for, if it is for one alone."""

    usage: str
    pieces: tuple[ArgumentSlot, ...]
    only: str = ""

    @property
    def fewest(self) -> int:
        return sum(not piece.optional for piece in self.pieces)


@dataclass(frozen=True, slots=True)
class Verb:
    """One command: what it is called, how it is written, and how careful the grammar must be with it."""

    name: str
    aliases: tuple[str, ...]
    usages: tuple[str, ...]
    forms: tuple[UsageForm, ...]
    english: frozenset[str]
    asks: bool
    private: bool
    about: str
    intent: str
    abroad: Mapping[str, Mapping[str, str]] = field(default_factory=dict, hash=False)

    @property
    def marked(self) -> bool:
        """Whether it is a command only before a group with its mark, as in `ask #sales who is free?`."""
        return any("#GROUP" in piece.kinds for form in self.forms for piece in form.pieces[:1])

    def alias_of(self, word: str) -> str:
        """The name or alias that a word of another language stands for; any other word is itself."""
        return next((words[word] for words in self.abroad.values() if word in words), word)

    def asks_about(self, word: str) -> bool:
        """Whether the word is everyday speech, so that an unknown argument is asked about."""
        return word in self.english or self.alias_of(word) != word

    def said_as(self, word: str) -> tuple[UsageForm, ...]:
        """The usage lines of the word that a person used, in the declared order."""
        order = {usage: place for place, usage in enumerate(self.usages)}
        forms = (form for form in self.forms if form.only in ("", self.alias_of(word)))
        return tuple(sorted(forms, key=lambda form: order[form.usage]))

    def form(self, said: str = "") -> str:
        """The first usage line with an argument, for an error; `said` is the alias the person used."""
        forms = self.said_as(said)
        usage = next((form.usage for form in forms if form.usage != self.name), forms[0].usage)
        return said + usage.removeprefix(self.name) if said else usage


def verb(
    *usages: str,
    aliases: Iterable[str] = (),
    english: bool | None = None,
    asks: bool = False,
    private: bool = False,
    about: str = "",
    intent: str | None = None,
    spanish: str = "",
) -> Verb:
    """A table row from usage lines such as "follow NAME [for]"; the name is the words all of them begin with.
    `spanish`: the words for it in that language, with commas; "añadir=add" stands for that alias.

    `english` says that an unknown argument is asked about (True) or an error (False); left out, the everyday
    words among name and aliases decide each for itself. Raises ValueError for a usage line that cannot be read."""
    also = tuple(fold_case(alias) for alias in aliases)
    plain = tuple(usage for usage in usages if usage.split(" ")[0] not in also)
    if not plain:
        raise ValueError("a command needs a usage line")
    name = _name(plain)
    written = [_form(name, usage) if usage in plain else _alias_form(usage) for usage in usages]
    forms = tuple(sorted(written, key=_strictest_first))
    called = (name, *also)
    everyday = frozenset(called) if english else EVERYDAY.intersection(called) if english is None else frozenset()
    abroad = {"es": _abroad(name, spanish)} if spanish else {}
    return Verb(name, called[1:], usages, forms, everyday, asks, private, about, intent or name, abroad)


def _abroad(name: str, words: str) -> Mapping[str, str]:
    pairs = (word.strip().partition("=") for word in words.split(","))
    return {fold_case(word): alias or name for word, _, alias in pairs}


def spoken(rows: Mapping[str, Verb], language: str) -> Mapping[str, Verb]:
    """The table with the words of a person's language added; an English word keeps its meaning."""
    primary = language.partition("-")[0]
    abroad = {word: row for row in dict.fromkeys(rows.values()) for word in row.abroad.get(primary, ())}
    return MappingProxyType({**abroad, **rows}) if abroad else rows


def table(verbs: Iterable[Verb]) -> Mapping[str, Verb]:
    """Maps every name and alias to its row. Raises ValueError when two rows share one, or when carriers reserve it."""
    rows: dict[str, Verb] = {}
    for each in verbs:
        for word in (each.name, *each.aliases):
            if word in rows:
                raise ValueError(f"two commands are called {word!r}: {rows[word].name} and {each.name}")
            if word in RESERVED and word != "help":
                raise ValueError(f"{word!r} belongs to the carriers and cannot be a command")
            rows[word] = each
    _check_abroad(rows)
    return MappingProxyType(rows)


def _check_abroad(rows: Mapping[str, Verb]) -> None:
    """Raises ValueError when two rows share a word of another language, or when carriers reserve it."""
    taken: dict[tuple[str, str], str] = {}
    for row in dict.fromkeys(rows.values()):
        for language, words in row.abroad.items():
            for word in words:
                if word in RESERVED or taken.setdefault((language, word), row.name) != row.name:
                    raise ValueError(f"{word!r} cannot be {row.name}: it means something else")


def _name(usages: tuple[str, ...]) -> str:
    """The words all usage lines begin with, up to the first argument: "who got" is a command beside "who"."""
    leading = [_leading_words(usage) for usage in usages]
    shared = leading[0]
    for words in leading[1:]:
        shared = [a for a, b in zip(shared, words, strict=False) if a == b]
    if not shared or len(shared) > 2:
        raise ValueError(f"no command can be called that: {usages[0]!r}")
    return " ".join(shared)


def _leading_words(usage: str) -> list[str]:
    words = []
    for word in usage.split():
        if word in _SPOKEN or not (word.isalpha() and word.islower()):
            break
        words.append(word)
    return words


def _form(name: str, usage: str) -> UsageForm:
    return UsageForm(usage, tuple(_piece(text) for text in _PIECE.findall(usage.removeprefix(name))))


def _alias_form(usage: str) -> UsageForm:
    """Compiles a usage line that is for one alias alone: `add PERSON GROUP` beside `follow NAME`."""
    word = usage.split(" ")[0]
    return replace(_form(word, usage), only=word)


def _piece(text: str) -> ArgumentSlot:
    optional = text.startswith("[")
    inner = text.strip("[]") if optional else text
    spoken = inner.casefold() in _SPOKEN and text != "for"  # [for] is a time, and the bare word is a word
    if not spoken and not optional and inner.isalpha() and inner.islower():
        return ArgumentSlot(literal=inner)
    return ArgumentSlot(kinds=_kinds(inner), optional=optional)


def _kinds(text: str) -> tuple[str, ...]:
    whole = _SPOKEN.get(text.casefold())
    kinds = (whole,) if whole else tuple(_kind(part.strip()) for part in text.split("|"))
    unknown = [kind for kind in kinds if kind not in KINDS and kind != "NAMES"]
    if unknown:
        raise ValueError(f"no kind of argument is called {unknown[0]!r}")
    return kinds


def _kind(text: str) -> str:
    return _SPOKEN.get(text.casefold(), text)


def _strictest_first(form: UsageForm) -> tuple[bool, int]:
    return not any(piece.literal for piece in form.pieces), -len(form.pieces)
