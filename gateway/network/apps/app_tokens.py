"""Tokens by which apps act: for somebody who let them in, or for themselves. The database has only their hashes.

Suspending or removing somebody ends what their apps may do at once, because the state of the account is asked with each
call."""

import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, func, select, text, update
from sqlalchemy.orm import Session

from gateway.ledger.audit import audit_log
from gateway.network.apps.apps import digest
from gateway.network.apps.scopes import covers
from gateway.store.tables import Account, App, AppToken

OCTETS: Final = 32


@dataclass(frozen=True, slots=True)
class AppAccess:
    """A token that is in force. `account`: for whom it acts; None for the app itself."""

    token_id: int
    app_id: int
    account: Account | None
    scopes: frozenset[str]

    def may(self, scope: str) -> bool:
        return covers(self.scopes, scope)


@dataclass(frozen=True, slots=True)
class AuthorizedApp:
    """An app that somebody let in, for their list. `id` is that of its token."""

    id: int
    name: str
    website: str | None
    scopes: Sequence[str]
    created_at: datetime
    seen_at: datetime


def begin(
    session: Session, app: App, scopes: Sequence[str], account_id: int | None = None, code_id: int | None = None
) -> str:
    """A new token."""
    token = secrets.token_urlsafe(OCTETS)
    row = AppToken(app_id=app.id, account_id=account_id, digest=digest(token), code_id=code_id)
    row.scopes = list(scopes)
    session.add(row)
    return token


def find(session: Session, token: str) -> AppAccess | None:
    """What this token may; None when it has ended, or its person may not act. Its use is noted once a minute at
    most."""
    row = session.execute(FIND, {"digest": digest(token)}).one_or_none()
    if row is None:
        return None
    if row.stale:
        session.execute(SEEN, {"id": row.id})
    account = session.get_one(Account, row.account_id) if row.account_id else None
    return AppAccess(row.id, row.app_id, account, frozenset(row.scopes))


def in_force(session: Session, tokens: Collection[int]) -> set[int]:
    """Those of the tokens, by their ids, that are still in force: for connections that stay open."""
    return set(session.scalars(IN_FORCE, {"ids": list(tokens)}))


def list_authorized(session: Session, account_id: int) -> Sequence[AuthorizedApp]:
    """The apps that somebody has let in, the last used first."""
    columns = (AppToken.id, App.name, App.website, AppToken.scopes, AppToken.created_at, AppToken.seen_at)
    mine = select(*columns).join(App, App.id == AppToken.app_id).where(*_open(account_id))
    return [AuthorizedApp(*row) for row in session.execute(mine.order_by(AppToken.seen_at.desc(), AppToken.id.desc()))]


def end(session: Session, account: Account, token_id: int) -> bool:
    """Its owner takes it back; False when it is none of theirs, or has ended."""
    ended = _end(session, *_open(account.id), AppToken.id == token_id)
    if ended:
        audit_log.record(session, f"@{account.handle}", "app.put_out", account.id, {"token": token_id})
    return bool(ended)


def end_all(session: Session, account_id: int) -> int:
    """Takes all of a person's back. Returns how many."""
    return _end(session, *_open(account_id))


def revoke(session: Session, app: App, token: str) -> None:
    """The app gives its own token back (RFC 7009); one of another app stays."""
    _end(session, AppToken.app_id == app.id, AppToken.digest == digest(token), AppToken.ended_at.is_(None))


def _end(session: Session, *which: ColumnElement[bool]) -> int:
    ended = update(AppToken).where(*which).values(ended_at=func.now())
    return len(session.scalars(ended.returning(AppToken.id)).all())


def _open(account_id: int) -> tuple[ColumnElement[bool], ...]:
    return AppToken.account_id == account_id, AppToken.ended_at.is_(None)


IN_FORCE_SQL: Final = """
    FROM app_tokens t LEFT JOIN accounts a ON a.id = t.account_id
    WHERE t.ended_at IS NULL AND (t.account_id IS NULL OR a.state = 'active')
"""
FIND: Final = text(f"""
    SELECT t.id, t.app_id, t.account_id, t.scopes, t.seen_at < now() - interval '1 minute' AS stale
    {IN_FORCE_SQL} AND t.digest = :digest
""")
IN_FORCE: Final = text(f"SELECT t.id {IN_FORCE_SQL} AND t.id = ANY (CAST(:ids AS bigint[]))")
SEEN: Final = text("UPDATE app_tokens SET seen_at = now() WHERE id = :id")
