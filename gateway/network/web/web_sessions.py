"""Sessions on the web: who is signed in, in which browser. The cookie has a random token, the database only its hash.

Everyone sees their own sessions and ends them. Suspending or removing somebody ends all of theirs at once, because the
state of the account is asked with each page."""

import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import Any, Final, Literal

from sqlalchemy import ColumnElement, Select, bindparam, func, literal, select, text, update
from sqlalchemy.orm import Session, undefer

from gateway.ledger.audit import audit_log
from gateway.network.push import push_subscriptions
from gateway.store.tables import Account, WebSession, WebSettings

BeganBy = Literal["code", "link", "passkey", "company", "first", "tour"]
LIFE: Final = timedelta(days=30)  # without use
OCTETS: Final = 32
LONGEST_DEVICE: Final = 100


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session that is in force: whose it is, and how their pages look."""

    id: int
    account: Account
    look: str | None
    keys: bool


def begin(session: Session, account: Account, began_by: BeganBy, device: str = "") -> str:
    """Signs somebody in; returns the token for the cookie. It is always a new one, so that a token which somebody else
    put into the browser before is worth nothing (session fixation)."""
    token = secrets.token_urlsafe(OCTETS)
    row = WebSession(account_id=account.id, digest=_digest(token), began_by=began_by, device=device[:LONGEST_DEVICE])
    row.expires_at = func.now() + LIFE
    session.add(row)
    audit_log.record(session, f"@{account.handle}", "web.sign_in", account.id, {"by": began_by})
    return token


def find(session: Session, token: str) -> SignedIn | None:
    """Whose session it is, with the zone of their clock; None when it has ended, or its person may not act. Use
    prolongs it, once a minute at most."""
    row = session.execute(FIND, {"digest": _digest(token)}).one_or_none()
    if row is None:
        return None
    if row.stale:
        session.execute(PROLONG, {"id": row.id, "life": LIFE})
    return SignedIn(row.id, row.Account, row.look, row.keys)


def account_of(session: Session, token: str) -> int | None:
    """Whose session it is, without prolonging it: an open page alone is no use of it."""
    owner: int | None = session.scalar(OWNER, {"digest": _digest(token)})
    return owner


def in_force(session: Session, tokens: Collection[str]) -> set[str]:
    """Those of the tokens whose sessions are still in force."""
    digests = {_digest(token): token for token in tokens}
    return {digests[bytes(each)] for each in session.scalars(IN_FORCE, {"digests": list(digests)})}


def list_open(session: Session, account_id: int) -> Sequence[WebSession]:
    """Where somebody is signed in, the last used first."""
    open_ = select(WebSession).where(*_open(account_id)).order_by(WebSession.seen_at.desc())
    return session.scalars(open_).all()


def end(session: Session, account_id: int, session_id: int) -> bool:
    """Ends one session of this person; False when it is none of theirs, or has ended."""
    return bool(_end(session, account_id, WebSession.id == session_id))


def end_all(session: Session, account_id: int, but: int | None = None) -> int:
    """Ends all sessions of a person, except `but`. Returns how many."""
    return _end(session, account_id, *([WebSession.id != but] if but else []))


def _end(session: Session, account_id: int, *which: ColumnElement[bool]) -> int:
    """No pushes go to a browser any more in which somebody has signed out."""
    ended = update(WebSession).where(*_open(account_id), *which).values(ended_at=func.now())
    ids = session.scalars(ended.returning(WebSession.id)).all()
    push_subscriptions.remove_of_sessions(session, ids)
    return len(ids)


def _open(account_id: int) -> tuple[ColumnElement[bool], ...]:
    return WebSession.account_id == account_id, WebSession.ended_at.is_(None), WebSession.expires_at > func.now()


def _digest(token: str) -> bytes:
    return sha256(token.encode()).digest()


def _found(*columns: Any) -> Select[Any]:
    """Of a session that is in force."""
    return (
        select(*columns)
        .join(Account, Account.id == WebSession.account_id)
        .where(WebSession.digest == bindparam("digest"), WebSession.ended_at.is_(None))
        .where(WebSession.expires_at > func.now(), Account.state == "active")
    )


STALE: Final = WebSession.seen_at < func.now() - timedelta(minutes=1)
KEYS: Final = func.coalesce(WebSettings.keys, literal(True))
FIND: Final = (
    _found(WebSession.id, STALE.label("stale"), WebSettings.look, KEYS.label("keys"), Account)
    .outerjoin(WebSettings, WebSettings.account_id == Account.id)
    .options(undefer(Account.zone_now))
)
OWNER: Final = _found(WebSession.account_id)
IN_FORCE: Final = text("""
    SELECT s.digest FROM web_sessions s JOIN accounts a ON a.id = s.account_id
    WHERE s.digest = ANY (CAST(:digests AS bytea[])) AND s.ended_at IS NULL AND s.expires_at > now()
      AND a.state = 'active'
""")
PROLONG: Final = text("UPDATE web_sessions SET seen_at = now(), expires_at = now() + :life WHERE id = :id")
