"""Reads a mail as its writer meant it: words, subject and attachments. The worker that reads mails calls it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message
from typing import Any

from gateway.errors import Refused
from gateway.language.words.normalize import clean
from gateway.mail.decode import body_parts, mime
from gateway.mail.decode.body_parts import Unread
from gateway.mail.decode.mime import AttachedPart
from gateway.mail.decode.subjects import REPLY
from gateway.mail.history.forwards import find_forwarded, find_replied
from gateway.mail.history.known_words import KnownWords
from gateway.mail.history.quote_trimming import MARKER, trim_history
from gateway.mail.parse.author import display_name, machine, sender

__all__ = ["MARKER", "AttachedPart", "OwnWords", "machine", "read_own_words", "sender"]

_SENT_ON = r"fwd?|fw|wg|tr|rv|enc|vb|pd|i|转发|轉寄|転送|전달|vl"
_PREFIXES = re.compile(rf"^\s*(?:(?:{REPLY}|{_SENT_ON})\.?\s?\d{{0,3}}(?:\[\d+\]|\(\d+\))?\s*[:：]\s*)+", re.IGNORECASE)
_LONGEST = 200_000  # characters of a body that are read; the rest is trimmed
_MOST_LINES = 10_000  # likewise
_LONGEST_NAME = 120


@dataclass(frozen=True, slots=True)
class OwnWords:
    """`text`: what was written, or the subject when there is no body; `trimmed`: what was cut off; `unread`: why there
    are no words although something was written; `answers`: it answers another mail."""

    text: str
    trimmed: str
    subject: str
    sender_name: str | None
    forwarded: bool
    parts: tuple[AttachedPart, ...]
    unread: Unread | None = None
    answers: bool = False


def read_own_words(mail: "bytes | Message[Any, Any]", known: KnownWords | None = None) -> OwnWords:
    """Reads the words of a mail, raw or parsed. `known`: what its thread already had. Raises Refused above 100 parts or
    10 levels; it never fails otherwise."""
    message = mime.parse(mail) if isinstance(mail, bytes) else mail
    inside = body_parts.unwrap(message)
    body = body_parts.read(inside)
    written = mime.field(message, "Subject")
    subject = _PREFIXES.sub("", written)
    name = display_name(message)
    read, unread = _opening(body.text)
    answers = find_replied(written) or bool(mime.field(message, "In-Reply-To"))
    found = trim_history(_bare(read), find_forwarded(written, read), answers, (name, _address(message)), known, subject)
    text = clean(found.own)
    if not text and not found.history and not body.unread:
        text = subject
    trimmed = clean((found.trimmed + unread)[:_LONGEST])
    return OwnWords(text, trimmed, subject, name, found.forwarded, tuple(_parts(inside)), body.unread, answers)


def _address(message: "Message[Any, Any]") -> str | None:
    try:
        return sender(message)
    except Refused:
        return None


def _opening(body: str) -> tuple[str, str]:
    """The beginning of a body that is read, and the rest."""
    lines = body[:_LONGEST].split("\n", _MOST_LINES)
    read = "\n".join(lines[:_MOST_LINES])
    return read, body[len(read) :]


def _bare(body: str) -> str:
    """Normalises line ends and removes invisible characters, but keeps trailing blanks: "-- " needs its own."""
    lines = body.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return "\n".join(_line(line) for line in lines)


def _line(line: str) -> str:
    if line.isascii() and line.isprintable():
        return line
    indent = line[: len(line) - len(line.lstrip(" "))]
    kept = clean(line)
    return indent + kept + (" " if line.endswith(" ") and kept else "")


def _parts(message: "Message[Any, Any]") -> Iterator[AttachedPart]:
    """The attached parts."""
    words_ = body_parts.attached_words(message)
    for part in body_parts.leaves(message):
        kind = mime.kind(part)
        shown = body_parts.is_text(part) and (not body_parts.is_attached(part) or id(part) in words_)
        if not shown and (part is not message or not kind.startswith("multipart/")):
            yield _part(part, kind)


def _part(part: "Message[Any, Any]", kind: str) -> AttachedPart:
    name = clean(mime.decode_words(str(mime.tolerated(part.get_filename, None) or "")))
    name = re.split(r"[/\\]", name)[-1].lstrip(".")[-_LONGEST_NAME:]
    inline = mime.tolerated(part.get_content_disposition, None) == "inline"
    whole = kind == "message/rfc822"
    content = b"".join(map(mime.octets, mime.children(part))) if whole else mime.content(part)
    return AttachedPart(name or "attachment", kind, content, inline)
