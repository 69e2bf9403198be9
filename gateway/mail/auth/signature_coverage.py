"""Checks whether a DKIM signature covers all of a mail that Critter reads (R56). dkim_verifier.py calls it.

A signature stays valid when fields that it does not cover are added, doubled or changed, and when blanks in the body
change. So each field that is read (gateway/mail/decode/read_fields) must be there once and be signed. What real senders
leave unsigned is checked in another way: unsigned_body_form.py says what Content-Type and similar fields have to be,
and the mail must read the same however the rest is varied. A signature that fails this does not count; the mail is
held, and its writer is asked. docs/decisions/0034 has the reasons, and what each large sender signs.
"""

import re
from collections.abc import Collection, Iterator
from email.message import Message
from typing import Any, Final, NamedTuple

from gateway.errors import Refused
from gateway.mail.auth import unsigned_body_form
from gateway.mail.auth.canonicalization import relax_body
from gateway.mail.auth.unsigned_body_form import DISPOSITION, MULTIPARTS, TYPE
from gateway.mail.decode import mime, read_fields
from gateway.mail.decode.attachments import enclosures
from gateway.mail.parse import own_words

# Different parsers read anything looser differently: a line without a colon, "Subject :", or "From " without a colon.
_HEAD: Final = re.compile(rb"((?:[!-9;-~]+:[^\r\n]*\r\n(?:[ \t][^\r\n]*\r\n)*)+)(?:\r\n|\Z)")
_NAME: Final = re.compile(rb"^([!-9;-~]+):", re.MULTILINE)
_DASHES: Final = re.compile(rb"^--(?=\r\n)", re.MULTILINE)  # the "-- " of a signature, whose blank is not covered
ONCE: Final = read_fields.of_role("author", "form", "name")
AUTHORS: Final = read_fields.of_role("author")
ANSWERS: Final = "in-reply-to"


class _MailReading(NamedTuple):
    """What a mail is read as, apart from blanks. `line`: it is one line, as commands are."""

    text: str
    line: bool
    subject: str
    forwarded: bool
    files: tuple[tuple[int, str, str, bytes], ...]


class Coverage:
    """One mail, and what of it must be signed. The verdict on each set of signed fields is computed once."""

    def __init__(self, mail: bytes) -> None:
        head = _HEAD.match(mail)
        self._head, self._body = (head[0], mail[head.end() :]) if head else (b"", mail)
        self._names = [name.lower().decode() for name in _NAME.findall(self._head)]
        self._told: dict[tuple[frozenset[str], bool], str] = {}

    def fields_fault(self, signed: Collection[str]) -> str:
        """What is wrong with the fields, in words; empty when all that are read are there once and signed."""
        if not self._head:
            return "its header is not in order"
        for name in ONCE:
            if self._names.count(name) > 1:
                return f"the mail has more than one {_shown(name)}"
        loose = next((name for name in AUTHORS if name in self._names and name not in signed), None)
        return f"it does not cover {_shown(loose)}" if loose else ""

    def reading_fault(self, signed: Collection[str], blanks: bool) -> str:
        """Why somebody could make the mail read differently although these fields are signed; empty when nobody could.
        `blanks`: the blanks of the body are covered too (c=…/simple)."""
        key = (frozenset(signed).intersection(read_fields.READ), blanks)
        if key not in self._told:
            try:
                self._told[key] = self._weighed(*key)
            except (Refused, *mime.MALFORMED):
                self._told[key] = "it cannot be read without what is not signed"
        return self._told[key]

    def _weighed(self, signed: frozenset[str], blanks: bool) -> str:
        message = mime.parse(self._head + self._body)
        if why := unsigned_body_form.fault(message, self._body, signed):
            return why
        read = _reading(message)
        if any(_reading(each) != read for each in _varied(message, signed)):
            return "it could be read otherwise by what is not signed"
        return "" if blanks else self._respaced(signed, read)

    def _respaced(self, signed: frozenset[str], read: _MailReading) -> str:
        """Checks that the reading does not depend on blanks in the body, which may be changed under c=…/relaxed."""
        spaced = relax_body(self._body)
        if spaced == self._body:
            return ""
        message = mime.parse(self._head + _DASHES.sub(b"-- ", spaced))
        alike = _reading(message) == read and all(_reading(each) == read for each in _varied(message, signed))
        return "" if alike else "it could be read otherwise by blanks that are not signed"


def _varied(message: "Message[Any, Any]", signed: Collection[str]) -> Iterator["Message[Any, Any]"]:
    """The same mail, changed in place, with each unsigned field as somebody else could have written it."""
    if TYPE not in signed:
        yield from _retyped(message)
    if DISPOSITION not in signed and not mime.children(message):
        yield from _as_file(message)
    if ANSWERS not in signed:  # the mail has none, since an unsigned one is a fault; but anybody could add it
        message[ANSWERS] = "<somebody@elsewhere.invalid>"
        yield message


def _retyped(message: "Message[Any, Any]") -> Iterator["Message[Any, Any]"]:
    """The mail with each kind of multipart, or plain text without format=flowed, which joins lines."""
    if mime.children(message):
        was = mime.kind(message)
        for kind in MULTIPARTS:
            message.set_type(kind)
            yield message
        message.set_type(was)
    elif mime.tolerated(lambda: message.get_param("format"), None) is not None:
        written = message[TYPE]
        message.del_param("format")
        yield message
        message.replace_header(TYPE, written)


def _as_file(message: "Message[Any, Any]") -> Iterator["Message[Any, Any]"]:
    """The mail as one file, which it may have been before somebody took its Content-Disposition away. Programs write a
    file's name into Content-Type as well; one without a name there may have had another."""
    was = message[DISPOSITION]
    name = str(mime.tolerated(message.get_filename, None) or "another.txt")
    del message[DISPOSITION]
    message.add_header(DISPOSITION, "attachment", filename=name)
    yield message
    del message[DISPOSITION]
    if was is not None:
        message[DISPOSITION] = was


def _reading(message: "Message[Any, Any]") -> _MailReading:
    own = own_words.read_own_words(message)
    files = tuple(
        (each.number, _joined(each.name), each.type, b"".join(each.content.split()))
        for each in enclosures(message, forwarded=own.forwarded)
    )
    return _MailReading(_joined(own.text), "\n" not in own.text, _joined(own.subject), own.forwarded, files)


def _joined(text: str) -> str:
    return " ".join(text.split())


def _shown(name: str) -> str:
    return "Message-ID" if name == "message-id" else name.title()
