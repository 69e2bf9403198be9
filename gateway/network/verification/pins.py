"""PINs: set by an operator or on the web, asked for before an action that a forged sender number must not do (R39)."""

import hashlib
import hmac
import re
import secrets
from typing import Final, Literal

from sqlalchemy import func
from sqlalchemy.orm import Session

from gateway.i18n.refusals import refusal
from gateway.network.verification import lockouts
from gateway.store.tables import Account, Pin

TRIES: Final = 20  # wrong ones in a row end a PIN for good: it never changes, so guesses add up over months
_SHAPE = re.compile(r"\d{4,8}")
_RUNS = "01234567890 09876543210"
# scrypt at about 20 ms and 16 MB: a PIN has few bits, so each guess at a stolen digest must cost something.
_COST: Final = {"n": 2**14, "r": 8, "p": 1}

Verdict = Literal["right", "wrong", "locked"]


def set_pin(session: Session, account_id: int, pin: str, *, always: bool = False) -> None:
    """Sets a new, unlocked PIN, which is asked for with what is risky or always; raises Refused for one that is easily
    guessed."""
    check_shape(pin)
    row = session.get(Pin, account_id) or Pin(account_id=account_id)
    row.salt = secrets.token_bytes(16)
    row.digest, row.tries, row.locked_at = _digest(pin, row.salt), 0, None
    session.add(row)
    lockouts.unlock(session, account_id)
    session.get_one(Account, account_id).pin = "always" if always else "risky"
    session.flush()


def check_shape(pin: str) -> None:
    """Raises Refused for what is no PIN, and for one that is easily guessed."""
    if not _SHAPE.fullmatch(pin):
        raise refusal("bad_pin")
    if len(set(pin)) == 1 or pin in _RUNS:
        raise refusal("easy_pin")


def clear(session: Session, account_id: int) -> bool:
    """Takes the PIN away; False when there was none."""
    row = session.get(Pin, account_id)
    if row is None:
        return False
    session.delete(row)
    session.get_one(Account, account_id).pin = "none"
    session.flush()
    return True


def locked(session: Session, account_id: int) -> bool:
    row = session.get(Pin, account_id)
    return row is not None and row.locked_at is not None


def check(session: Session, account_id: int, pin: str) -> Verdict:
    """Checks a PIN and counts a wrong try. The twentieth in a row ends the PIN, and from then on the right one is
    wrong, too. The lock after five wrong ones of any kind is the task of `lockouts`."""
    row = session.get(Pin, account_id, with_for_update=True)
    if row is None or row.locked_at:
        return "locked" if row else "wrong"
    if hmac.compare_digest(row.digest, _digest(pin, row.salt)):
        row.tries = 0
        return "right"
    row.tries += 1
    if row.tries < TRIES:
        return "wrong"
    row.locked_at = func.now()
    return "locked"


def _digest(pin: str, salt: bytes) -> bytes:
    return hashlib.scrypt(pin.encode(), salt=salt, dklen=32, **_COST)
