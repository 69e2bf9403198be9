"""A letter as SMTP wants it: what may not be sent at all, its commands, its content with the dots doubled.

Pure functions for smtp_link. A stray CR or LF is refused, never repaired: it is how one mail is made to look like two.
"""

from __future__ import annotations

from collections.abc import Container
from typing import Final

from gateway.carriers.common.protocol import OutboundEmail

LONGEST_LINE: Final = 998  # RFC 5322 2.1.1
LONGEST_ADDRESS: Final = 254  # RFC 5321 4.5.3.1.3, without the angle brackets


def find_flaw(letter: OutboundEmail, offers: Container[str]) -> str:
    """Why this letter can never be sent over a server that offers these extensions: "" or a reason."""
    if not _is_address(letter.recipient) or not (letter.envelope_from == "" or _is_address(letter.envelope_from)):
        return "address"
    if not _is_plain(letter) and "SMTPUTF8" not in offers:
        return "smtputf8"
    return "" if is_clean(letter.content) else "content"


def _is_address(address: str) -> bool:
    """Nothing in it may end the path or the line. Quoted local parts with blanks are refused with that."""
    unfit = " " in address or "<" in address or ">" in address or not address.isprintable()
    return 0 < len(address) <= LONGEST_ADDRESS and not unfit


def _is_plain(letter: OutboundEmail) -> bool:
    return letter.recipient.isascii() and letter.envelope_from.isascii()


def is_clean(content: bytes) -> bool:
    """CR and LF only as CRLF, no NUL, no line longer than 998 octets."""
    ends = content.count(b"\r\n")
    if content.count(b"\n") != ends or content.count(b"\r") != ends or b"\0" in content:
        return False
    return _has_short_lines(content)


def _has_short_lines(content: bytes) -> bool:
    """Leaps from one end of a line to the last one within reach, for a letter has many lines and each is asked."""
    at, last = 0, len(content) - LONGEST_LINE
    while at < last:
        leap = content.rfind(b"\n", at, at + LONGEST_LINE + 2) + 1
        if not leap:
            return False
        at = leap
    return True


def wire_format(content: bytes) -> bytes:
    """The content after DATA: a dot before each line that begins with one, and the lone dot at the end."""
    stuffed = content.replace(b"\r\n.", b"\r\n..")
    first = b"." if stuffed.startswith(b".") else b""
    end = b".\r\n" if not content or content.endswith(b"\r\n") else b"\r\n.\r\n"
    return first + stuffed + end


def envelope(letter: OutboundEmail, offers: Container[str]) -> tuple[bytes, bytes]:
    """MAIL and RCPT, with the parameters that the server has asked for.

    8-bit content goes out undeclared where 8BITMIME is not offered: every server of this century takes it.
    """
    size = b" SIZE=%d" % len(letter.content) if "SIZE" in offers else b""
    eight = b" BODY=8BITMIME" if "8BITMIME" in offers and not letter.content.isascii() else b""
    wide = b"" if _is_plain(letter) else b" SMTPUTF8"
    mail = b"MAIL FROM:<%b>%b%b%b\r\n" % (letter.envelope_from.encode(), size, eight, wide)
    return mail, b"RCPT TO:<%b>\r\n" % letter.recipient.encode()
