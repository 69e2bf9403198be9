"""How a signed body is to be parsed when the fields that say so are not signed. coverage asks.

Gmail, for one, does not sign Content-Type, and Apple leaves out Content-Transfer-Encoding. With another boundary,
charset or encoding the same signed octets become other words. So here the body alone decides what the fields have to
say, and a mail whose fields say anything else is not proved by that signature. Where a body allows two readings, the
answer is no: its writer is asked. Decided against: to ignore the fields, for then most mails could not be read at all.
"""

import base64
import binascii
import re
from collections.abc import Collection
from email.message import Message
from typing import Any, Final

from gateway.mail.decode import charsets, mime

MIXED, ALTERNATIVE, RELATED = "multipart/mixed", "multipart/alternative", "multipart/related"
MULTIPARTS: Final = (MIXED, ALTERNATIVE, RELATED)
TYPE, ENCODING, DISPOSITION = "content-type", "content-transfer-encoding", "content-disposition"
_PARAMS: Final = frozenset({"charset", "format", "delsp"})  # of plain text: no name, which would make it a file

# Line by line, so that no body takes longer than its length.
_BEGINS: Final = re.compile(rb"(?:[ \t]*\r\n)*--([^\r\n]{0,69}[^\s])[ \t]*\r\ncontent-[a-z-]+[ \t]*:", re.IGNORECASE)
_INSIDE: Final = re.compile(rb"^--\S[^\r\n]*\r\ncontent-[a-z-]+[ \t]*:", re.IGNORECASE | re.MULTILINE)
_DELIMITER: Final = re.compile(rb"^--(\S[^\r\n]*)", re.MULTILINE)
_TAG: Final = re.compile(r"\s*<[a-z!]", re.IGNORECASE)
_END_TAG: Final = re.compile(r"</(?:html|head|body|div|p|table|tr|td|span|a|b|i|font|center)\s*>", re.IGNORECASE)
_CONTROL: Final = re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f\ufffd]")
_BASE64: Final = re.compile(rb"[A-Za-z0-9+/]+={0,2}")
_QUOTED: Final = re.compile(rb"(?:[^=\x80-\xff]|=[0-9A-Fa-f]{2}|=[ \t]*\r\n)*")
_LONGEST_QUOTED: Final = 78  # octets of a line; RFC 2045 has 76


def fault(message: "Message[Any, Any]", body: bytes, signed: Collection[str]) -> str:
    """Why the fields that are not signed do not follow from the body; nothing when they do."""
    if TYPE not in signed and (why := _type_fault(message, body)):
        return why
    if ENCODING not in signed and not mime.children(message) and not _is_encoded_so(message, body, signed):
        return "its Content-Transfer-Encoding is not signed, and the body can be read in two ways"
    if DISPOSITION not in signed and any(
        each.strip().lower() != "inline" for each in mime.fields(message, DISPOSITION)
    ):
        return "its Content-Disposition is not signed"
    return ""


def _type_fault(message: "Message[Any, Any]", body: bytes) -> str:
    kind = mime.kind(message)
    if begins := _BEGINS.match(body):
        boundary = mime.tolerated(message.get_boundary, None)
        if kind in MULTIPARTS and boundary is not None and boundary.encode("utf-8", "replace") == begins[1]:
            return ""
        return "its Content-Type is not signed, and is not what the body begins with"
    if kind != "text/plain" or not _is_plain(message, body):
        return "its Content-Type is not signed, and the body does not show that it is plain text"
    return ""


def _is_plain(message: "Message[Any, Any]", body: bytes) -> bool:
    """Plain text in UTF-8 or ASCII, and nothing that another type would make something else of."""
    given = mime.tolerated(message.get_params, None)
    if message[TYPE] is not None and (given is None or any(name.lower() not in _PARAMS for name, _ in given[1:])):
        return False
    if charsets.is_wide(mime.charset(message)) or _has_parts(body):
        return False
    written = _text(mime.content(message))
    return written is not None and not _TAG.match(written) and not _END_TAG.search(written)


def _has_parts(body: bytes) -> bool:
    """What a multipart body looks like, with words above its first part, or parts without fields."""
    if _INSIDE.search(body):
        return True
    lines = {found[1].rstrip() for found in _DELIMITER.finditer(body)}
    return any(line.endswith(b"--") and line[:-2] in lines and line.strip(b"-") for line in lines)


def _text(octets: bytes) -> str | None:
    """As UTF-8, when it is that, and text."""
    try:
        written = octets.decode()
    except UnicodeDecodeError:
        return None
    return None if _CONTROL.search(written) else written


def _is_encoded_so(message: "Message[Any, Any]", body: bytes, signed: Collection[str]) -> bool:
    """Whether the encoding gives what the body itself shows to be meant."""
    charset = mime.charset(message) if TYPE in signed else None
    words = mime.kind(message).startswith(("text/", "multipart/"))
    meant = _base64(body, charset, words)
    if meant is None and words:
        meant = _quoted(body, charset)
    read = mime.content(message)
    return read == meant if meant is not None else words and _bare(read) == _bare(body)


def _bare(octets: bytes) -> bytes:
    """Without blanks at the ends of lines, which a decoder may drop."""
    return b"\n".join(line.rstrip() for line in octets.split(b"\n")).rstrip()


def _base64(body: bytes, charset: str | None, words: bool) -> bytes | None:
    """The decoded body, when it is nothing but base64 and, where it should hold words, gives text."""
    lines = [line.strip() for line in body.rstrip().split(b"\r\n")]
    whole = b"".join(lines)
    if len(whole) % 4 or not _BASE64.fullmatch(whole) or any(len(line) != len(lines[0]) for line in lines[:-1]):
        return None
    try:
        decoded = base64.b64decode(whole, validate=True)
    except binascii.Error:
        return None
    return decoded if not words or _is_text(decoded, charset) else None


def _quoted(body: bytes, charset: str | None) -> bytes | None:
    """The decoded body, when all of it is quoted-printable that decodes to other text than itself."""
    if b"=" not in body or any(len(line) > _LONGEST_QUOTED for line in body.split(b"\r\n")):
        return None
    if not _QUOTED.fullmatch(body):
        return None
    decoded = binascii.a2b_qp(body)
    return decoded if _is_text(decoded, charset) else None


def _is_text(decoded: bytes, charset: str | None) -> bool:
    if charset is None:
        return _text(decoded) is not None
    return not _CONTROL.search(charsets.repair(decoded, charset))
