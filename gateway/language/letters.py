"""A mail as its writer meant it: the words, the subject, what was attached. For the worker that reads mails."""

import re
from dataclasses import dataclass
from email.message import Message
from typing import Any

from gateway.language import mime
from gateway.language.forwards import forwarded, replied
from gateway.language.hypertext import FENCE, hypertext
from gateway.language.mime import Part
from gateway.language.quotes import MARKER, cut
from gateway.language.senders import display_name, machine, sender
from gateway.language.signatures import SIGNED
from gateway.language.wording import cleaned

__all__ = ["MARKER", "Letter", "Part", "machine", "sender", "words"]

_PREFIXES = re.compile(
    r"^\s*(?:(?:re|aw|antw|antwort|sv|vs|ref|rép|rif|r|odp|ynt|回复|答复|fwd?|wg|tr|rv|enc|vb|doorst|pd|i|转发|vl)"
    r"(?:\[\d+\]|\(\d+\))?\s*[:：]\s*)+",
    re.IGNORECASE,
)
_SHOWN = ("text/plain", "text/html")
_NO_MARKS = {ord(mark): None for mark in (FENCE, SIGNED)}
_LONGEST = 200_000  # characters of a body that are looked at; more is trimmed
_MOST_LINES = 10_000  # likewise
_LONGEST_NAME = 120


@dataclass(frozen=True, slots=True)
class Letter:
    """`text`: what was written, the subject when the body is empty; `trimmed`: what was cut off."""

    text: str
    trimmed: str
    subject: str
    sender_name: str | None
    forwarded: bool
    parts: tuple[Part, ...]


def words(mail: "bytes | Message[Any, Any]") -> Letter:
    """The words of a mail, raw or opened. Raises Refused above 100 parts or 10 levels; never fails otherwise."""
    message = mime.opened(mail) if isinstance(mail, bytes) else mail
    body, parts = _body(message)
    written = mime.field(message, "Subject")
    subject = _PREFIXES.sub("", written)
    name = display_name(message)
    read, unread = _opening(body)
    answers = replied(written) or bool(mime.field(message, "In-Reply-To"))
    found = cut(_bare(read), forwarded(written, read), answers, name)
    text = cleaned(found.own)
    if not text and not found.history:
        text = subject
    trimmed = cleaned((found.trimmed + unread)[:_LONGEST])
    return Letter(text, trimmed, subject, name, found.forwarded, parts)


def _opening(body: str) -> tuple[str, str]:
    """What is looked at of a body, and what is too much."""
    lines = body[:_LONGEST].split("\n", _MOST_LINES)
    read = "\n".join(lines[:_MOST_LINES])
    return read, body[len(read) :]


def _bare(body: str) -> str:
    """Lines end alike and nothing is invisible, but trailing blanks stay: "-- " needs its own."""
    lines = body.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return "\n".join(_line(line) for line in lines)


def _line(line: str) -> str:
    if line.isascii() and line.isprintable():
        return line
    indent = line[: len(line) - len(line.lstrip(" "))]
    kept = cleaned(line)
    return indent + kept + (" " if line.endswith(" ") and kept else "")


def _body(message: "Message[Any, Any]") -> tuple[str, tuple[Part, ...]]:
    """The text that is shown, and what is attached."""
    parts: list[Part] = []
    waiting = [message]
    while waiting:
        part = waiting.pop()
        kind = mime.kind(part)
        if kind != "message/rfc822" and (inside := mime.children(part)):
            waiting.extend(reversed(inside))
        elif (kind not in _SHOWN or _attached(part)) and (part is not message or not kind.startswith("multipart/")):
            parts.append(_part(part, kind))
    return _shown(message), tuple(parts)


def _shown(part: "Message[Any, Any]") -> str:
    """Of alternatives the plain one that says something, of other parts one after the other (RFC 2046, section 5.1)."""
    kind = mime.kind(part)
    if kind != "message/rfc822" and (inside := mime.children(part)):
        if kind == "multipart/alternative":
            plainest = sorted(inside, key=lambda each: mime.kind(each) != "text/plain")
            return next((text for each in plainest if (text := _shown(each)).strip()), "")
        return _in_turn(inside)
    if (kind not in _SHOWN and not kind.startswith("multipart/")) or _attached(part):
        return ""  # a multipart without parts has lost its boundary: what it says is text
    text = mime.text(part)
    return hypertext(text) if kind == "text/html" else text.translate(_NO_MARKS)


def _in_turn(parts: "list[Message[Any, Any]]") -> str:
    """One after the other; but rich text beside plain text is the same said twice, whatever the program calls it."""
    texts: list[str] = []
    plain = False
    for part in parts:
        kind = mime.kind(part)
        text = "" if plain and kind == "text/html" else _shown(part)
        if text.strip():
            texts.append(text)
            plain = plain or kind == "text/plain"
    return "\n\n".join(texts)


def _attached(part: "Message[Any, Any]") -> bool:
    disposition = mime.tolerated(part.get_content_disposition, None)
    return disposition == "attachment" or (disposition == "inline" and bool(mime.tolerated(part.get_filename, None)))


def _part(part: "Message[Any, Any]", kind: str) -> Part:
    name = cleaned(mime.decoded(str(mime.tolerated(part.get_filename, None) or "")))
    name = re.split(r"[/\\]", name)[-1].lstrip(".")[-_LONGEST_NAME:]
    inline = mime.tolerated(part.get_content_disposition, None) == "inline"
    content = b"".join(bytes(each) for each in mime.children(part)) if kind == "message/rfc822" else mime.content(part)
    return Part(name or "attachment", kind, content, inline)
