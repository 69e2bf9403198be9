"""Parses the marks inside a post: @mentions, #tags, `lang:xx`, links. It is called once, when a post is stored."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from gateway.i18n.language_tags import language

LINK = re.compile(r"(?<![\w@])https?://[^\s<>\"“”]+", re.IGNORECASE)
MENTION = re.compile(r"(?<![\w@.+/-])@([a-z0-9_]{2,20})(?![a-z0-9_]|@|\.[a-z0-9])", re.IGNORECASE | re.ASCII)
TAG = re.compile(r"(?<![\w#&/])#(\w{1,50})(?![\w#])")
_LANG_FIRST = re.compile(r"lang:([A-Za-z0-9-]{2,35})(?:\s+|$)")
_LANG_LAST = re.compile(r"(?:^|\s+)lang:([A-Za-z0-9-]{2,35})$")
# All of them, in the order in which they stand.
_MARKS = re.compile(f"(?P<link>{LINK.pattern})|(?a:{MENTION.pattern})|{TAG.pattern}", re.IGNORECASE)
_NAME, _TAG = 2, 3  # the groups of the two patterns
_TRAILING = ".,:;!?'’…»]}"


@dataclass(frozen=True, slots=True)
class Nanoformats:
    """A post's text without its language mark, and its marks. Handles and tags are case-folded, in order, each once."""

    text: str
    mentions: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    lang: str | None = None
    links: tuple[str, ...] = ()


def parse(text: str) -> Nanoformats:
    """Parses the marks of a cleaned text. An unknown `key:value` and an unknown language are left in the text."""
    text, lang = _language(text)
    links = tuple(dict.fromkeys(untrailed(match.group()) for match in LINK.finditer(text)))
    without = LINK.sub(" ", text) if links else text
    mentions = dict.fromkeys(match[1].lower() for match in MENTION.finditer(without)) if "@" in without else ()
    tags = dict.fromkeys(match[1].casefold() for match in TAG.finditer(without)) if "#" in without else ()
    return Nanoformats(text, tuple(mentions), tuple(tag for tag in tags if not tag.isdigit()), lang, links)


@dataclass(frozen=True, slots=True)
class TextMark:
    """A piece of a post's text as it is shown. `value`: the link, the handle, or the case-folded tag; of plain words,
    the words."""

    kind: Literal["words", "link", "name", "tag"]
    written: str
    value: str


def split(text: str) -> Iterator[TextMark]:
    """The pieces of a text in their order: marks, and the words between them."""
    end = 0
    for found in _MARKS.finditer(text):
        mark = _mark(found)
        if found.start() > end:
            yield TextMark("words", text[end : found.start()], text[end : found.start()])
        yield mark
        end = found.start() + len(mark.written)
    if end < len(text):
        yield TextMark("words", text[end:], text[end:])


def _mark(found: re.Match[str]) -> TextMark:
    if name := found[_NAME]:
        return TextMark("name", found[0], name.lower())
    if tag := found[_TAG]:
        return TextMark("words" if tag.isdigit() else "tag", found[0], tag.casefold())
    link = untrailed(found["link"])
    return TextMark("link", link, link)


def is_tag(written: str) -> bool:
    """Whether posts can have that tag: # and at most 50 letters, digits and _, not digits alone."""
    match = TAG.fullmatch(written)
    return match is not None and not match[1].isdigit()


def _language(text: str) -> tuple[str, str | None]:
    if "lang:" not in text:
        return text, None
    for pattern, find in ((_LANG_FIRST, _LANG_FIRST.match), (_LANG_LAST, _LANG_LAST.search)):
        match = find(text)
        tag = language(match[1]) if match else None
        if match is not None and tag is not None:
            return pattern.sub("", text, count=1).strip(), tag
    return text, None


def untrailed(link: str) -> str:
    """A link without the punctuation of its sentence; a closing bracket stays when it was opened inside."""
    while link and (link[-1] in _TRAILING or (link[-1] == ")" and link.count("(") < link.count(")"))):
        link = link[:-1]
    return link
