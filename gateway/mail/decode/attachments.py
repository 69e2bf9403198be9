"""Finds what a mail contains besides its words: files, and pictures in the text, but nothing that mail programs add.

gateway/inbound/mail_attachments.py calls it when a mail is read; workers/media extracts a part by its number.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message
from typing import Any, Final

from gateway.mail.decode import body_parts, mime

# Parts of signed, encrypted and calendar mails, and visiting cards: programs add them, and not the writer.
ADDED: Final = (
    "application/pgp-signature", "application/pgp-keys", "application/pgp-encrypted", "application/pkcs7-signature",
    "application/x-pkcs7-signature", "text/calendar", "application/ics", "text/vcard", "text/x-vcard", "text/directory",
    "text/vnd.google.email-reaction+json",
    "message/delivery-status", "message/disposition-notification", "text/rfc822-headers", "text/x-amp-html",
)  # fmt: skip
# The marks of mail programs where the writer's own part of an HTML mail ends.
_ENDS: Final = re.compile(
    r"<blockquote|class=\"?[^\">]*(?:gmail_quote|gmail_signature|gmail_attr|moz-signature|moz-cite|yahoo_quoted|protonmail_"
    r"(?:quote|signature))|id=\"?(?:appendonsend|divRplyFwdMsg|x_divRplyFwdMsg|Signature|mail-editor-reference|"
    r"isForwardContent|ms-outlook-mobile-signature|AppleMailSignature|lineBreakAtBeginningOfSignature)|"
    r"<o:SignatureOrQuote|border-top:\s*solid #(?:E1E1E1|B5C4DF)|>\s*--\s*(?:<br|</)",
    re.IGNORECASE,
)
_CID: Final = re.compile(r"[\"'(]\s*cid:([^\"')\s>]{1,250})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Enclosure:
    """A part that may be passed on. `number`: its place among all parts of the mail; `shown`: it is shown in the text;
    `quoted`: it is shown only below the writer's own words."""

    number: int
    name: str
    type: str
    content: bytes
    shown: bool
    quoted: bool


def enclosures(message: "Message[Any, Any]", *, forwarded: bool = False) -> list[Enclosure]:
    """The enclosures of a mail, in order. In a forwarded mail none counts as `quoted`."""
    return enclosures_inside(body_parts.unwrap(message), forwarded=forwarded)


def enclosures_inside(inside: "Message[Any, Any]", *, forwarded: bool = False) -> list[Enclosure]:
    """The same, of a mail that body_parts.unwrap returned."""
    leaves = list(_leaves(inside))
    words = body_parts.attached_words(inside)
    own, cited = _cited(leaves)
    found: list[Enclosure] = []
    for number, part, kind in leaves:
        if kind in ADDED or id(part) in words or (body_parts.is_text(part) and not body_parts.is_attached(part)):
            continue
        cid = _cid(part)
        quoted = bool(cid) and cid in cited and cid not in own and not forwarded
        found.append(Enclosure(number, _name(part), kind, content(part), cid in own or cid in cited, quoted))
    return found


def part(message: "Message[Any, Any]", number: int) -> bytes | None:
    """The content of one part by its number."""
    return next((content(each) for at, each, _ in _leaves(body_parts.unwrap(message)) if at == number), None)


def content(part: "Message[Any, Any]") -> bytes:
    if mime.kind(part) == "message/rfc822":
        return b"".join(_plain(each) for each in mime.children(part))
    return mime.content(part)


def _plain(message: "Message[Any, Any]") -> bytes:
    return mime.tolerated(message.as_bytes, b"")


def _leaves(message: "Message[Any, Any]") -> Iterator[tuple[int, "Message[Any, Any]", str]]:
    """The parts without subparts, numbered among all parts. The inside of an attached mail is skipped."""
    waiting, number = [message], -1
    while waiting:
        each = waiting.pop()
        number += 1
        kind = mime.kind(each)
        inside = [] if kind == "message/rfc822" else mime.children(each)
        if inside:
            waiting.extend(reversed(inside))
        elif not kind.startswith("multipart/"):
            yield number, each, kind


def _name(part: "Message[Any, Any]") -> str:
    return mime.decode_words(str(mime.tolerated(part.get_filename, None) or ""))


def _cid(part: "Message[Any, Any]") -> str:
    return mime.field(part, "Content-ID").strip("<> ").lower()


def _cited(leaves: "list[tuple[int, Message[Any, Any], str]]") -> tuple[set[str], set[str]]:
    """Content-IDs that the HTML shows: in the writer's own part, and below it."""
    own: set[str] = set()
    below: set[str] = set()
    for _, each, kind in leaves:
        if kind == "text/html":
            text = mime.text(each)
            end = _ENDS.search(text)
            at = end.start() if end else len(text)
            for cited in _CID.finditer(text):
                (own if cited.start() < at else below).add(cited[1].lower())
    return own, below
