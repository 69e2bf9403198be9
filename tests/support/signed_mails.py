"""Mails that are signed as real servers sign them, and the DNS zone that their keys stand in; for tests."""

import base64
import types
from unittest import mock

import dkim
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

from gateway.mail.auth.dns import DnsUnavailable, Kind, Record

RSA = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # small: it is quick
EDWARDS = ed25519.Ed25519PrivateKey.generate()
_DER, _SPKI = serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
RSA_RECORD = b"v=DKIM1; k=rsa; p=" + base64.b64encode(RSA.public_key().public_bytes(_DER, _SPKI))
EDWARDS_RECORD = b"v=DKIM1; k=ed25519; p=" + base64.b64encode(EDWARDS.public_key().public_bytes_raw())
PEM = RSA.private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
)
HEADERS = (b"from", b"to", b"subject", b"date", b"message-id", b"cc")

Records = dict[tuple[str, Kind], "tuple[Record, ...] | DnsUnavailable"]


def zone(domain: str, policy: str = "v=DMARC1; p=reject", spf: str = "v=spf1 ip4:192.0.2.10 -all") -> Records:
    """What a domain publishes that does all it should."""
    return {
        (f"_dmarc.{domain}", "TXT"): (policy.encode(),),
        (domain, "TXT"): (b"google-site-verification=x", spf.encode()),
        (f"rsa._domainkey.{domain}", "TXT"): (RSA_RECORD,),
        (f"ed._domainkey.{domain}", "TXT"): (EDWARDS_RECORD,),
    }


def write_mail(sender: str = "Kim Lee <kim@corp.example>", to: str = "post@mail.example", body: str = "hello") -> bytes:
    head = f"From: {sender}\r\nTo: {to}\r\nSubject: hi\r\nDate: Wed, 25 Nov 2026 10:00:00 +0000\r\n"
    return f"{head}Message-ID: <1@corp.example>\r\n\r\n{body}\r\n".encode()


def signed(
    mail: bytes, domain: str = "corp.example", kind: str = "rsa", length: bool = False, headers=HEADERS
) -> bytes:
    """The mail under a signature of that domain."""
    if kind == "rsa":
        field = dkim.sign(mail, b"rsa", domain.encode(), PEM, include_headers=list(headers), length=length)
        return field + mail
    with mock.patch.object(dkim, "nacl", _library(), create=True):
        key = base64.b64encode(EDWARDS.private_bytes_raw())
        field = dkim.sign(
            mail, b"ed", domain.encode(), key, include_headers=list(headers), signature_algorithm=b"ed25519-sha256"
        )
    return field + mail


def _library() -> types.SimpleNamespace:
    """What dkimpy needs of PyNaCl to sign; Critter itself can do without."""

    class Key:
        def __init__(self, raw: bytes, encoder: object = None) -> None:
            self._key = ed25519.Ed25519PrivateKey.from_private_bytes(base64.b64decode(raw))

        def sign(self, digest: bytes) -> types.SimpleNamespace:
            return types.SimpleNamespace(signature=self._key.sign(digest))

    return types.SimpleNamespace(
        signing=types.SimpleNamespace(SigningKey=Key),
        encoding=types.SimpleNamespace(Base64Encoder=None),
        exceptions=types.SimpleNamespace(ValueError=ValueError, BadSignatureError=InvalidSignature),
    )
