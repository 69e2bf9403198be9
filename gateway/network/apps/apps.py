"""Apps as they registered themselves. Anybody may register one: it can do nothing before somebody lets it in."""

import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from gateway.store.tables import App

OCTETS: Final = 32
LONGEST_NAME: Final = 100
LONGEST_URL: Final = 2_000
MOST_URIS: Final = 20


@dataclass(frozen=True, slots=True)
class RegisteredApp:
    """`secret`: it is told this once, and kept only as its hash."""

    app: App
    secret: str


def register(
    session: Session, name: str, redirect_uris: Sequence[str], scopes: Sequence[str], website: str | None
) -> RegisteredApp:
    """A new app. What it says of itself was looked at before."""
    secret = secrets.token_urlsafe(OCTETS)
    app = App(client_id=secrets.token_urlsafe(OCTETS), secret_digest=digest(secret), name=name, website=website)
    app.redirect_uris, app.scopes = list(redirect_uris), list(scopes)
    session.add(app)
    session.flush()
    return RegisteredApp(app, secret)


def find(session: Session, client_id: str) -> App | None:
    return session.scalars(select(App).where(App.client_id == client_id)).one_or_none()


def has_secret(app: App, secret: str) -> bool:
    return hmac.compare_digest(app.secret_digest, digest(secret))


def digest(secret: str) -> bytes:
    """SHA-256, enough for what is random: nobody can guess it, so nothing need be slow."""
    return sha256(secret.encode()).digest()
