"""Who a mail says it is from, and whether a machine wrote it. The mail door asks the first, the workers ask both."""

import re
from collections.abc import Collection
from email.message import Message
from typing import Any

import idna

from gateway.errors import Refused
from gateway.language.words.normalize import without_invisible
from gateway.mail.decode import body_parts, mime, read_fields

_ADDRESS = r"[^\s<>()\[\],;:@\"\\\x00-\x20\x7f]{1,64}@[^\W_](?:[\w.-]{0,250}[^\W_])?"
_QUOTED = r'"(?:[^"\\\x00-\x1f]|\\[^\x00-\x1f])*"'
_COMMENT = r"\([^()<>\"\\]*\)"
# Some programs write a name without quotation marks although it has brackets, commas or the address in it.
_NAME = rf"(?:{_QUOTED}|{_COMMENT}|[^<>();\"\\])*"
_MAILBOX = re.compile(
    rf"\s*(?:(?P<bare>{_ADDRESS})|(?P<name>{_NAME})<\s*(?P<address>{_ADDRESS})\s*>)\s*(?P<after>{_COMMENT})?\s*,?\s*",
    re.IGNORECASE,
)
_OUTSIDE = re.compile(_QUOTED)  # text in quotation marks is a name, whatever it looks like
_ANY_ADDRESS = re.compile(r"[^\s<>()\[\],;:\"\\']+@[^\s<>()\[\],;:\"\\']*")
_COMMENTS = re.compile(r"^\s*(?:\([^()]*\)\s*)+")  # a comment may precede the value (RFC 5322, 3.2.2)
_LONGEST_FROM = 1000
_MOST_HOPS = 50
_CALENDARS = ("text/calendar", "text/x-calendar", "application/ics")
_ANSWERING = ("reply", "counter", "declinecounter", "refresh")  # RFC 5546: methods that an attendee's program sends
_METHOD = re.compile(rb"^METHOD:\s*([A-Z]+)\s*$", re.MULTILINE | re.IGNORECASE)
_BULK = frozenset({"bulk", "junk", "list", "auto_reply", "auto-reply"})


def sender(message: "Message[Any, Any]") -> str:
    """The one mailbox of the one From field, in lower case, with its domain in ASCII. Raises Refused for any other
    number, and when the name pretends to be another mailbox."""
    match = _from(message)
    address = _in_ascii(str(match["bare"] or match["address"]).lower()) if match else None
    if match is None or address is None:
        raise Refused("A mail needs exactly one From with exactly one address.")
    return address


def display_name(message: "Message[Any, Any]") -> str | None:
    """The name that the writer's program gives them, to be shown to people; it proves nothing."""
    match = _from(message)
    name = mime.decode_words(match["name"] or "").strip(' "') if match else ""
    return name or None


def _from(message: "Message[Any, Any]") -> re.Match[str] | None:
    found = [without_invisible(value) for value in mime.fields(message, "From")]
    if len(found) != 1 or len(found[0]) > _LONGEST_FROM:
        return None
    match = _MAILBOX.fullmatch(found[0])
    return match if match and not _pretends(match) else None


def _pretends(match: re.Match[str]) -> bool:
    """Whether another address is beside the mailbox, as in a list of mailboxes: then the author is unclear."""
    beside = f"{_OUTSIDE.sub(' ', match['name'] or '')} {match['after'] or ''}"
    own = str(match["bare"] or match["address"]).lower()
    others = {each.strip(".'").lower() for each in _ANY_ADDRESS.findall(beside)}
    return "@" in beside and not others <= {own}


def _in_ascii(address: str) -> str | None:
    """The address with its domain as in DNS (IDNA 2008); None when the domain is not valid."""
    local, _, domain = address.rpartition("@")
    if domain.isascii():
        return address
    try:
        return f"{local}@{idna.encode(domain, uts46=True).decode()}"
    except idna.IDNAError:
        return None


def machine(
    message: "Message[Any, Any]", null_sender: bool = False, own_addresses: Collection[str] = frozenset()
) -> str | None:
    """Why a mail is from a machine, None when a person may have written it (RFC 3834, lists, bounces).

    `null_sender`: the envelope sender is `<>`. `own_addresses` are in lower case.
    X-Auto-Response-Suppress is no sign: ordinary Exchange mail carries it."""
    if null_sender:
        return "null envelope sender"
    names = mime.names(message)
    if names.count("received") > _MOST_HOPS:
        return "more than 50 Received fields"
    return _by_field(message) or _by_name(names) or _by_kind(message) or _own(message, own_addresses)


def is_report(message: "Message[Any, Any]") -> bool:
    """Whether it reports what became of a mail, that it was read, or an answer to an invitation."""
    return _by_kind(message) is not None


def _by_field(message: "Message[Any, Any]") -> str | None:
    for value in mime.fields(message, "Auto-Submitted"):
        if _first_word(value) not in ("no", ""):
            return "Auto-Submitted"
    bulk = any(_first_word(value) in _BULK for value in mime.fields(message, "Precedence"))
    return "Precedence" if bulk else None


def _first_word(value: str) -> str:
    return re.split(r"[\s;(]", _COMMENTS.sub("", value).strip().lower(), maxsplit=1)[0]


def _by_name(names: list[str]) -> str | None:
    for name in names:
        if read_fields.is_brake(name):
            return name.title()
    return None


def _by_kind(message: "Message[Any, Any]") -> str | None:
    """Reports, read receipts and answers to an invitation: programs write all of these."""
    if mime.kind(message) == "multipart/report":
        return "a report"
    for part in body_parts.leaves(message):
        kind = mime.kind(part)
        if kind == "message/disposition-notification":
            return "a receipt"
        if kind in _CALENDARS and _is_calendar_reply(part):
            return "an answer to an invitation"
    return None


def _is_calendar_reply(part: "Message[Any, Any]") -> bool:
    method = mime.tolerated(lambda: part.get_param("method"), None)
    if method is not None:
        return str(method).lower() in _ANSWERING
    found = _METHOD.search(mime.content(part)[:20_000])
    return found is not None and found[1].decode().lower() in _ANSWERING


def _own(message: "Message[Any, Any]", own_addresses: Collection[str]) -> str | None:
    match = _from(message)
    address = (_in_ascii(str(match["bare"] or match["address"]).lower()) or "") if match else ""
    return "our own address" if address and address in own_addresses else None
