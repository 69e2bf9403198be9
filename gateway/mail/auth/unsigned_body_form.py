"""Checks how a signed body is parsed when the fields that say so are not signed. signature_coverage.py calls it.

Gmail, for example, does not sign Content-Type, and Apple leaves out Content-Transfer-Encoding. With another boundary,
charset or encoding the same signed octets become other words. So the body alone decides what these fields must say,
and the signature does not prove a mail whose fields say anything else. A body that allows two readings is not proved
either: its writer is asked. Decided against: to ignore the fields, because then most mails could not be read at all.
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
_PARAMS: Final = frozenset({"charset", "format", "delsp"})  # of plain text; no name, which would make it a file

# They match line by line, so that the time is proportional to the length of a body.
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
    """Why the unsigned fields do not follow from the body; empty when they do."""
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
    """Whether the body is plain text in UTF-8 or ASCII that no other type would turn into something else."""
    given = mime.tolerated(message.get_params, None)
    if message[TYPE] is not None and (given is None or any(name.lower() not in _PARAMS for name, _ in given[1:])):
        return False
    if charsets.is_wide(mime.charset(message)) or _has_parts(body):
        return False
    written = _text(mime.content(message))
    return written is not None and not _TAG.match(written) and not _END_TAG.search(written)


def _has_parts(body: bytes) -> bool:
    """Whether the body looks like multipart, with words above its first part or parts without fields."""
    if _INSIDE.search(body):
        return True
    lines = {found[1].rstrip() for found in _DELIMITER.finditer(body)}
    return any(line.endswith(b"--") and line[:-2] in lines and line.strip(b"-") for line in lines)


def _text(octets: bytes) -> str | None:
    """The octets as UTF-8 text; None when they are not valid, or contain control characters."""
    try:
        written = octets.decode()
    except UnicodeDecodeError:
        return None
    return None if _CONTROL.search(written) else written


def _is_encoded_so(message: "Message[Any, Any]", body: bytes, signed: Collection[str]) -> bool:
    """Whether decoding gives the content that the body itself shows to be meant."""
    charset = mime.charset(message) if TYPE in signed else None
    words = mime.kind(message).startswith(("text/", "multipart/"))
    meant = _base64(body, charset, words)
    if meant is None and words:
        meant = _quoted(body, charset)
    read = mime.content(message)
    return read == meant if meant is not None else words and _bare(read) == _bare(body)


def _bare(octets: bytes) -> bytes:
    """Removes blanks at the ends of lines, which a decoder may drop."""
    return b"\n".join(line.rstrip() for line in octets.split(b"\n")).rstrip()


def _base64(body: bytes, charset: str | None, words: bool) -> bytes | None:
    """The decoded body, when it is nothing but base64 and, where it should contain words, decodes to text."""
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
