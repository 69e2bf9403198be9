"""Who may sign in at the mail door: a name and the scrypt digest of its password. Settings read the list, `critter
smtp-user` writes a line of it, and the door compares."""

import hashlib
import hmac
import re
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass

COST = (13, 8, 10)  # log2 N, r, p: OWASP's minimum for scrypt with 8 MB of memory; it takes a fifth of a second
MOST = (17, 8, 16)  # the highest cost that a line may ask of one sign-in
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")
DIGEST = re.compile(r"scrypt\.(\d{1,2})\.(\d{1,2})\.(\d{1,2})\.([A-Za-z0-9_-]{22,64})\.([A-Za-z0-9_-]{43})")


@dataclass(frozen=True, slots=True)
class SmtpUser:
    """One line of CRITTER_SMTP_USERS. `digest` is scrypt.LOG2N.R.P.SALT.HASH, the last two in base64url."""

    name: str
    digest: str

    def __str__(self) -> str:
        return f"{self.name}:{self.digest}"


def read(text: str) -> tuple[SmtpUser, ...]:
    """Reads NAME:DIGEST with commas. Errors never show the text that is wrong: it may be a password."""
    users = tuple(_user(item.strip()) for item in text.split(",") if item.strip())
    if len({user.name for user in users}) < len(users):
        raise ValueError("has a name twice")
    return users


def _user(text: str) -> SmtpUser:
    name, _, digest = text.partition(":")
    found = DIGEST.fullmatch(digest)
    if not NAME.fullmatch(name) or not found or not _affordable([int(found[n]) for n in (1, 2, 3)]):
        raise ValueError("must be NAME:DIGEST lines with commas; critter smtp-user NAME makes one")
    return SmtpUser(name, digest)


def _affordable(cost: list[int]) -> bool:
    return all(0 < asked <= most for asked, most in zip(cost, MOST, strict=True))


def made(name: str, password: str) -> SmtpUser:
    """Makes a user with a fresh salt. Raises ValueError for a name that the list does not allow."""
    if not NAME.fullmatch(name):
        raise ValueError("a name is letters, digits and any of ._@-, 64 at most")
    salt = secrets.token_bytes(16)
    shown = ".".join(map(str, COST))
    return SmtpUser(name, f"scrypt.{shown}.{_base64(salt)}.{_base64(_scrypt(password.encode(), salt, COST))}")


def matches(digest: str, password: bytes) -> bool:
    """Whether it is the password of the digest. Every check takes the full cost; the comparison is in constant time."""
    found = DIGEST.fullmatch(digest)
    assert found is not None
    n, r, p = (int(found[number]) for number in (1, 2, 3))
    return hmac.compare_digest(_octets(found[5]), _scrypt(password, _octets(found[4]), (n, r, p)))


def _scrypt(password: bytes, salt: bytes, cost: tuple[int, int, int]) -> bytes:
    n, r, p = cost
    return hashlib.scrypt(password, salt=salt, n=2**n, r=r, p=p, dklen=32, maxmem=2 * 128 * r * (2**n + p))


def _base64(octets: bytes) -> str:
    return urlsafe_b64encode(octets).decode().rstrip("=")


def _octets(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
