"""The kinds of argument a usage line can ask for, and what each accepts. verbs.py compiles usage lines into them."""

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from gateway.i18n.language_tags import language
from gateway.language.usage import way_words
from gateway.language.usage.full_names import MOST_WORDS, may_be_name
from gateway.language.words import digest_times, quiet_hours, time_zones
from gateway.language.words.durations import duration
from gateway.language.words.normalize import CLOSING_QUOTES, OPENING_QUOTES, fold_case, tokens
from gateway.typed_input import strip_invisible

ACCOUNTS = frozenset({"NAME", "PERSON", "GROUP"})
LONGEST_WORD = 64
MOST_LINE = 8  # words of a status; more of them are a sentence
MOST_TOPIC = 5  # words of a topic; more of them are a sentence
MOST_TOKENS = 16  # as many as hours of quiet for workdays and weekends take

_EDGES = ".,:;!?"
_PHONE = re.compile(r"\+?[\d .()/-]+")
_A_DAY = re.compile(
    r"([0-9]{1,6})(?: ?(?:texts?|sms|messages?|textos?|mensajes?))?"
    r"(?: ?(?:/|a|per|each|every|al|por) ?(?:day|d[ií]a)| daily| diarios)?"
)
_SO_LONG = re.compile(r"(?:after |in |tras |a los )?([0-9]{1,4}) ?(m|min|mins|minutes?|minutos?|h|hrs?|hours?|horas?)?")
_DASHES = re.compile("[\u2010-\u2015\u2212]")
_MAILBOX = re.compile(r"[^\s@<>(),;:\"]{1,64}@[^\s@<>(),;:\"]+\.(?:[^\W\d_]{2,24}|xn--[a-z0-9-]{1,59})")
_CODE = re.compile(r"(?=.*\d)[a-z0-9-]{4,12}")
_ITEM = re.compile(r"[a-z]\d{1,2}")
_HASHTAG = re.compile(r"#[^\W_]\w{0,49}")
_DISPLAY_NAME = re.compile(r"[^\W\d_][\w.'’-]*( [^\W\d_][\w.'’-]*){0,3}")


@dataclass(frozen=True, slots=True)
class ArgumentWords:
    """The words after a verb, with their places in the text. `more` says that there are words beyond them."""

    text: str
    all: tuple[str, ...]
    starts: tuple[int, ...]
    more: bool

    def __len__(self) -> int:
        return len(self.all)

    def joined(self, at: int, count: int) -> str:
        """`count` words from `at` on, one blank between them."""
        return " ".join(self.all[at : at + count])

    def tail(self, at: int) -> str:
        return self.text[self.starts[at] :]


def words(text: str) -> ArgumentWords:
    """The first words of a text; only the kind TEXT needs more of them."""
    found = tokens(text, MOST_TOKENS + 1)
    kept = found[:MOST_TOKENS]
    return ArgumentWords(text, tuple(m.group() for m in kept), tuple(m.start() for m in kept), len(found) > MOST_TOKENS)


# How many words were taken, and the argument they make.
Taken = tuple[int, str]
Accepts = Callable[[ArgumentWords, int], Iterator[Taken]]


def _one(accept: Callable[[str], str | None]) -> Accepts:
    return _span(accept, 1)


def _span(accept: Callable[[str], str | None], longest: int, as_written: bool = False) -> Accepts:
    """A kind of argument that may have up to `longest` words, such as "till 9" or "+1 415 555 0123"."""

    def take(source: ArgumentWords, at: int) -> Iterator[Taken]:
        for count in range(min(longest, len(source) - at), 0, -1):
            written = source.joined(at, count)
            value = accept(written if as_written else fold_case(written))
            if value is not None:
                yield count, value

    return take


def _matching(pattern: re.Pattern[str]) -> Callable[[str], str | None]:
    def accept(text: str) -> str | None:
        bare = text.rstrip(_EDGES)
        return bare if pattern.fullmatch(bare) else None

    return accept


def _display_name(text: str) -> str | None:
    """A display name. A question is none: "name of the client?"."""
    bare = text.rstrip(".,:;!")
    return bare if _DISPLAY_NAME.fullmatch(bare) else None


def _among(*choices: str) -> Callable[[str], str | None]:
    return lambda text: bare if (bare := text.rstrip(_EDGES)) in choices else None


def _count(text: str) -> str | None:
    return str(int(text)) if text.isascii() and text.isdigit() and len(text) <= 3 and int(text) else None


def _number_a_day(text: str) -> str | None:
    """How many a day; also one that is too high, or 0, so that the answer can say what is possible."""
    match = _A_DAY.fullmatch(text.rstrip(_EDGES))
    return str(int(match[1])) if match else None


def _minutes(text: str) -> str | None:
    """A time in minutes; also one that is too long, or 0, so that the answer can say what is possible."""
    match = _SO_LONG.fullmatch(text.rstrip(_EDGES))
    if match is None:
        return None
    return str(int(match[1]) * (60 if (match[2] or "m").startswith("h") else 1))


def _address(text: str) -> str | None:
    """A phone's digits, or a mailbox in lower case. Case folding would change a domain with a sharp s (ß)."""
    bare = unicodedata.normalize("NFKC", strip_invisible(text)).lower().rstrip(_EDGES)
    phone = _DASHES.sub("-", bare)
    digits = "".join(filter(str.isdecimal, phone))
    if phone.isascii() and _PHONE.fullmatch(phone) and 7 <= len(digits) <= 15:
        return ("+" if phone.startswith("+") else "") + digits
    return bare if _MAILBOX.fullmatch(bare) else None


def _time(text: str) -> str | None:
    """When a digest comes; digest_times.py reads the words again for whoever needs the time itself."""
    bare = text.rstrip(_EDGES)
    return bare if digest_times.read(bare) is not None else None


def _zone(text: str) -> str | None:
    """A time zone by any of its names, as it is written."""
    bare = text.rstrip(_EDGES)
    return bare if time_zones.is_zone(bare) else None


def _account(source: ArgumentWords, at: int) -> Iterator[Taken]:
    """A handle or a first name, and then every longer run of words that may be a full name."""
    if len(source.all[at]) <= LONGEST_WORD:
        yield 1, source.all[at]
    for count in range(2, min(MOST_WORDS, len(source) - at) + 1):
        if may_be_name(source.all[at : at + count]):
            yield count, source.joined(at, count)


def _marked_group(source: ArgumentWords, at: int) -> Iterator[Taken]:
    """A group with its mark, without which the words after an everyday verb are a sentence."""
    word = source.all[at].rstrip(_EDGES)
    if fold_case(word[:1]) == "#" and 1 < len(word) <= LONGEST_WORD:
        yield 1, word


def _word(source: ArgumentWords, at: int) -> Iterator[Taken]:
    word = source.all[at].rstrip(_EDGES)
    if word and word[0] not in OPENING_QUOTES and len(word) <= LONGEST_WORD:
        yield 1, word


def _quote(source: ArgumentWords, at: int) -> Iterator[Taken]:
    if source.all[at][0] not in OPENING_QUOTES:
        return
    for end in range(at, len(source)):
        last = source.all[end].rstrip(_EDGES)
        if last and last[-1] in CLOSING_QUOTES and (end > at or len(last) > 1):
            phrase = source.text[source.starts[at] + 1 : source.starts[end] + len(last) - 1].strip()
            if phrase:
                yield end - at + 1, phrase
            return


def _phrase(source: ArgumentWords, at: int) -> Iterator[Taken]:
    """As QUOTE, but the argument keeps its quotation marks, where a command also takes words without them."""
    for count, phrase in _quote(source, at):
        yield count, f'"{phrase}"'


def _topic(source: ArgumentWords, at: int) -> Iterator[Taken]:
    """A few words, or a phrase that keeps its quotation marks: its words must stand together."""
    if source.all[at][0] in OPENING_QUOTES:
        yield from _phrase(source, at)
        return
    for count in range(min(MOST_TOPIC, len(source) - at), 0, -1):
        if topic := source.joined(at, count).rstrip(_EDGES):
            yield count, topic


# "status of the server", "status update: we are late": with these words behind it, the verb begins a sentence.
_SENTENCE_WORDS = """
of update updates report reports quo meeting call check page changed is was looks seems del de la
"""
_OF_A_SENTENCE = frozenset(_SENTENCE_WORDS.split())


def _line(source: ArgumentWords, at: int) -> Iterator[Taken]:
    """A few words about where somebody is, as they write them; as few as possible, for an end may follow them."""
    if fold_case(source.all[at]).rstrip(_EDGES) in _OF_A_SENTENCE and len(source) > at + 1:
        return
    for count in range(1, min(MOST_LINE, len(source) - at) + 1):
        if line := source.joined(at, count).rstrip(_EDGES):
            yield count, line


def _rest(source: ArgumentWords, at: int) -> Iterator[Taken]:
    yield len(source) - at, source.tail(at)


KINDS: dict[str, Accepts] = {
    "NAME": _account,
    "PERSON": _account,
    "GROUP": _account,
    "#GROUP": _marked_group,
    "#TAG": _one(_matching(_HASHTAG)),
    "TAG": _one(_matching(_HASHTAG)),
    "ITEM": _one(_matching(_ITEM)),
    "WORD": _word,
    "TOPIC": _topic,
    "QUOTE": _quote,
    "PHRASE": _phrase,
    "COUNT": _one(_count),
    "NUMBER": _span(_number_a_day, 4),
    "MINUTES": _span(_minutes, 3),
    "FOR": _span(duration, 3),
    "ADDRESS": _span(_address, 6, as_written=True),
    "CODE": _one(_matching(_CODE)),
    "TIME": _span(_time, 6),
    "ZONE": _span(_zone, 6),
    "RANGE": _span(quiet_hours.read, MOST_TOKENS),
    "LANG": _one(language),
    "KIND": _one(_among("open", "closed", "broadcast")),
    "ONOFF": _one(_among("on", "off")),
    "CHANNEL": _one(_among(*way_words.CHANNELS)),
    "WAY": _one(_among(*way_words.WAYS)),
    "CAUSE": _one(_among(*way_words.CAUSE_WORDS)),
    "VERB": _one(_matching(re.compile(r"/?[\w?]{1,20}"))),
    "LINE": _line,
    "FULLNAME": _span(_display_name, 4, as_written=True),
    "TEXT": _rest,
}


@dataclass(frozen=True, slots=True)
class ArgumentSlot:
    """One place in a usage line: the kinds it takes (alternatives) or a literal word, and whether it is optional."""

    kinds: tuple[str, ...] = ()
    literal: str = ""
    optional: bool = False

    @property
    def account(self) -> bool:
        return bool(ACCOUNTS.union({"#GROUP"}).intersection(self.kinds))

    @property
    def shaped(self) -> bool:
        """Whether a word of the wrong kind can stand here: the number of words decides, then the kind is asked
        about."""
        return bool(self.kinds) and "TEXT" not in self.kinds

    def takes(self, source: ArgumentWords, at: int) -> Iterator[tuple[int, str, str]]:
        """Each way to take words from `at` on: how many, the argument, its kind (empty for a literal)."""
        if self.literal:
            if fold_case(source.all[at]).rstrip(_EDGES) == self.literal:
                yield 1, self.literal, ""
            return
        for kind in self.kinds:
            for count, value in KINDS[kind](source, at):
                yield count, value, kind
