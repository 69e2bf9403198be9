"""Writes and reads how a mail came: the mail door puts it above the mail, as every server must (RFC 5321, 4.4).

workers/mail_auth reads it. Only the two fields that our own door wrote are read; similar fields further down are the
sender's.
"""

import re
import time
from email.utils import formatdate
from functools import lru_cache
from ipaddress import ip_address
from typing import Final, NamedTuple

from gateway.mail.auth.dmarc import Envelope

_NAME: Final = re.compile(r"[A-Za-z0-9._:\[\]-]{1,255}")
_OURS: Final = re.compile(
    rb"Return-Path: <([^\r\n]*)>\r\n"
    rb"(?:Received: from ([!-~]+) \(\[(?:IPv6:)?([0-9A-Fa-f.:]+|unknown)\]\)\r\n"
    rb"\tby [!-~]+ with ([A-Z0-9]+); [^\r\n]*\r\n)?"
)


class ArrivedMail(NamedTuple):
    """The envelope, and the mail exactly as it was sent to us."""

    envelope: Envelope
    mail: bytes


def write_header(envelope: Envelope, by: str, protocol: str = "ESMTP") -> bytes:
    """The two fields as bytes. `by`: our own host name; `protocol`: a keyword of RFC 3848, such as ESMTPS or LMTP."""
    helo = envelope.helo if _NAME.fullmatch(envelope.helo) else "unknown"
    date = _date(int(time.time()))
    line = f"Received: from {helo} ([{_literal(envelope.peer)}])\r\n\tby {by} with {protocol}; {date}\r\n"
    return f"Return-Path: <{envelope.sender}>\r\n{line}".encode()


@lru_cache(2)
def _date(second: int) -> str:
    """Cached, because thousands of mails may come within one second."""
    return formatdate(second)


@lru_cache(1000)
def _literal(peer: str) -> str:
    try:
        ip = ip_address(peer.partition("%")[0])
    except ValueError:  # it came by a Unix socket, which has no address
        return "unknown"
    plain = getattr(ip, "ipv4_mapped", None) or ip
    return f"IPv6:{plain}" if plain.version == 6 else str(plain)


def read(raw: bytes) -> ArrivedMail:
    """Reads a stored mail; the envelope is empty when our door did not store it."""
    ours = _OURS.match(raw)
    if ours is None:
        return ArrivedMail(Envelope(), raw)
    sender, helo, peer, protocol = ((each or b"").decode("utf-8", "replace") for each in ours.groups())
    came = Envelope("" if peer == "unknown" else peer, helo, sender, protocol.startswith("LMTP"))
    return ArrivedMail(came, raw[ours.end() :])
