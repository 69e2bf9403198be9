"""Codes and one-use links that link a phone or a mailbox to a person (R38): valid for ten minutes, for one use, with
few tries.

Only a keyed hash of them is kept. handlers/linking_addresses, gateway/inbound/unknown_senders, the web and the command
line ask."""

import secrets
from datetime import timedelta
from typing import Any, Final, Literal

from sqlalchemy import ColumnElement, Select, exists, func, literal_column, select, update
from sqlalchemy.orm import Session

from gateway.channels import EMAIL
from gateway.i18n.refusals import refusal
from gateway.ledger.audit import audit_log
from gateway.network.audience import visibility
from gateway.network.verification import lockouts
from gateway.security.signed_tokens import Signer
from gateway.store.tables import Account, Address, Code, Inbound

Purpose = Literal["link", "prove", "login", "sign_in"]
LIFE: Final = timedelta(minutes=10)
TRIES: Final = 5
SENDS_HOURLY: Final = 3  # to one address
DAILY: Final = 10  # for one person
HOUR: Final = timedelta(hours=1)  # in which a stranger has those tries
MANY, SPAN = 20, timedelta(minutes=10)  # wrong codes of strangers: for one mail domain its limit, for all a flood
WRONG: Final = "a wrong code of a stranger"  # the reason of their rows, by which they are counted
DIGITS: Final = 6
FLOOD_DIGITS: Final = 8  # of a code that is made during such a flood
LOCK: Final = 0x636F6465  # an advisory lock: the tries of one stranger come one after the other


def link(session: Session, signer: Signer, account_id: int) -> str:
    """Six digits that a person texts or mails from a new phone or mailbox; an older code ends. During a flood of wrong
    codes from strangers it has eight, so that no code need be refused because others guess. Raises Refused when there
    were too many."""
    _refuse_many(session, "link", account_id)
    _end(session, select(Code.id).where(Code.account_id == account_id, Code.purpose == "link"))
    digits = FLOOD_DIGITS if _many(session) else DIGITS
    while _open(session, "link", _seal(signer, "link", code := _digits(digits))) is not None:
        continue  # two people's codes must differ: a stranger gives only the code
    _keep(session, "link", account_id, _seal(signer, "link", code))
    return code


def prove(session: Session, signer: Signer, address: Address, account_id: int) -> str:
    """Six digits that are sent to that phone or mailbox and typed elsewhere; raises Refused when there were too
    many."""
    _refuse_many_sent(session, "prove", address)
    _refuse_many(session, "prove", account_id)
    _end(session, select(Code.id).where(Code.account_id == account_id, Code.purpose == "prove"))
    code = _digits()
    _keep(session, "prove", account_id, _seal(signer, "prove", account_id, code), address.id)
    return code


def sign_in(session: Session, signer: Signer, address: Address, account_id: int) -> tuple[int, str]:
    """(id, six digits) that are sent to a phone or mailbox of theirs and typed on the page that asked for them. An
    older code ends. Raises Refused when there were too many."""
    _refuse_many_sent(session, "sign_in", address)
    _refuse_many(session, "sign_in", account_id)
    _end(session, select(Code.id).where(Code.account_id == account_id, Code.purpose == "sign_in"))
    row = _keep(session, "sign_in", account_id, _seal(signer, "sign_in", account_id, code := _digits()), address.id)
    return row.id, code


def complete_sign_in(session: Session, signer: Signer, code_id: int, code: str) -> Account | None:
    """Whom these digits sign in, on the page that asked for this code. A wrong one counts against the code alone, and
    the fifth ends it: whoever knows a number can ask for codes, and must not lock its owner out by that."""
    mine = select(Code).where(Code.id == code_id, Code.purpose == "sign_in", *_STANDING)
    row = session.scalars(mine.with_for_update()).first()
    if row is None:
        return None
    if secrets.compare_digest(row.digest, _seal(signer, "sign_in", row.account_id, code)):
        return _used(session, row)
    row.tries += 1
    row.ended_at = func.now() if row.tries >= TRIES else None
    audit_log.record(session, f"@{session.get_one(Account, row.account_id).handle}", "sign_in.wrong", row.account_id)
    return None


def login(session: Session, signer: Signer, account_id: int, address_id: int | None = None) -> str:
    """A token of 128 bits for a login link; an older one ends. `address_id`: where the link is sent."""
    _refuse_many(session, "login", account_id, address_id)
    _end(session, select(Code.id).where(Code.account_id == account_id, Code.purpose == "login"))
    token = secrets.token_hex(16)
    _keep(session, "login", account_id, _seal(signer, "login", token), address_id)
    return token


def is_linked(session: Session, signer: Signer, code: str) -> Account | None:
    """Whose link code it is; the code is used up by this."""
    row = _open(session, "link", _seal(signer, "link", code), lock=True)
    return _used(session, row) if row else None


def is_proved(
    session: Session, signer: Signer, account_id: int, code: str, typed: str = lockouts.COMMAND_LINE
) -> Address | None:
    """The address that the code was sent to. A wrong one counts against the code and its person, and the fifth ends the
    code. `typed`: where, as lockouts count it."""
    mine = select(Code).where(Code.account_id == account_id, Code.purpose == "prove", *_STANDING)
    if lockouts.hold(session, account_id, typed):
        return None
    row = session.scalars(mine.with_for_update()).first()
    if row is None:
        return None
    if secrets.compare_digest(row.digest, _seal(signer, "prove", account_id, code)):
        lockouts.record_right(session, account_id)
        _used(session, row)
        return session.get(Address, row.address_id)
    _count_wrong(session, row, typed)
    return None


def waiting_for(session: Session, account_id: int) -> Code | None:
    """The code that was sent to a phone or mailbox and waits to be typed."""
    return session.scalars(
        select(Code).where(Code.account_id == account_id, Code.purpose == "prove", *_STANDING)
    ).first()


def _count_wrong(session: Session, row: Code, typed: str) -> None:
    row.tries += 1
    if row.tries >= TRIES:
        row.ended_at = func.now()
    session.flush()
    person = session.get_one(Account, row.account_id)
    lockouts.count_wrong(session, person, typed, "code")


LinkState = Literal["unknown", "ended", "open"]


def login_state(session: Session, signer: Signer, token: str) -> LinkState:
    """Whether a login link is valid. Looking does not use it up: mail programs open links before their readers do."""
    row = _any(session, signer, token)
    if row is None:
        return "unknown"
    return "open" if _open(session, "login", row.digest) else "ended"


def complete_login(session: Session, signer: Signer, token: str) -> Account | None:
    """Whom the link logs in; it is used up by this."""
    row = _open(session, "login", _seal(signer, "login", token), lock=True)
    return _used(session, row) if row else None


def stranger_may_try(session: Session, channel: str, sender: str) -> bool:
    """Limits strangers to five wrong codes an hour each, and to twenty in ten minutes for all the mailboxes of a domain
    where none of ours is, because its owner may have any number of them. What others guess keeps nobody from
    linking."""
    session.execute(select(func.pg_advisory_xact_lock(LOCK, func.hashtext(f"{channel} {sender}"))))
    own = (Inbound.channel == channel, Inbound.sender == sender)
    return _wrong_ones(session, HOUR, TRIES, *own) < TRIES and not _foreign_flood(session, channel, sender)


def was_wrong(session: Session, channel: str, sender: str) -> None:
    """Records in the audit that a stranger has no more tries, and that many strangers guess: a few rows, however many
    they are. The inbound row with the wrong code is what is counted."""
    own = (Inbound.channel == channel, Inbound.sender == sender)
    if _wrong_ones(session, HOUR, TRIES, *own) == TRIES - 1 and not _many(session):
        audit_log.record(session, "stranger", "link.locked", None, {"channel": channel})
    if _wrong_ones(session, SPAN, MANY) == MANY - 1:
        audit_log.record(session, "stranger", "link.flood", None, {"channel": channel})


def _foreign_flood(session: Session, channel: str, sender: str) -> bool:
    if channel != EMAIL:
        return False
    there = f"@{sender.rpartition('@')[2]}"
    wrong = (Inbound.channel == channel, Inbound.sender.endswith(there, autoescape=True))
    if _wrong_ones(session, SPAN, MANY, *wrong) < MANY:
        return False
    ours = exists().where(Address.channel == channel, Address.account_id.is_not(None))
    return not session.scalar(select(ours.where(Address.address.endswith(there, autoescape=True))))


def _many(session: Session) -> bool:
    return _wrong_ones(session, SPAN, MANY) >= MANY


def _wrong_ones(session: Session, span: timedelta, most: int, *of: Any) -> int:
    """How many wrong codes of strangers there were; it stops counting at `most`."""
    rows = select(Inbound.id).where(Inbound.reason == _WRONG, Inbound.id >= func.id_at(func.now() - span), *of)
    return session.scalar(select(func.count()).select_from(rows.limit(most).subquery())) or 0


_WRONG: Final[ColumnElement[str]] = literal_column(f"'{WRONG}'")  # written out: the partial index is used only then
_STANDING: Final = (Code.ended_at.is_(None), Code.expires_at > func.now())


def _digits(number: int = DIGITS) -> str:
    return f"{secrets.randbelow(10**number):0{number}}"


def _seal(signer: Signer, purpose: Purpose, *parts: object) -> bytes:
    return bytes.fromhex(signer.seal(f"code {purpose}", *parts))


def _keep(session: Session, purpose: Purpose, account_id: int, digest: bytes, address_id: int | None = None) -> Code:
    row = Code(account_id=account_id, purpose=purpose, address_id=address_id, digest=digest)
    row.expires_at = func.now() + LIFE
    session.add(row)
    session.flush()
    return row


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
    if account is None or account.state != "active":
        return None
    sent_to_login = row.purpose in ("login", "sign_in") and row.address_id is not None
    return account if not sent_to_login or visibility.holder(session, row.address_id or 0) == account.id else None


def _end(session: Session, codes: Select[int]) -> None:
    ended = update(Code).where(Code.id.in_(codes), Code.ended_at.is_(None)).values(ended_at=func.now())
    session.execute(ended, execution_options={"synchronize_session": False})


def _refuse_many_sent(session: Session, purpose: Purpose, address: Address) -> None:
    sent = select(func.count()).where(Code.purpose == purpose, Code.address_id == address.id)
    if (session.scalar(sent.where(Code.created_at > func.now() - timedelta(hours=1))) or 0) >= SENDS_HOURLY:
        raise refusal("codes_an_hour")


def _refuse_many(session: Session, purpose: Purpose, account_id: int, address_id: int | None = None) -> None:
    """`address_id`: counts by the address from which it was asked. Somebody who forges a phone's number uses up the
    limit of that phone, and its owner's mailbox still has its own."""
    mine = select(func.count()).where(Code.purpose == purpose, Code.account_id == account_id)
    mine = mine.where(Code.address_id == address_id) if address_id else mine
    if (session.scalar(mine.where(Code.created_at > func.now() - timedelta(days=1))) or 0) >= DAILY:
        raise refusal("codes_a_day", number=DAILY)
