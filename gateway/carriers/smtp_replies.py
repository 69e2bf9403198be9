"""What a mail server's reply, or its silence, says about one letter; used by smtp_link."""

from __future__ import annotations

import re
from typing import Final

from gateway.carriers import Outcome

# How servers name what they took: Postfix, Exim, Exchange, Gmail.
_QUEUED: Final = re.compile(rb"(?:queued as|\bid=|InternalId=|\bOK +\d+) *([\w.-]{1,64})", re.IGNORECASE)
_POSTFIX: Final = b"queued as "  # asked first: every letter passes here
_NAME: Final = re.compile(rb"[\w.-]{1,64}")
_ENHANCED: Final = re.compile(rb"[245]\.\d{1,3}\.\d{1,3}(?= |$)")  # RFC 3463
# Our own credentials, or a connection that is not what the server wants: no letter can fare better (RFC 4954 6).
_OURS: Final = frozenset({530, 534, 535, 538})


def took(line: bytes) -> Outcome:
    """250 after the final dot: the relay answers for the letter now."""
    at = line.find(_POSTFIX)
    found = _NAME.match(line, at + len(_POSTFIX)) if at >= 0 else _QUEUED.search(line)
    return Outcome("sent", found[found.re.groups].decode("ascii", "replace") if found else None)


def refused(code: int, line: bytes, command: str) -> Outcome:
    """4xx or 5xx to one command of a letter. The words of the server are left out: they quote addresses."""
    enhanced = _ENHANCED.search(line[4:16])
    detail = f"{command} {enhanced[0].decode()}" if enhanced else command
    if code in _OURS:
        return Outcome("retry", reason=str(code), detail=detail, pause=True)
    return Outcome("retry" if code < 500 else "failed", reason=str(code), detail=detail)


def untaken(reason: str) -> Outcome:
    """The connection ended before the letter was all written: it cannot have been taken."""
    return Outcome("retry", reason=reason)


def unanswered(reason: str) -> Outcome:
    """It was all written, and no reply came (RFC 5321 4.5.3.2.6 knows this gap; RFC 1047 is about nothing else)."""
    return Outcome("unknown", reason=reason)
