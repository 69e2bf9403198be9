"""Describes commands with the one wording that help by text, the web's help and docs/commands.md all show."""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from gateway.i18n.phrases import Phrase, joined, say
from gateway.language.usage.verbs import Verb


def described(verb: Verb) -> Phrase:
    """What the command does."""
    return say(verb.about)


def about(verb: Verb, language: str = "") -> Phrase:
    """The full description of a command, with the words that a person of this language may say instead."""
    forms = say("{form}: {about}.", form=joined(verb.usages, ", "), about=described(verb))
    others = say("Also: {words}.", words=", ".join(verb.aliases)) if verb.aliases else ""
    abroad = verb.abroad.get(language.partition("-")[0], ())
    in_their_own = say("In your language: {words}.", words=", ".join(list(abroad)[:2])) if abroad else ""
    return joined([forms, others, in_their_own])


def line(verb: Verb) -> Phrase:
    """The line of a command in a list of all commands."""
    return say("{form}: {about}", form=verb.form(), about=described(verb))


def each_once(verbs: Mapping[str, Verb]) -> Iterator[Verb]:
    """The commands, in the order of their declaration."""
    return iter(dict.fromkeys(verbs.values()))


@dataclass(frozen=True, slots=True)
class HelpEntry:
    """One thing that can be said: its usage lines, its other words, what it does, and an example."""

    usages: tuple[str, ...]
    aliases: tuple[str, ...]
    about: Phrase
    example: str


@dataclass(frozen=True, slots=True)
class Section:
    """A heading of the web's help with the entries under it. `key` is its anchor in the page."""

    key: str
    title: Phrase
    entries: tuple[HelpEntry, ...]


SAID_PLAINLY: Final = (
    HelpEntry(("text",), (), say("an update to everyone who follows you"), "visiting ACME until noon"),
    HelpEntry(("@NAME text",), (), say("an answer or a word to somebody, for everyone to read"), "@kim thank you!"),
    HelpEntry(("#GROUP text",), (), say("an update to a group"), "#lunch table for six at noon"),
    HelpEntry((".text",), (), say("an update, even if its first word is a command"), ".leave the keys with Sam"),
    HelpEntry(("STOP",), ("UNSUBSCRIBE", "CANCEL", "END", "QUIT"), say("no more texts, at once"), ""),
    HelpEntry(("START",), (), say("get texts again"), ""),
)
TITLES: Final = {
    "say": (say("Say something"), "d r rt like ask urgent finish"),
    "follow": (say("Follow people and groups"), "follow join unfollow track untrack nudge"),
    "quiet": (say("Get less, or nothing"), "off on quiet digest prefer unseen limit zone mute unmute block report"),
    "look": (say("Look things up"), "get whois who followers following groups stats"),
    "after": (say("After you wrote something"), "undo who\u00a0got why more"),
    "groups": (say("Run a group"), "new owner"),
    "you": (say("You and your colleagues"), "invite name status connect lang ack link login help"),
}
MORE: Final = say("More")  # for commands that have no heading in TITLES
# The values that examples have in place of the words of a usage line.
SPOKEN: Final = {
    "NAME[,NAME…]": "kim", "NAME": "kim", "PERSON": "sam", "GROUP": "lunch", "#TAG": "#win", "ITEM": "k7",
    "ADDRESS": "+14155550123", "CODE": "482913", "FULLNAME": "Kim Lee", "LANG": "es", "VERB": "follow", "COUNT": "3",
    "#GROUP": "#dispatch", "ZONE": "tokyo", "RANGE": "22-7", "TIME": "8am",
    "NUMBER": "20", "MINUTES": "5m", "text": "on my way", "for": "2h", "CHANNEL": "mail", "on|off": "on",
    "LINE": "in the workshop",
}  # fmt: skip
_PLACE: Final = re.compile(r"NAME\[,NAME…\]|\[[^\]]*\]|\S+")


def sections(verbs: Mapping[str, Verb], language: str = "") -> Iterator[Section]:
    """Everything that can be said, under headings. Every command is under one of them, with the words
    that a person of this language may say instead."""
    yield Section("plain", say("Without a command"), SAID_PLAINLY)
    left = {verb.name: verb for verb in each_once(verbs)}
    for key, (title, names) in TITLES.items():
        found = [left.pop(name.replace("\u00a0", " "), None) for name in names.split(" ")]
        entries = tuple(_entry(verb, language) for verb in found if verb)
        if entries:
            yield Section(key, title, entries)
    if left:
        yield Section("more", MORE, tuple(_entry(verb, language) for verb in left.values()))


def _entry(verb: Verb, language: str) -> HelpEntry:
    also = (*verb.aliases, *verb.abroad.get(language.partition("-")[0], ()))
    return HelpEntry(verb.usages, also, described(verb), example(verb))


def example(verb: Verb) -> str:
    """An example of the command; empty when it would repeat the usage line. Optional arguments are left out, unless
    only the command's name would remain."""
    said = spoken(verb.usages[0], verb.name)
    return "" if said == verb.usages[0] else said


def spoken(usage: str, bare: str) -> str:
    """A usage line with example values; `bare` is the name of the command alone."""
    places = _PLACE.findall(usage)
    needed = [place for place in places if place == "NAME[,NAME…]" or not place.startswith("[")]
    kept = needed if " ".join(needed) != bare else places
    return " ".join(SPOKEN.get(place.strip("[]") if place.startswith("[") else place, place) for place in kept)


def found(parts: Iterable[Section], words: str, shown: Callable[[str], str]) -> list[Section]:
    """The entries whose text has all these words; `shown` gives a phrase in the reader's language."""
    wanted = _bare(words).split()

    def fits(part: Section, entry: HelpEntry) -> bool:
        there = _bare(" ".join([shown(part.title), *entry.usages, *entry.aliases, shown(entry.about), entry.example]))
        return all(word in there for word in wanted)

    kept = [replace(part, entries=tuple(e for e in part.entries if fits(part, e))) for part in parts]
    return [part for part in kept if part.entries]


def _bare(words: str) -> str:
    """Without case and accents, as people type into a search."""
    return "".join(c for c in unicodedata.normalize("NFKD", words.casefold()) if not unicodedata.combining(c))
