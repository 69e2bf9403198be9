"""Masks for logs: a number or a mailbox is never shown, but the same one always has the same mask (R50)."""

import hmac
import re
from typing import Final

_NUMBER: Final = re.compile(r"\+\d{5,13}(?=\d{2}(?!\d))")
_LOCAL: Final = r"[\w.!#$%&'*+/=?^`{|}~-]"  # each line is scanned once, however long it is
_MAILBOX: Final = re.compile(rf"(?<!{_LOCAL}){_LOCAL}++(?=@[\w-]+\.[\w.-]+)")
_TOKEN: Final = re.compile(r"(?<=/)(login|[pmu])/[A-Za-z0-9]{16,}")
_PASSWORD: Final = re.compile(r"(?<=://)[^\s/@\"']*:[^\s/@\"']*(?=@)")


def mask_contact(key: str, address: str) -> str:
    """A keyed hash and the last two characters: enough to follow one sender through a log, too little to identify
    them."""
    return f"{hmac.digest(key.encode(), address.encode(), 'sha256').hex()[:8]}…{address[-2:]}"


def last_two(address: str) -> str:
    """As an operator sees a phone or mailbox on a page: two digits of a number, the end of a domain, nothing more."""
    return f".{address.rpartition('.')[2]}" if "@" in address else f"…{address[-2:]}"


def blank_out(line: str) -> str:
    """Masks a line of a log. It is the last safeguard for everything that logs, because errors of libraries quote what
    they were given. Numbers keep two digits, mailboxes their domain, links their kind."""
    if "@" in line:
        line = _MAILBOX.sub("…", _PASSWORD.sub("…", line))
    if "+" in line:
        line = _NUMBER.sub("…", line)
    return _TOKEN.sub(r"\1/…", line) if "/" in line else line
