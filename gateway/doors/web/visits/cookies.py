"""The cookies of the web: the session, and what a browser that is signing in must remember."""

from typing import Final

from flask import Request, Response

from gateway.network.web.web_sessions import LIFE
from gateway.settings import Settings

SESSION: Final = "critter"
SIGNING_IN: Final = "critter-sign-in"
FLASH: Final = "critter-flash"
CODE: Final = "critter-code"
PASSKEY: Final = "critter-passkey"
COMPANY: Final = "critter-company"
TEN_MINUTES: Final = 600  # seconds


def session_name(settings: Settings) -> str:
    """The name of the session's cookie, for the process that streams."""
    return _name(settings, SESSION)


def read(asked: Request, settings: Settings, name: str) -> str:
    return asked.cookies.get(_name(settings, name), "")


def put(answer: Response, settings: Settings, name: str, value: str) -> None:
    """Sets it for this site alone: no script reads it, and no other site sends it with a form of its own."""
    seconds = int(LIFE.total_seconds()) if name == SESSION else TEN_MINUTES
    answer.set_cookie(
        _name(settings, name), value, max_age=seconds, path="/", httponly=True, secure=_secure(settings),
        samesite="Lax",
    )  # fmt: skip


def remove(answer: Response, settings: Settings, name: str) -> None:
    answer.delete_cookie(_name(settings, name), path="/", httponly=True, secure=_secure(settings), samesite="Lax")


def _name(settings: Settings, name: str) -> str:
    """With the prefix __Host- a browser takes the cookie from this host alone, over TLS (RFC 6265bis 4.1.3)."""
    return f"__Host-{name}" if _secure(settings) else name


def _secure(settings: Settings) -> bool:
    return settings.public_url.startswith("https:")
