"""Reads reactions as phones send them: `Liked "…"`, `Reacted 👍 to "…"`, a lone emoji. grammar.py calls it early."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from gateway.language.reactions.formats import ADDED, MANY, MEDIA, REMOVED

_MARKS = "\"'“”„‟«»‹›‘’‚‛＂「」『』"
_BLANKS = "\t\n\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
_PLAIN = str.maketrans(dict.fromkeys(_MARKS, '"') | dict.fromkeys(_BLANKS, " "))
_MEDIA = frozenset(" ".join(each.split()).translate(_PLAIN) for each in MEDIA.split("|"))
_MANY = frozenset(MANY.translate(_PLAIN).split())
_LONGEST_MEDIA = 40
_BASE = (
    r"[\U0001F004-\U0001FAFF\u203c\u2049\u231a-\u23ff\u25aa-\u27bf\u2934\u2935\u2b05-\u2b55"
    r"\u3030\u303d\u3297\u3299\u2194-\u21aa]|[©®™ℹ]\ufe0f"
)
_JOINED = rf"(?:{_BASE})[\ufe0e\ufe0f]?[\U0001F3FB-\U0001F3FF]?[\U000E0020-\U000E007F]*"
EMOJI = rf"(?:[\U0001F1E6-\U0001F1FF]{{2}}|[0-9#*]\ufe0f?\u20e3|{_JOINED}(?:\u200d{_JOINED})*)"
_EMOJI = re.compile(EMOJI)
_LONGEST_EMOJI = 40
_LONGEST_HEAD = _LONGEST_TAIL = 60
# Google Messages in any language: the emoji between zero-width characters, the words between hair spaces.
_GOOGLE = re.compile(rf"[^\u200b\u200c]{{0,40}}(?P<on>[\u200b\u200c])(?P<emoji>{EMOJI})(?P=on)[^\u200a]{{0,40}}\u200a")


@dataclass(frozen=True, slots=True)
class ReadReaction:
    """`what` is a word (like, love, …) or an emoji; `text`: its target's words, or None; `lost`: that is an image."""

    what: str
    text: str | None = None
    removed: bool = False
    lost: bool = False


@dataclass(frozen=True, slots=True)
class _Form:
    """What stands before and after the message reacted to; `what` is empty when an emoji is the reaction."""

    head: str
    tail: str
    what: str
    removed: bool


def _forms() -> Iterator[tuple[str, _Form]]:
    """Each form with the first word of its texts: `"` when they begin with a quote, {e} when with an emoji."""
    for table, removed in ((ADDED, False), (REMOVED, True)):
        for what, phrases in table.items():
            for phrase in filter(None, map(str.strip, re.split(r"[|\n]", phrases))):
                head, _, tail = phrase.partition("{}")
                yield _first_word(head), _Form(_pattern(head), _pattern(tail), what, removed)


def _first_word(head: str) -> str:
    word = head.split(" ", 1)[0].translate(_PLAIN)
    return '"' if not word or word.startswith('"') else word.split('"')[0]


def _pattern(words: str) -> str:
    """A pattern where blanks beside quotation marks are optional, and French texts may begin with a small letter."""
    escaped = re.escape(words.translate(_PLAIN)).replace("\\{e\\}", f"(?P<emoji>{EMOJI})")
    spaced = re.sub(r'(?<=")\\ |\\ (?=")', r"\\s*", escaped).replace("\\ ", r"\s+")
    return re.sub(r"^A\\s", r"[Aa]\\s", spaced)


_FORMS: dict[str, list[_Form]] = {}
for _word, _form in _forms():
    _FORMS.setdefault(_word, []).append(_form)
_FORMS["a"] = _FORMS["A"]
_FORMS["Einem"] = _FORMS["Einer"] = _FORMS['"']
_QUOTED_FIRST = tuple({form.tail.rsplit("\\s", 1)[-1].lstrip("+*") for form in _FORMS['"']})
_WORDS = frozenset(filter(None, ADDED)) | {"reaction"}  # the last one when a quotation has no emoji
_compiled = cache(re.compile)
_STARTS = frozenset(word[0] for word in _FORMS if word[0] != "{") | frozenset(_MARKS)


def is_kind(kind: str) -> bool:
    """Whether that is how a reaction is stored: a word like love or like, or one emoji."""
    return kind in _WORDS or (len(kind) <= _LONGEST_HEAD and _EMOJI.fullmatch(kind) is not None)


def reaction(text: str, raw: str = "") -> ReadReaction | None:
    """The reaction a cleaned text is, None when it is none. `lost`: its target is an image. `raw` is the text before
    it was cleaned: Google's phones mark a reaction with characters that nobody sees."""
    if "\u200a" in raw and (found := _google(raw)):
        return found
    start = text[:1]
    if not start or (start.isascii() and start not in _STARTS and not start.isdigit() and start not in "#*"):
        return None
    emoji = None if start.isascii() and start.isalpha() else _EMOJI.match(text)
    if emoji and len(text) <= _LONGEST_EMOJI and emoji.end() == len(text):
        return ReadReaction(text)
    return _formed(text, "{e}" if emoji else _first(text))


def _first(text: str) -> str:
    if text[0] in _MARKS:
        return '"'
    word = text.split(None, 1)[0]
    return word if word in _FORMS else word.translate(_PLAIN).split('"')[0]


def _formed(text: str, word: str) -> ReadReaction | None:
    if word not in _FORMS or (word == '"' and not text.rstrip(" .").endswith(_QUOTED_FIRST)):
        return None
    if not _any_head(word).match(text[:_LONGEST_HEAD].translate(_PLAIN)):
        return None
    plain = text.translate(_PLAIN)
    found = (_whole(text, plain, form) for form in _FORMS[word])
    return next(filter(None, found), None)


@cache
def _any_head(word: str) -> re.Pattern[str]:
    """One pattern of all heads, to reject most sentences that only begin like a reaction in one step."""
    heads = "|".join(form.head for form in _FORMS[word])
    return re.compile(heads.replace("(?P<emoji>", "(?:"))


def _whole(text: str, plain: str, form: _Form) -> ReadReaction | None:
    """The reaction when nothing but head, message and tail stands there."""
    head = _compiled(form.head).match(plain)
    if head is None:
        return None
    end, emoji = len(plain), head.groupdict().get("emoji")
    if form.tail:
        tail = _compiled(form.tail + r"[ .]*\Z").search(plain, max(head.end(), end - _LONGEST_TAIL))
        if tail is None:
            return None
        end, emoji = tail.start(), tail.groupdict().get("emoji") or emoji
    return _of(text[head.end() : end].strip(), form.what or emoji or "", form.removed)


def _of(target: str, what: str, removed: bool) -> ReadReaction | None:
    if target.endswith(".") and target[-2:-1] and target[-2] in _MARKS:
        target = target[:-1]
    if target[:1] and target[0] in _MARKS:
        words = _unquoted(target)
        return ReadReaction(what, words, removed) if words else None
    return ReadReaction(what, None, removed, lost=True) if _is_media(target) else None


def _unquoted(target: str) -> str | None:
    """The words between the marks. A phone may cut a long message off, and the closing mark with it."""
    if len(target) > 1 and target[-1] in _MARKS:
        words = target[1:-1].strip()
    elif target.endswith(("…", "...")):
        words = target[1:].strip()
    else:
        return None
    return None if _two_quotes(words) else words


def _two_quotes(words: str) -> bool:
    """Whether `"Dune" and "Alien"` was taken for one quotation: a mark closes inside before another one opens."""
    closed = False
    for at, mark in enumerate(words):
        if mark not in '"“”„«»':
            continue
        opens = mark in "„«" or (mark != "”" and mark != "»" and (at == 0 or words[at - 1] in " ([\n"))
        if opens:
            return closed
        closed = True
    return False


def _is_media(target: str) -> bool:
    if len(target) > _LONGEST_MEDIA:
        return False
    plain = target.translate(_PLAIN).casefold().rstrip(".")
    count, _, what = plain.partition(" ")
    return plain in _MEDIA or (count.isdigit() and what in _MANY)


def _google(raw: str) -> ReadReaction | None:
    """Reads `<hair>Reacted <zero>👍<zero> to “<hair>words<hair>”<hair>`; the other zero-width character removes it."""
    head = _GOOGLE.match(raw)
    end = raw.rstrip().rfind("\u200a")
    if head is None or end < head.end():
        return None
    words = raw[head.end() : end].strip()
    return ReadReaction(head["emoji"], words, removed=head["on"] == "\u200c") if words else None
