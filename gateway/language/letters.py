"""A mail as its writer meant it: the words, the subject, what was attached. For the worker that reads mails."""

import re
from dataclasses import dataclass
from email.message import Message
from typing import Any

from gateway.language import mime
from gateway.language.hypertext import hypertext
from gateway.language.mime import Part
from gateway.language.quotes import MARKER, cut
from gateway.language.senders import display_name, machine, sender
from gateway.language.wording import cleaned

__all__ = ["MARKER", "Letter", "Part", "machine", "sender", "words"]

_PREFIXES = re.compile(
    r"^\s*(?:(?:re|aw|antw|antwort|sv|vs|ref|rép|rif|r|odp|ynt|回复|答复|fwd?|wg|tr|rv|enc|vb|doorst|pd|i|转发|vl)"
    r"(?:\[\d+\]|\(\d+\))?\s*[:：]\s*)+",
    re.IGNORECASE,
)
_FORWARDED = re.compile(r"^\s*(?:fwd?|wg|rv|enc|doorst|vb|转发)(?:\[\d+\])?\s*[:：]", re.IGNORECASE)
_LONGEST = 200_000  # characters of a body that are looked at; more is trimmed
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
    found = cut(_bare(body[:_LONGEST]), forwarded=bool(_FORWARDED.match(written)))
    text = cleaned(found.own)
    if not text and not found.history:
        text = subject
    trimmed = cleaned(found.trimmed + body[_LONGEST:])
    return Letter(text, trimmed, subject, display_name(message), found.forwarded, parts)


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
    """The shown text, plain parts joined, else HTML; and what is attached."""
    plain: list[str] = []
    rich: list[str] = []
    parts: list[Part] = []
    waiting = [message]
    while waiting:
        part = waiting.pop()
        kind = mime.kind(part)
        if kind != "message/rfc822" and (inside := mime.children(part)):
            waiting.extend(reversed(inside))
        elif kind == "text/plain" and not _attached(part):
            plain.append(mime.text(part))
        elif kind == "text/html" and not _attached(part):
            rich.append(mime.text(part))
        elif part is not message or not kind.startswith("multipart/"):
            parts.append(_part(part, kind))
    shown = "\n\n".join(filter(str.strip, plain))
    return shown or "\n\n".join(hypertext(each) for each in rich), tuple(parts)


def _attached(part: "Message[Any, Any]") -> bool:
    disposition = mime.tolerated(part.get_content_disposition, None)
    return disposition == "attachment" or (disposition == "inline" and bool(mime.tolerated(part.get_filename, None)))


def _part(part: "Message[Any, Any]", kind: str) -> Part:
    name = cleaned(mime.decoded(str(mime.tolerated(part.get_filename, None) or "")))
    name = re.split(r"[/\\]", name)[-1].lstrip(".")[-_LONGEST_NAME:]
    inline = mime.tolerated(part.get_content_disposition, None) == "inline"
    content = b"".join(bytes(each) for each in mime.children(part)) if kind == "message/rfc822" else mime.content(part)
    return Part(name or "attachment", kind, content, inline)
