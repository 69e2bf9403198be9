"""Passwords of people who registered in a conformance run (CRITTER_API_CONFORMANCE), kept by this process alone.

Critter has no passwords. Test suites of clients need them, for they cannot read a code from a phone; so they are never
in the database, and gone when the process ends."""

import hashlib
import hmac
import secrets

from sqlalchemy.orm import Session

from gateway.channels import EMAIL
from gateway.network.people import accounts, addresses
from gateway.store.tables import Account


class Passwords:
    """One per process; a dictionary's single steps are safe among threads."""

    def __init__(self) -> None:
        self._kept: dict[int, tuple[bytes, bytes]] = {}

    def keep(self, account_id: int, password: str) -> None:
        salt = secrets.token_bytes(16)
        self._kept[account_id] = salt, _digest(password, salt)

    def check(self, session: Session, username: str, password: str) -> Account | None:
        """Whose it is; `username` may be a mailbox, as clients send it."""
        account = _named(session, username)
        kept = self._kept.get(account.id) if account else None
        return account if kept and hmac.compare_digest(kept[1], _digest(password, kept[0])) else None


def _named(session: Session, username: str) -> Account | None:
    if "@" not in username:
        return accounts.by_handle(session, username)
    found = addresses.identify(session, EMAIL, username.lower())
    return found[1] if found else None


def _digest(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, n=2**12, r=8, p=1)
