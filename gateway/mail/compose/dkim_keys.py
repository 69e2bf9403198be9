"""The files of our DKIM keys: SELECTOR.pem in one folder, each readable by its owner alone. `critter dkim` makes them;
the workers that send mails and `critter check` read them."""

import base64
import os
from pathlib import Path
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from gateway.errors import SettingsError
from gateway.mail.compose.dkim_signer import DkimKey
from gateway.settings import Settings

RSA_BITS: Final = 2048  # RFC 8301 3.2; some DNS hosts do not accept longer keys
SHORTEST_RSA: Final = 1024
STRING: Final = 255  # octets of one string of a TXT record (RFC 1035 3.3)
Private = RSAPrivateKey | Ed25519PrivateKey


def of(settings: Settings) -> tuple[DkimKey, ...]:
    """The keys that sign, in the order of the setting. Raises a SettingsError with the file and what to do."""
    domain, folder = settings.mail_domain, settings.dkim_folder
    return tuple(DkimKey(domain, selector, read(folder / f"{selector}.pem")) for selector in settings.dkim_selectors)


def read(path: Path) -> Private:
    make = "critter dkim make makes one"
    try:
        others, text = path.stat().st_mode & 0o077, path.read_bytes()
    except OSError as error:
        raise SettingsError(f"CRITTER_DKIM_SELECTORS: {path} cannot be read ({error.strerror}): {make}") from None
    if others:
        raise SettingsError(f"CRITTER_DKIM_SELECTORS: others may read {path}: chmod 600 it, or make a new key")
    try:
        private = load_pem_private_key(text, None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise SettingsError(f"CRITTER_DKIM_SELECTORS: {path} holds no PEM key without a password: {make}") from None
    if isinstance(private, RSAPrivateKey) and private.key_size >= SHORTEST_RSA:
        return private
    if isinstance(private, Ed25519PrivateKey):
        return private
    raise SettingsError(f"CRITTER_DKIM_SELECTORS: {path} is neither RSA of {SHORTEST_RSA} bits or more nor Ed25519")


def generate(folder: Path, selector: str, private: Private) -> Path:
    """Writes a new key. Raises FileExistsError instead of overwriting one, because DNS may publish it."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / f"{selector}.pem"
    text = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(text)
    return path


def pair(stem: str) -> dict[str, Private]:
    """Two new keys by selector: Ed25519 for receivers that support it, RSA for all others (RFC 8463 1)."""
    return {f"{stem}-rsa": generate_private_key(65537, RSA_BITS), f"{stem}-ed": Ed25519PrivateKey.generate()}


def record(private: Private) -> str:
    """The DNS record of a key (RFC 6376 3.6.1, RFC 8463 4)."""
    public = private.public_key()
    if isinstance(private, RSAPrivateKey):
        return f"v=DKIM1; k=rsa; p={_base64(public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))}"
    return f"v=DKIM1; k=ed25519; p={_base64(public.public_bytes(Encoding.Raw, PublicFormat.Raw))}"


def zone_line(domain: str, selector: str, private: Private) -> str:
    """The record as a line of a zone file, cut into strings of the allowed length."""
    text = record(private)
    strings = " ".join(f'"{text[at : at + STRING]}"' for at in range(0, len(text), STRING))
    return f"{selector}._domainkey.{domain}. IN TXT {strings}"


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
