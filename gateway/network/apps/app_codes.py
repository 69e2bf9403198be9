"""Codes by which somebody lets an app in: an app changes one into a token, once, within ten minutes (RFC 6749 4.1)."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from gateway.ledger.audit import audit_log
from gateway.network.apps.apps import digest
from gateway.store.tables import Account, App, AppCode, AppToken

LIFE: Final = timedelta(minutes=10)
OCTETS: Final = 32


@dataclass(frozen=True, slots=True)
class Consent:
    """What somebody said yes to. `challenge`: SHA-256 of what the app must know later (PKCE); None without."""

    redirect_uri: str
    scopes: Sequence[str]
    challenge: str | None = None


def make(session: Session, app: App, account: Account, consent: Consent) -> str:
    """The code for the app, after its owner has let it in."""
    code = secrets.token_urlsafe(OCTETS)
    row = AppCode(app_id=app.id, account_id=account.id, digest=digest(code), redirect_uri=consent.redirect_uri)
    row.scopes, row.challenge, row.expires_at = list(consent.scopes), consent.challenge, func.now() + LIFE
    session.add(row)
    detail = {"app": app.id, "scopes": " ".join(consent.scopes)}
    audit_log.record(session, f"@{account.handle}", "app.let_in", account.id, detail)
    return code


def use(session: Session, app: App, code: str) -> AppCode | None:
    """The code, which is used up by this whatever comes of it. None when it is not good. Whoever brings one that was
    used before may have stolen it, so the token that was got for it ends (RFC 6749 10.5)."""
    mine = select(AppCode).where(AppCode.digest == digest(code), AppCode.app_id == app.id)
    found = session.scalars(mine.with_for_update()).one_or_none()
    if found is None:
        return None
    if found.used_at is not None:
        stolen = update(AppToken).where(AppToken.code_id == found.id, AppToken.ended_at.is_(None))
        session.execute(stolen.values(ended_at=func.now()))
        return None
    found.used_at = session.scalar(select(func.clock_timestamp()))
    return found if found.used_at and found.used_at < found.expires_at else None
