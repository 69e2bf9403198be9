"""Signs our mails (RFC 6376, RFC 8463): canonical forms once per template, two hashes and a signature per mail.

compose.py prepares signatures with it. dkimpy, by which the tests verify, would parse and canonicalise each mail again:
docs/decisions/0030.
"""

import base64
import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256

from gateway.mail.compose.byte_template import ByteTemplate

# Each is listed once more than it occurs, so that nobody can add a second one that mailboxes show (RFC 6376 8.15).
OVERSIGNED: Final = (
    *("from", "to", "cc", "subject", "date", "message-id", "reply-to", "in-reply-to", "references"),
    *("mime-version", "content-type", "list-id", "list-unsubscribe", "list-unsubscribe-post"),
)
WIDTH: Final = 72  # characters of a base64 line

Field = tuple[str, str]  # name and value, folded or not
Bore = Callable[[bytes], ByteTemplate]


@dataclass(frozen=True, slots=True)
class DkimKey:
    """A private key of ours; DNS has the public key at SELECTOR._domainkey.DOMAIN."""

    domain: str
    selector: str
    private: RSAPrivateKey | Ed25519PrivateKey

    @property
    def algorithm(self) -> str:
        return "rsa-sha256" if isinstance(self.private, RSAPrivateKey) else "ed25519-sha256"

    def sign(self, data: bytes) -> bytes:
        if isinstance(self.private, RSAPrivateKey):
            return self.private.sign(data, PKCS1v15(), SHA256())
        return self.private.sign(hashlib.sha256(data).digest())  # RFC 8463 3: the hash itself is signed


@dataclass(frozen=True, slots=True)
class PreparedSignature:
    """What is signed of a template: its head and body in canonical form, and the keys with their unfinished fields."""

    head: ByteTemplate
    body: ByteTemplate
    signers: tuple[tuple[DkimKey, bytes], ...]  # the key, and its field up to and with bh=

    def fields(self, values: Sequence[bytes]) -> bytes:
        """The DKIM-Signature fields for one filled mail, to be put above it."""
        body_hash = base64.b64encode(hashlib.sha256(self.body.fill(values)).digest())
        head = self.head.fill(values)
        return b"".join(_signed(key, start, head, body_hash) for key, start in self.signers)


def prepare_signature(head: Sequence[Field], body: bytes, keys: Sequence[DkimKey], bore: Bore) -> PreparedSignature:
    """`head` and `body`: as they will be sent, with places for values; `bore` compiles them into a template."""
    names = [name.lower() for name, _ in head]
    listed = [*names, *OVERSIGNED]
    canonical = "\r\n".join(_relaxed(name, value) for name, value in head) + "\r\n"
    signers = tuple((key, _start(key, listed)) for key in keys)
    return PreparedSignature(bore(canonical.encode()), bore(relaxed_body(body)), signers)


def _start(key: DkimKey, listed: Sequence[str]) -> bytes:
    named = ":\r\n ".join(":".join(listed[at : at + 5]) for at in range(0, len(listed), 5))
    return (
        f"DKIM-Signature: v=1; a={key.algorithm}; c=relaxed/relaxed;\r\n d={key.domain}; s={key.selector};\r\n"
        f" h={named};\r\n bh="
    ).encode()


def _signed(key: DkimKey, start: bytes, head: bytes, body_hash: bytes) -> bytes:
    field = start + body_hash + b";\r\n b="
    canonical = b"dkim-signature:" + field.partition(b": ")[2].replace(b"\r\n ", b" ")
    signature = base64.b64encode(key.sign(head + canonical))
    lines = (signature[at : at + WIDTH] for at in range(0, len(signature), WIDTH))
    return field + b"\r\n ".join(lines) + b"\r\n"


def _relaxed(name: str, value: str) -> str:
    """A field in relaxed form (RFC 6376 3.4.2)."""
    unfolded = re.sub("[ \t]+", " ", value.replace("\r\n", ""))
    return f"{name.lower()}:{unfolded.strip()}"


def relaxed_body(body: bytes) -> bytes:
    """RFC 6376 3.4.4: runs of blanks become one, blanks at line ends and empty lines at the end are removed."""
    body = re.sub(rb"[ \t]+", b" ", body).replace(b" \r\n", b"\r\n")
    body = re.sub(rb"(\r\n)+\Z", b"", body.rstrip(b" "))
    return body + b"\r\n" if body else b""
