"""Reads MIME parts and header fields of real mails: with limits, decoded, with wrong charsets repaired."""

import binascii
import contextlib
import re
from collections.abc import Callable, Iterator
from email.errors import HeaderParseError
from email.header import decode_header
from email.message import Message
from email.parser import BytesFeedParser
from typing import Any, TypeVar, cast

from gateway.errors import Refused
from gateway.language.words.normalize import clean
from gateway.mail.decode.charsets import charset_of_html, is_known, repair
from gateway.mail.decode.read_fields import known

T = TypeVar("T")
MOST_PARTS = 100
DEEPEST = 10
_LONGEST_FIELD = 10_000  # characters
_PIECE = 65_536  # octets
_MOST_LINES = 250_000  # 10 MiB of base64 have 180,000 lines
_LONGEST_TEXT = 1_000_000  # octets

# What the standard library raises when a header or an encoding is malformed (found by fuzzing).
MALFORMED = (LookupError, ValueError, TypeError, AttributeError, HeaderParseError)
_NESTING = re.compile(rb"(?:multipart|message)/", re.IGNORECASE)
_SPACE = re.compile(r"\s+")
_WORD = r"[\w.+-]{1,100}"
_TYPE = re.compile(rf"(?!plain/|html/){_WORD}/{_WORD}", re.ASCII)
_TYPE_WITHIN = re.compile(rf"({_WORD})\s*/\s*({_WORD})", re.ASCII)
_TURNED = {"plain/text": "text/plain", "html/text": "text/html"}
_HTML_ALONE = re.compile(r"\W*html\b", re.IGNORECASE)
_ENCODINGS = {
    "base-64": "base64",
    "base_64": "base64",
    "b64": "base64",
    "quoted_printable": "quoted-printable",
    "qp": "quoted-printable",
}
_CHARSET = re.compile(r"charset\s*=\s*[\"']?\s*([\w.:+-]{2,40})", re.IGNORECASE)


_ENCODINGS = {
    "base-64": "base64",
    "b64": "base64",
    "base_64": "base64",
    "quoted_printable": "quoted-printable",
    "quotedprintable": "quoted-printable",
    "quoted printable": "quoted-printable",
    "qp": "quoted-printable",
}


def parse(raw: bytes) -> "Message[Any, Any]":
    """Parses a mail. Raises Refused when it has too many parts or nests too deep; anything else is parsed somehow."""
    if sum(1 for _ in _NESTING.finditer(raw)) > 2 * MOST_PARTS:
        raise Refused("This mail has too many parts.")
    message = _parsed(raw)
    for count, (_, depth) in enumerate(_walk(message), 1):
        if count > MOST_PARTS or depth > DEEPEST:
            raise Refused("This mail has too many parts.")
    return message


def _parsed(raw: bytes) -> "Message[Any, Any]":
    """Parses in pieces, since the library takes five times the mail's size at once. After very many lines it stops."""
    parser = BytesFeedParser()
    lines = 0
    for at in range(0, len(raw), _PIECE):
        piece = raw[at : at + _PIECE]
        ends = piece.count(b"\n")
        parser.feed(piece if ends else piece + b"\n")  # no real line is so long, and it takes four times its size
        lines += ends
        if lines > _MOST_LINES:
            break
    return parser.close()


def _walk(message: "Message[Any, Any]") -> Iterator[tuple["Message[Any, Any]", int]]:
    waiting = [(message, 0)]
    while waiting:
        part, depth = waiting.pop()
        yield part, depth
        waiting.extend((child, depth + 1) for child in reversed(children(part)))


def children(part: "Message[Any, Any]") -> "list[Message[Any, Any]]":
    payload: object = tolerated(lambda: cast(object, part.get_payload()), None)
    return [each for each in payload if isinstance(each, Message)] if isinstance(payload, list) else []


def fields(message: "Message[Any, Any]", name: str) -> list[str]:
    """All fields of that name, unfolded, with raw bytes repaired and encoded words left encoded. The name must be in
    read_fields."""
    wanted = known(name)
    return [_unfolded(value) for field, value in message.raw_items() if field.lower() == wanted]


def names(message: "Message[Any, Any]") -> list[str]:
    """The names of all fields of the head, from the top, in lower case."""
    return [name.lower() for name, _ in message.raw_items()]


def above(message: "Message[Any, Any]", name: str, lower: str) -> list[str]:
    """The fields of that name above the first field called `lower`."""
    found, end = names(message), known(lower)
    upper = found[: found.index(end)] if end in found else found
    return fields(message, name)[: upper.count(known(name))]


def field(message: "Message[Any, Any]", name: str) -> str:
    """The first field of that name, decoded, in one line; empty when there is none."""
    found = fields(message, name)
    return decode_words(found[0]) if found else ""


def decode_words(value: str) -> str:
    """A header's value with its encoded words decoded, in one line without control characters."""
    value = value[:_LONGEST_FIELD]  # decoding takes quadratic time
    try:
        pieces = [_piece(text, charset) for text, charset in decode_header(value)]
    except MALFORMED:
        pieces = [value]
    return _SPACE.sub(" ", clean("".join(pieces)))


def _piece(text: bytes | str, charset: str | None) -> str:
    return text if isinstance(text, str) else repair(text, charset)


def _unfolded(value: object) -> str:
    text = str(value).replace("\r", "").replace("\n", "")
    if text.isascii():
        return text
    return repair(text.encode("utf-8", "surrogateescape"), None)


def kind(part: "Message[Any, Any]") -> str:
    """The type, such as "text/plain", also when a program left out a semicolon, added a ">" or swapped its halves."""
    found = tolerated(part.get_content_type, "text/plain")
    if found == "text/plain" and _HTML_ALONE.match(tolerated(lambda: str(part["content-type"] or ""), "")):
        return "text/html"
    if _TYPE.fullmatch(found):
        return found
    written = _TYPE_WITHIN.search(found)
    mended = f"{written[1]}/{written[2]}" if written else "text/plain"
    return _TURNED.get(mended, mended)


def charset(part: "Message[Any, Any]") -> str | None:
    """The charset that the part names, also when its Content-Type is malformed."""
    found = tolerated(part.get_content_charset, None)
    if found:
        return found
    written = _CHARSET.search(tolerated(lambda: str(part["content-type"] or ""), ""))
    return written[1] if written else None


def tolerated(ask: Callable[[], T], otherwise: T) -> T:
    """What the library returns for a header, or `otherwise` when the header is too malformed for it."""
    try:
        return ask()
    except MALFORMED:
        return otherwise


def content(part: "Message[Any, Any]") -> bytes:
    """The part's bytes with the transfer encoding decoded."""
    written: object = tolerated(lambda: cast(object, part.get_payload()), None)
    encoding = _encoding(part)
    if isinstance(written, str) and encoding == "base64":
        with contextlib.suppress(ValueError):  # for broken base64 the library is used, which makes more copies
            return binascii.a2b_base64(written)
    if isinstance(written, str) and encoding == "quoted-printable" and written.isascii():
        return binascii.a2b_qp(written)
    payload: object = tolerated(lambda: cast(object, part.get_payload(decode=True)), None)
    return payload if isinstance(payload, bytes) else b""


def _encoding(part: "Message[Any, Any]") -> str:
    """The transfer encoding, also when a program added quotation marks, a semicolon or a hyphen."""
    written = tolerated(lambda: str(part["content-transfer-encoding"] or ""), "")
    bare = re.split("[;(]", written)[0].strip("\"' \t.,>").lower()
    return _ENCODINGS.get(bare, bare)


def text(part: "Message[Any, Any]") -> str:
    """The part's text. Lines of format=flowed are joined (RFC 3676); with delsp the joining blank is removed."""
    raw = _opening(content(part))
    label = charset(part)
    if kind(part) == "text/html" and not is_known(label):
        label = charset_of_html(raw) or label
    written = repair(raw, label).replace("\r\n", "\n").replace("\r", "\n")
    flowed = tolerated(lambda: part.get_param("format"), None)
    if str(flowed).lower() != "flowed":
        return written
    delsp = tolerated(lambda: part.get_param("delsp"), None)
    return _reflowed(written, str(delsp).lower() == "yes")


def _opening(raw: bytes) -> bytes:
    """The part of a text that is read, cut at a line's end, or at least not inside a UTF-8 character."""
    if len(raw) <= _LONGEST_TEXT:
        return raw
    opening = raw[:_LONGEST_TEXT]
    whole, end, _ = opening.rpartition(b"\n")
    return whole + end or opening.rstrip(bytes(range(0x80, 0x100)))


def _reflowed(written: str, delsp: bool) -> str:
    """Joins flowed lines. Pieces are collected and joined once, because one paragraph may span all lines of a mail."""
    lines: list[str] = []
    pieces: list[str] = []
    for line in written.split("\n"):
        stuffed = line.removeprefix(" ")
        quoted = stuffed.startswith(">")
        if quoted and pieces:
            lines.append("".join(pieces))
            pieces = []
        flows = stuffed.endswith(" ") and stuffed != "-- " and not quoted
        pieces.append(stuffed[:-1] if flows and delsp else stuffed)
        if not flows:
            lines.append("".join(pieces))
            pieces = []
    return "\n".join([*lines, "".join(pieces)] if pieces else lines)
