"""Codes and one-use links that tie a phone or a mailbox to somebody (R38): ten minutes, one use, few tries.

Only what they become under our key is kept. handlers/joining, gateway/strangers, the web and the command line ask."""

import secrets
from datetime import timedelta
from typing import Final, Literal

from sqlalchemy import ColumnElement, Select, func, literal_column, select, update
from sqlalchemy.orm import Session

from gateway.errors import Refused
from gateway.language.phrases import say
from gateway.store.tables import Account, Address, Code, Inbound
from gateway.tokens import Signer

Purpose = Literal["link", "prove", "login"]
LIFE: Final = timedelta(minutes=10)
TRIES: Final = 5
SENDS_HOURLY: Final = 3  # to one address
DAILY: Final = 10  # for one person
STRANGERS_TRIES, STRANGERS_SPAN = 20, timedelta(minutes=10)  # wrong ones of all strangers together
WRONG: Final = "a wrong code of a stranger"  # the reason of their rows; they are counted by it
DIGITS: Final = 6
LOCK: Final = 0x636F6465  # strangers try one after the other


def link(session: Session, signer: Signer, account_id: int) -> str:
    """Six digits for its owner to text or mail from a new phone or mailbox; an older code ends. Raises Refused when
    there were too many."""
    _refuse_many(session, "link", account_id)
    _end(session, select(Code.id).where(Code.account_id == account_id, Code.purpose == "link"))
    while _open(session, "link", _seal(signer, "link", code := _digits())) is not None:
        continue  # two people's codes must differ: a stranger names nobody
    _keep(session, "link", account_id, _seal(signer, "link", code))
    return code


def prove(session: Session, signer: Signer, address: Address, account_id: int) -> str:
    """Six digits to be sent to that phone or mailbox and typed elsewhere; raises Refused when there were too many."""
    sent = select(func.count()).where(Code.purpose == "prove", Code.address_id == address.id)
    if (session.scalar(sent.where(Code.created_at > func.now() - timedelta(hours=1))) or 0) >= SENDS_HOURLY:
        raise Refused(say("Three codes an hour is the most for one phone or mailbox. Try again in an hour."))
    _refuse_many(session, "prove", account_id)
    _end(session, select(Code.id).where(Code.account_id == account_id, Code.purpose == "prove"))
    code = _digits()
    _keep(session, "prove", account_id, _seal(signer, "prove", account_id, code), address.id)
    return code


def login(session: Session, signer: Signer, account_id: int) -> str:
    """A token of 128 bits for a link; an older one ends."""
    _refuse_many(session, "login", account_id)
    _end(session, select(Code.id).where(Code.account_id == account_id, Code.purpose == "login"))
    token = secrets.token_hex(16)
    _keep(session, "login", account_id, _seal(signer, "login", token))
    return token


def linked(session: Session, signer: Signer, code: str) -> Account | None:
    """Whose link code that is; it is used with this."""
    row = _open(session, "link", _seal(signer, "link", code), lock=True)
    return _used(session, row) if row else None


def proved(session: Session, signer: Signer, account_id: int, code: str) -> Address | None:
    """The address that the code was sent to; a wrong one counts against it, and the fifth ends it."""
    mine = select(Code).where(Code.account_id == account_id, Code.purpose == "prove", *_STANDING)
    row = session.scalars(mine.with_for_update()).first()
    if row is None:
        return None
    if secrets.compare_digest(row.digest, _seal(signer, "prove", account_id, code)):
        _used(session, row)
        return session.get(Address, row.address_id)
    row.tries += 1
    if row.tries >= TRIES:
        row.ended_at = func.now()
    session.flush()
    return None


LinkState = Literal["unknown", "ended", "open"]


def login_state(session: Session, signer: Signer, token: str) -> LinkState:
    """Looking at a link uses nothing up: mail programs do it before their readers."""
    row = _any(session, signer, token)
    if row is None:
        return "unknown"
    return "open" if _open(session, "login", row.digest) else "ended"


def logged_in(session: Session, signer: Signer, token: str) -> Account | None:
    """Who the link is for; it is used with this."""
    row = _open(session, "login", _seal(signer, "login", token), lock=True)
    return _used(session, row) if row else None


def stranger_may_try(session: Session, channel: str, sender: str) -> bool:
    """Five wrong codes an hour for each, twenty in ten minutes for all strangers together: six digits hold then."""
    session.execute(select(func.pg_advisory_xact_lock(LOCK)))
    wrong = select(func.count()).where(Inbound.reason == _WRONG)
    of_all = wrong.where(Inbound.id >= func.id_at(func.now() - STRANGERS_SPAN))
    of_one = wrong.where(Inbound.id >= func.id_at(func.now() - timedelta(hours=1)))
    own = of_one.where(Inbound.channel == channel, Inbound.sender == sender)
    return (session.scalar(own) or 0) < TRIES and (session.scalar(of_all) or 0) < STRANGERS_TRIES


_WRONG: Final[ColumnElement[str]] = literal_column(f"'{WRONG}'")  # written out: only then their own index is for it
_STANDING: Final = (Code.ended_at.is_(None), Code.expires_at > func.now())


def _digits() -> str:
    return f"{secrets.randbelow(10**DIGITS):0{DIGITS}}"


def _seal(signer: Signer, purpose: Purpose, *parts: object) -> bytes:
    return bytes.fromhex(signer.seal(f"code {purpose}", *parts))


def _keep(session: Session, purpose: Purpose, account_id: int, digest: bytes, address_id: int | None = None) -> None:
    row = Code(account_id=account_id, purpose=purpose, address_id=address_id, digest=digest)
    row.expires_at = func.now() + LIFE
    session.add(row)
    session.flush()


def _open(session: Session, purpose: Purpose, digest: bytes, *, lock: bool = False) -> Code | None:
    found = select(Code).where(Code.digest == digest, Code.purpose == purpose, *_STANDING)
    return session.scalars(found.with_for_update() if lock else found).first()


def _any(session: Session, signer: Signer, token: str) -> Code | None:
    found = select(Code).where(Code.digest == _seal(signer, "login", token), Code.purpose == "login")
    return session.scalars(found.order_by(Code.id.desc())).first()


def _used(session: Session, row: Code) -> Account | None:
    row.ended_at = func.now()
    session.flush()
    account = session.get(Account, row.account_id)
    return account if account and account.state == "active" else None


def _end(session: Session, codes: Select[int]) -> None:
    ended = update(Code).where(Code.id.in_(codes), Code.ended_at.is_(None)).values(ended_at=func.now())
    session.execute(ended, execution_options={"synchronize_session": False})


def _refuse_many(session: Session, purpose: Purpose, account_id: int) -> None:
    mine = select(func.count()).where(Code.purpose == purpose, Code.account_id == account_id)
    if (session.scalar(mine.where(Code.created_at > func.now() - timedelta(days=1))) or 0) >= DAILY:
        raise Refused(say("{number} codes a day is the most for one person. Try again tomorrow.", number=DAILY))
