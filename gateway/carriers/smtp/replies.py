"""What a mail server's reply, or its silence, says about one mail. Used by transaction, chunking, connection, handshake
and relay in this folder."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fnmatch import fnmatch
from typing import Final

from gateway.carriers.common.protocol import Outcome
from gateway.errors import Kind

# How servers name the id of a mail that they took: Postfix, Exim, Exchange, Gmail.
_QUEUED: Final = re.compile(rb"(?:queued as|\bid=|InternalId=|\bOK +\d+) *([\w.-]{1,64})", re.IGNORECASE)
_POSTFIX: Final = b"queued as "  # tried first, for speed: every mail passes here
_NAME: Final = re.compile(rb"[\w.-]{1,64}")
_ENHANCED: Final = re.compile(rb"[245]\.\d{1,3}\.\d{1,3}(?= |$)")  # RFC 3463
# Our own credentials are wrong, or the connection is not what the server wants: no other mail can succeed (RFC 4954 6).
_OURS: Final = frozenset({530, 534, 535, 538})


@dataclass(frozen=True, slots=True)
class RelayPause:
    """The relay has reached its limit for us, or does not know us: no mail can succeed until `wait` seconds are over.

    `codes` and `enhanced` (with a * as a wildcard at the end) are how the relay says so; where they have other meanings
    too, `words` must also match. Without `pause` other mails may still go, and this one soon.
    """

    reason: str
    codes: tuple[int, ...]
    enhanced: str
    wait: float
    words: re.Pattern[bytes] | None = None
    pause: bool = True

    @property
    def kind(self) -> Kind:
        return "permanent" if self.pause else "transient"


def _words(text: bytes) -> re.Pattern[bytes]:
    return re.compile(text, re.IGNORECASE)


MINUTES: Final = 60.0
HOUR: Final = 3600.0
# Google: "Gmail SMTP errors and codes", https://support.google.com/a/answer/3726730, and the relay's own under "SMTP
# relay service error messages", https://support.google.com/a/answer/6140680. Microsoft: "Throttling limits",
# https://learn.microsoft.com/exchange/troubleshoot/send-emails/smtp-submission-improvements, and "Email non-delivery
# reports in Exchange Online", https://learn.microsoft.com/exchange/mail-flow-best-practices/non-delivery-reports-in-exchange-online/non-delivery-reports-in-exchange-online.
TROUBLES: Final = (
    RelayPause("421 4.7.28", (421, 450), "4.7.28", 10 * MINUTES),
    RelayPause("450 4.2.1", (450,), "4.2.1", 10 * MINUTES, _words(rb"relay limit exceeded")),
    RelayPause("550 5.4.5", (550,), "5.4.5", HOUR, _words(rb"limit|quota")),
    RelayPause("550 5.4.5", (550,), "5.7.1", HOUR, _words(rb"relay limit exceeded")),
    RelayPause("550 5.7.1", (550,), "5.7.1", 5 * MINUTES, _words(rb"credentials for relay|mail relay denied")),
    RelayPause("432 4.3.2", (432, 421), "4.3.2", 2.0, _words(rb"concurrent connection|thread limit"), pause=False),
    RelayPause("554 5.2.0", (554,), "5.2.0", HOUR, _words(rb"SubmissionQuota|recipient rate limit")),
    RelayPause("554 5.2.2", (554,), "5.2.2", 10 * MINUTES, _words(rb"STOREDRV\.Submission")),
    RelayPause("550 5.7.60", (550, 554), "5.7.60", 5 * MINUTES),
    RelayPause("550 5.7.60", (550, 554), "5.2.*", 5 * MINUTES, _words(rb"SendAsDenied")),
    RelayPause("550 5.7.64", (550,), "5.7.64", 5 * MINUTES),
    RelayPause("451 4.7.500", (451,), "4.7.5*", 5 * MINUTES),
    RelayPause("550 5.7.705", (550,), "5.7.70*", HOUR, _words(rb"threshold")),
    RelayPause("550 5.1.8", (550,), "5.1.8", HOUR, _words(rb"bad outbound sender")),
)
_BY_REASON: Final = {one.reason: one for one in TROUBLES}


def find_pause(code: int, line: bytes) -> RelayPause | None:
    """Returns what a reply says about us; None when it is about one mail only."""
    enhanced = _ENHANCED.search(line[4:16])
    said = enhanced[0].decode() if enhanced else ""
    for one in TROUBLES:
        if code in one.codes and fnmatch(said, one.enhanced) and (one.words is None or one.words.search(line)):
            return one
    return None


def wait_of(reason: str) -> float | None:
    """Returns the seconds to wait after this reason; None if it is not in TROUBLES."""
    return _BY_REASON[reason].wait if reason in _BY_REASON else None


def kind_of(reason: str) -> Kind:
    """Tells whether another connection may be opened after one that ended with this reason: "transient" is yes."""
    return _BY_REASON[reason].kind if reason in _BY_REASON else "transient"


def is_closing(reason: str) -> bool:
    """Tells whether the server ended the connection with a 421, which refuses all that was not answered before."""
    return reason.startswith(("421", "432"))


def accepted_outcome(line: bytes) -> Outcome:
    """The outcome of a 250 after the final dot: the relay is responsible for the mail now."""
    at = line.find(_POSTFIX)
    found = _NAME.match(line, at + len(_POSTFIX)) if at >= 0 else _QUEUED.search(line)
    return Outcome("sent", found[found.re.groups].decode("ascii", "replace") if found else None)


def refused_outcome(code: int, line: bytes, command: str) -> Outcome:
    """The outcome of a 4xx or 5xx to one command of a mail. The server's words are left out: they quote addresses."""
    enhanced = _ENHANCED.search(line[4:16])
    detail = f"{command} {enhanced[0].decode()}" if enhanced else command
    if known := find_pause(code, line):
        return Outcome("retry", reason=known.reason, detail=detail, pause=known.pause, wait=known.wait)
    if code in _OURS:
        return Outcome("retry", reason=str(code), detail=detail, pause=True)
    return Outcome("retry" if code < 500 else "failed", reason=str(code), detail=detail)


def untaken_outcome(reason: str) -> Outcome:
    """The outcome when the connection ended before the mail was completely written: it cannot have been taken."""
    known = _BY_REASON.get(reason)
    return Outcome("retry", reason=reason, pause=known is not None and known.pause, wait=wait_of(reason))


def unanswered_outcome(reason: str) -> Outcome:
    """The outcome when the mail was completely written and no reply came (RFC 5321 4.5.3.2.6 mentions this gap, and RFC
    1047 is all about it)."""
    return Outcome("unknown", reason=reason)
