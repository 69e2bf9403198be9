"""A mail in the form that SMTP wants: what may not be sent at all, its commands, its content with the dots doubled.

Pure functions for gateway/carriers/smtp/transaction and chunking. A stray CR or LF is refused, never repaired: with it
one mail can be made to look like two.
"""

from __future__ import annotations

from collections.abc import Container
from typing import Final

from gateway.carriers.common.protocol import OutboundEmail

LONGEST_LINE: Final = 998  # RFC 5322 2.1.1
LONGEST_ADDRESS: Final = 254  # RFC 5321 4.5.3.1.3, without the angle brackets


def find_flaw(email: OutboundEmail, offers: Container[str]) -> str:
    """Returns the reason why this mail can never be sent over a server that offers these extensions, or ""."""
    if not _is_address(email.recipient) or not (email.envelope_from == "" or _is_address(email.envelope_from)):
        return "address"
    if not _is_plain(email) and "SMTPUTF8" not in offers:
        return "smtputf8"
    return "" if is_clean(email.content) else "content"


def _is_address(address: str) -> bool:
    """Tells whether an address is safe: nothing in it may end the path or the line. This also refuses quoted local
    parts with blanks."""
    unfit = " " in address or "<" in address or ">" in address or not address.isprintable()
    return 0 < len(address) <= LONGEST_ADDRESS and not unfit


def _is_plain(email: OutboundEmail) -> bool:
    return email.recipient.isascii() and email.envelope_from.isascii()


def is_clean(content: bytes) -> bool:
    """Tells whether a content has CR and LF only as CRLF, no NUL, and no line longer than 998 octets."""
    ends = content.count(b"\r\n")
    if content.count(b"\n") != ends or content.count(b"\r") != ends or b"\0" in content:
        return False
    return _has_short_lines(content)


def _has_short_lines(content: bytes) -> bool:
    """Jumps from one line end to the last one within 998 octets, which is faster than a look at each line."""
    at, last = 0, len(content) - LONGEST_LINE
    while at < last:
        leap = content.rfind(b"\n", at, at + LONGEST_LINE + 2) + 1
        if not leap:
            return False
        at = leap
    return True


def wire_format(content: bytes) -> bytes:
    """Returns the content after DATA: with a dot before each line that begins with one, and the final dot."""
    stuffed = content.replace(b"\r\n.", b"\r\n..")
    first = b"." if stuffed.startswith(b".") else b""
    end = b".\r\n" if not content or content.endswith(b"\r\n") else b"\r\n.\r\n"
    return first + stuffed + end


def envelope(email: OutboundEmail, offers: Container[str]) -> tuple[bytes, bytes]:
    """Returns MAIL and RCPT, with the parameters that the server offers.

    8-bit content is sent undeclared where 8BITMIME is not offered: every server of this century takes it.
    """
    size = b" SIZE=%d" % len(email.content) if "SIZE" in offers else b""
    eight = b" BODY=8BITMIME" if "8BITMIME" in offers and not email.content.isascii() else b""
    wide = b"" if _is_plain(email) else b" SMTPUTF8"
    mail = b"MAIL FROM:<%b>%b%b%b\r\n" % (email.envelope_from.encode(), size, eight, wide)
    return mail, b"RCPT TO:<%b>\r\n" % email.recipient.encode()
