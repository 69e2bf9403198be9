"""Who a mail says it is from, and whether a machine wrote it. The mail door asks both before anything else is read."""

import re
from collections.abc import Collection
from email.message import Message
from typing import Any

from gateway.errors import Refused
from gateway.language import bodies, mime, read_fields

_ADDRESS = r"[^\s<>()\[\],;:@\"\\\x00-\x20\x7f]{1,64}@[a-z0-9](?:[a-z0-9.-]{0,250}[a-z0-9])?"
_QUOTED = r'"(?:[^"\\\x00-\x1f]|\\[^\x00-\x1f])*"'
_COMMENT = r"\([^()<>@,;:\"\\]*\)"
_MAILBOX = re.compile(
    rf"\s*(?:(?P<bare>{_ADDRESS})|(?P<name>(?:{_QUOTED}|{_COMMENT}|[^<>()@,;:\"\\\[\]])*)<\s*(?P<address>{_ADDRESS})\s*>)"
    rf"\s*(?:{_COMMENT})?\s*",
    re.IGNORECASE,
)
_COMMENTS = re.compile(r"^\s*(?:\([^()]*\)\s*)+")  # before the value; it may stand there (RFC 5322, 3.2.2)
_LONGEST_FROM = 1000
_MOST_HOPS = 50
_CALENDARS = ("text/calendar", "text/x-calendar", "application/ics")
_ANSWERING = ("reply", "counter", "declinecounter", "refresh")  # RFC 5546: what a guest's program sends
_METHOD = re.compile(rb"^METHOD:\s*([A-Z]+)\s*$", re.MULTILINE | re.IGNORECASE)
_BULK = frozenset({"bulk", "junk", "list", "auto_reply", "auto-reply"})


def sender(message: "Message[Any, Any]") -> str:
    """The one mailbox of the one From field, in lower case. Raises Refused for any other number."""
    match = _from(message)
    if match is None:
        raise Refused("A mail needs exactly one From with exactly one address.")
    return str(match["bare"] or match["address"]).lower()


def display_name(message: "Message[Any, Any]") -> str | None:
    """The name the writer's program gives them, for a person to read; it proves nothing."""
    match = _from(message)
    name = mime.decoded(match["name"] or "").strip(' "') if match else ""
    return name or None


def _from(message: "Message[Any, Any]") -> re.Match[str] | None:
    found = mime.fields(message, "From")
    if len(found) != 1 or len(found[0]) > _LONGEST_FROM:
        return None
    return _MAILBOX.fullmatch(found[0])


def machine(
    message: "Message[Any, Any]", null_sender: bool = False, own_addresses: Collection[str] = frozenset()
) -> str | None:
    """Why a mail is from a machine, None when a person may have written it (RFC 3834, lists, bounces).

    `null_sender`: the envelope came from `<>`. `own_addresses` in lower case.
    X-Auto-Response-Suppress is no sign: ordinary Exchange mail carries it."""
    if null_sender:
        return "null envelope sender"
    names = mime.names(message)
    if names.count("received") > _MOST_HOPS:
        return "more than 50 Received fields"
    return _by_field(message) or _by_name(names) or _by_kind(message) or _own(message, own_addresses)


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
    """Reports, receipts for a mail that was read, and answers to an invitation: programs write all of them."""
    if mime.kind(message) == "multipart/report":
        return "a report"
    for part in bodies.leaves(message):
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
    address = str(match["bare"] or match["address"]).lower() if match else ""
    return "our own address" if address and address in own_addresses else None
