"""Certificates of made-up machines, for tests that speak TLS."""

import datetime as dt
import ipaddress
import ssl
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

DAY = dt.timedelta(days=1)


@dataclass(frozen=True)
class Pair:
    """A certificate and its key, in files."""

    certificate: Path
    key: Path
    name: x509.Name
    secret: ec.EllipticCurvePrivateKey


def pair(folder: Path, name: str, by: Pair | None = None) -> Pair:
    """Signed by itself, or by another one; good for 127.0.0.1 until tomorrow."""
    secret, subject = (
        ec.generate_private_key(ec.SECP256R1()),
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]),
    )
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(by.name if by else subject)
        .public_key(secret.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - DAY)
        .not_valid_after(now + DAY)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
        .add_extension(x509.BasicConstraints(ca=by is None, path_length=None), True)
        .sign(by.secret if by else secret, hashes.SHA256())
    )
    files = Pair(folder / f"{name}.pem", folder / f"{name}.key", subject, secret)
    files.certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    files.key.write_bytes(
        secret.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return files


def trusting(server: Pair, mine: Pair | None = None) -> ssl.SSLContext:
    """What a client needs that knows this server, and perhaps shows a certificate of its own."""
    context = ssl.create_default_context(cafile=server.certificate)
    if mine:
        context.load_cert_chain(mine.certificate, mine.key)
    return context
