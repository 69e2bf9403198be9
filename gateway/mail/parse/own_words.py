"""Reads a mail as its writer meant it: words and subject. received_mail calls it."""

import re
from dataclasses import dataclass
from email.message import Message
from typing import Any

from gateway.errors import Refused
from gateway.language.words.normalize import clean
from gateway.mail.decode import body_parts, mime
from gateway.mail.decode.body_parts import Body, Unread
from gateway.mail.decode.subjects import REPLY
from gateway.mail.history.forwards import find_forwarded, find_replied
from gateway.mail.history.known_words import KnownWords
from gateway.mail.history.quote_trimming import MARKER, trim_history
from gateway.mail.parse.author import display_name, machine, sender

__all__ = ["MARKER", "DecodedBody", "OwnWords", "decode", "machine", "read_own_words", "sender", "trim"]

_SENT_ON = r"fwd?|fw|wg|tr|rv|enc|vb|pd|i|转发|轉寄|転送|전달|vl"
_PREFIXES = re.compile(rf"^\s*(?:(?:{REPLY}|{_SENT_ON})\.?\s?\d{{0,3}}(?:\[\d+\]|\(\d+\))?\s*[:：]\s*)+", re.IGNORECASE)
_LONGEST = 200_000  # characters of a body that are read; the rest is trimmed
_MOST_LINES = 10_000  # likewise


@dataclass(frozen=True, slots=True)
class OwnWords:
    """`text`: what was written, or the subject when there is no body; `trimmed`: what was cut off; `unread`: why there
    are no words although something was written; `answers`: it answers another mail."""

    text: str
    trimmed: str
    subject: str
    sender_name: str | None
    forwarded: bool
    unread: Unread | None = None
    answers: bool = False


@dataclass(frozen=True, slots=True)
class DecodedBody:
    """A mail's body, before anything is cut off. `inside`: the mail in an opaque signature, or the mail itself."""

    message: "Message[Any, Any]"
    inside: "Message[Any, Any]"
    body: Body


def read_own_words(mail: "bytes | Message[Any, Any]", known: KnownWords | None = None) -> OwnWords:
    """Reads the words of a mail, raw or parsed. `known`: what its thread already had. Raises Refused above 100 parts or
    10 levels; it never fails otherwise."""
    return trim(decode(mime.parse(mail) if isinstance(mail, bytes) else mail), known)


def decode(message: "Message[Any, Any]") -> DecodedBody:
    """Finds and decodes the body of a mail. It never fails."""
    inside = body_parts.unwrap(message)
    return DecodedBody(message, inside, body_parts.read(inside))


def trim(decoded: DecodedBody, known: KnownWords | None = None) -> OwnWords:
    """Keeps the writer's own words of a body, and cuts off the rest."""
    message, body = decoded.message, decoded.body
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
    return OwnWords(text, trimmed, subject, name, found.forwarded, body.unread, answers)


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
