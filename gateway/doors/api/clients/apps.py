"""Registering an app, and an app that asks whether its token is good."""

from typing import Annotated, Any, Final
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, field_validator

from gateway.doors.api.clients import ROUTER
from gateway.doors.api.frame.call import ApiCall
from gateway.doors.api.frame.fields import Entity, Id, Line, Parameters
from gateway.network.apps import apps, scopes
from gateway.network.apps.apps import LONGEST_NAME, LONGEST_URL, MOST_URIS
from gateway.store.tables import App

CALLS: Final = 60  # registrations of one origin in five minutes
FORBIDDEN: Final = ("javascript", "vbscript", "data", "file", "blob", "about")  # a browser would run or show these


class Application(Entity):
    """An app as it is known here."""

    id: Id
    name: str
    website: str | None
    scopes: list[str]
    redirect_uri: str
    redirect_uris: list[str]
    vapid_key: str


class RegisteredApplication(Application):
    client_id: str
    client_secret: str
    client_secret_expires_at: int = 0  # never


def _lines(given: Any) -> Any:
    """Addresses by lines, as older clients write them, or as a list."""
    found = given if isinstance(given, list) else [given]
    return [line for each in found for line in (str(each).split() if isinstance(each, str) else [each])]


def _check_uri(uri: str) -> str:
    parts = urlsplit(uri)
    if not parts.scheme or parts.scheme.lower() in FORBIDDEN or "#" in uri or not uri.isprintable():
        raise ValueError("must be absolute addresses without a part behind #")
    if parts.scheme in ("http", "https") and not parts.netloc:
        raise ValueError("must be absolute addresses without a part behind #")
    return uri


class NewApp(Parameters):
    """`redirect_uris`: where people are led back to, exactly as the app will name it."""

    client_name: Annotated[Line, Field(min_length=1, max_length=LONGEST_NAME)]
    redirect_uris: Annotated[
        list[Annotated[str, Field(max_length=LONGEST_URL)]],
        BeforeValidator(_lines),
        Field(min_length=1, max_length=MOST_URIS),
    ]
    scopes: str = " ".join(scopes.DEFAULT)
    website: Annotated[str, Field(max_length=LONGEST_URL)] | None = None

    @field_validator("redirect_uris")
    @classmethod
    def _lead_somewhere(cls, given: list[str]) -> list[str]:
        return [_check_uri(each) for each in given]

    @field_validator("scopes")
    @classmethod
    def _are_known(cls, given: str) -> str:
        if unknown := scopes.unknown(scopes.split(given)):
            raise ValueError(f"there is no scope {unknown[0][:40]}")
        return given

    @field_validator("website")
    @classmethod
    def _is_a_page(cls, given: str | None) -> str | None:
        if given and (urlsplit(given).scheme not in ("http", "https") or not given.isprintable()):
            raise ValueError("must begin with https:// or http://")
        return given or None


@ROUTER.post("/api/v1/apps", who="anyone", calls=CALLS)
def register(call: ApiCall, given: NewApp) -> RegisteredApplication:
    """Registers an app. Its secret is told this once."""
    asked = scopes.split(given.scopes) or scopes.DEFAULT
    made = apps.register(call.session, given.client_name, given.redirect_uris, asked, given.website)
    known = _describe(call, made.app).model_dump()
    return RegisteredApplication(**known, client_id=made.app.client_id, client_secret=made.secret)


@ROUTER.get("/api/v1/apps/verify_credentials", who="app")
def verify(call: ApiCall) -> Application:
    """Which app this token is of."""
    assert call.access is not None
    return _describe(call, call.session.get_one(App, call.access.app_id))


def _describe(call: ApiCall, app: App) -> Application:
    return Application(
        id=app.id, name=app.name, website=app.website, scopes=app.scopes, redirect_uri="\n".join(app.redirect_uris),
        redirect_uris=app.redirect_uris, vapid_key=call.vapid_key,
    )  # fmt: skip
