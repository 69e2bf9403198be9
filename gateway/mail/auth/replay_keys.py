"""Keys by which a replayed signed mail is recognised, whatever was added to it and in whichever envelope it comes.
gateway/network/mail/sender_verdicts.py calls it.

One key is the signature itself (`b=`), which only its signer can make. But a mail with two signatures could be sent
again with the other one alone, and a mail that came to us through the company's relay may have been signed only for
other recipients. So its date, To and body make another key: every signature that counts covers these.
"""

import binascii
import hashlib
from email.message import Message
from typing import Any, Final

from gateway.mail.auth import dkim_verifier
from gateway.mail.auth.canonicalization import relax_body
from gateway.mail.decode import mime

MOST: Final = 20  # signatures of one mail that make keys; dkim_verifier.MOST of them are verified
END_OF_HEAD: Final = b"\r\n\r\n"


def compute(mail: bytes, message: "Message[Any, Any]", sender: str) -> list[bytes]:
    """The keys of a mail, 32 octets each. `sender`: the mailbox in From; another sender's mails never share keys."""
    signatures = dict.fromkeys(made for value in _fields(message)[:MOST] if (made := _signature(value)))
    return [_mark(sender, b"signature", made) for made in signatures] + _content(mail, message, sender)


def is_signed(message: "Message[Any, Any]") -> bool:
    """Whether a mail has any signature. Without one, a captured mail proves nothing when it is sent again."""
    return bool(_fields(message))


def _fields(message: "Message[Any, Any]") -> list[bytes]:
    return [value.encode("utf-8", "replace") for value in mime.fields(message, "DKIM-Signature")]


def _signature(value: bytes) -> bytes | None:
    """The octets of b=, however its base64 is folded."""
    tags = dkim_verifier.read_tags(value)
    try:
        return binascii.a2b_base64(b"".join(tags[b"b"].split())) if tags else None
    except (KeyError, binascii.Error):
        return None


def _content(mail: bytes, message: "Message[Any, Any]", sender: str) -> list[bytes]:
    dates = mime.fields(message, "Date")
    if len(dates) != 1:
        return []
    signed_fields = "\n".join(" ".join(value.split()) for value in (dates[0], *mime.fields(message, "To")))
    _, _, body = mail.partition(END_OF_HEAD)
    return [_mark(sender, b"content", signed_fields.encode("utf-8", "replace"), relax_body(body))]


def _mark(sender: str, *pieces: bytes) -> bytes:
    whole = hashlib.sha256()
    for piece in (sender.lower().encode(), *pieces):
        whole.update(len(piece).to_bytes(8) + piece)
    return whole.digest()
