"""By what a signed mail is known again, whatever is added to it and in whichever envelope it comes. proofs asks.

The mark is the signature itself (`b=`), which nobody but its signer can make anew. A mail that bears two of them could
be sent again with the other one alone, and one that came to us by the company's relay may have been signed only on its
way to others. So its date, To and body are a mark as well: every signature that counts covers these.
"""

import binascii
import hashlib
from email.message import Message
from typing import Any, Final

from gateway.mail.auth import dkim_verifier
from gateway.mail.auth.canonicalization import relax_body
from gateway.mail.decode import mime

MOST: Final = 20  # signatures of one mail that are remembered; no more than signing.MOST of them are looked at
END_OF_HEAD: Final = b"\r\n\r\n"


def compute(mail: bytes, message: "Message[Any, Any]", sender: str) -> list[bytes]:
    """`sender`: the mailbox in From; nobody else's mail can have the same marks. Each is 32 octets."""
    signatures = dict.fromkeys(made for value in _fields(message)[:MOST] if (made := _signature(value)))
    return [_mark(sender, b"signature", made) for made in signatures] + _content(mail, message, sender)


def is_signed(message: "Message[Any, Any]") -> bool:
    """Whether it bears a signature, of whomever: without one it is no captured mail that proves itself."""
    return bool(_fields(message))


def _fields(message: "Message[Any, Any]") -> list[bytes]:
    return [value.encode("utf-8", "replace") for value in mime.fields(message, "DKIM-Signature")]


def _signature(value: bytes) -> bytes | None:
    """The octets of b=, however its base64 is written."""
    tags = dkim_verifier.read_tags(value)
    try:
        return binascii.a2b_base64(b"".join(tags[b"b"].split())) if tags else None
    except (KeyError, binascii.Error):
        return None


def _content(mail: bytes, message: "Message[Any, Any]", sender: str) -> list[bytes]:
    dates = mime.fields(message, "Date")
    if len(dates) != 1:
        return []
    told = "\n".join(" ".join(value.split()) for value in (dates[0], *mime.fields(message, "To")))
    _, _, body = mail.partition(END_OF_HEAD)
    return [_mark(sender, b"content", told.encode("utf-8", "replace"), relax_body(body))]


def _mark(sender: str, *pieces: bytes) -> bytes:
    whole = hashlib.sha256()
    for piece in (sender.lower().encode(), *pieces):
        whole.update(len(piece).to_bytes(8) + piece)
    return whole.digest()
