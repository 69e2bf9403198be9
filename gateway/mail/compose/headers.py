"""Writes the header fields of a mail for compose.py: refuses values that would break out of a field, encodes others.

Python's own writer is not used: it unquotes long names and encodes long ids as words, and both break mails.
"""

import re
from email.header import Header, decode_header
from typing import Final

from gateway.mail.decode.mime import MALFORMED

CONTROL: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_BIDI: Final = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069]")  # they reverse the text beside them
_ATOMS: Final = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]+")  # RFC 5322 3.2.3, and blanks between
_ADDRESS: Final = re.compile(r"[!#-'*+./-9=?A-Z^-~-]+@[A-Za-z0-9.-]+")
_LONGEST: Final = 200  # characters of a value that is written as it is; longer ones become folded encoded words


def label(text: str, longest: int = 78) -> str:
    """Any text as one line for a field: without control characters and encoded words, cut between words."""
    line = " ".join(_BIDI.sub("", CONTROL.sub(" ", text)).replace("=?", "= ?").split())
    if len(line) <= longest:
        return line
    return line[:longest].rsplit(" ", 1)[0].rstrip() + "…"


def breaks_out(value: str) -> bool:
    """Whether a value would break out of its field, either now or when a reader decodes it."""
    return bool(CONTROL.search(value) or ("=?" in value and CONTROL.search(_read(value))))


def one_line(value: str) -> str:
    """The value; raises ValueError when it would break out of its field."""
    if breaks_out(value):
        raise ValueError("a mail's header holds a control character")
    return value.replace("{{critter.", "{ {critter.")


def words(value: str) -> str:
    """Unstructured text, such as a subject (RFC 5322 2.2.1, RFC 2047)."""
    value = one_line(value)
    return value if value.isascii() and "=?" not in value and len(value) <= _LONGEST else _encoded(value)


def mailbox(name: str, address: str) -> str:
    """A name and an address, written so that no name can become a second mailbox."""
    if _ADDRESS.fullmatch(one_line(address)) is None:
        raise ValueError("a mail's own address holds a character it cannot hold")
    return f"{_phrase(one_line(name))} <{address}>" if name else address


def _phrase(name: str) -> str:
    if not name.isascii() or "=?" in name or len(name) > _LONGEST:
        return _encoded(name)
    if _ATOMS.fullmatch(name):
        return name
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _encoded(value: str) -> str:
    return Header(value, "utf-8", maxlinelen=70).encode(linesep="\r\n")


def _read(value: str) -> str:
    try:
        return "".join(
            each if isinstance(each, str) else each.decode(charset or "ascii", "replace")
            for each, charset in decode_header(value)
        )
    except MALFORMED:
        return "\n"
