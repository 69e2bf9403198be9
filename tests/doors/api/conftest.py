"""A small company in front of the API: Kim, Sam and Anne; an open and a closed group."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from critter.processes import app as web
from gateway.settings import Settings
from tests.doors.web.conftest import PageCompany
from tests.support.app_user import ALL, AppUser, let_in


class ApiCompany(PageCompany):
    """`app_of(handle)`: an app that this person let in."""

    def app_of(self, handle: str, scopes: tuple[str, ...] = ALL) -> AppUser:
        return let_in(self.app, self.engine, self.people[handle], scopes)

    def app_alone(self, scopes: tuple[str, ...] = ALL) -> AppUser:
        """An app that acts for itself."""
        return let_in(self.app, self.engine, None, scopes)

    def stranger(self) -> AppUser:
        return AppUser(self.app)


@pytest.fixture
def company(settings: Settings, engine: Engine) -> Iterator[ApiCompany]:
    parts = web.build(settings)
    try:
        yield ApiCompany(settings, engine, web.create_app(settings, parts))
    finally:
        parts.close()


@pytest.fixture
def conformance(settings: Settings, engine: Engine) -> Iterator[ApiCompany]:
    """The same where a conformance run is allowed."""
    open_to_all = settings.model_copy(update={"api_conformance": True})
    parts = web.build(open_to_all)
    try:
        yield ApiCompany(open_to_all, engine, web.create_app(open_to_all, parts))
    finally:
        parts.close()


@pytest.fixture
def careful(settings: Settings, engine: Engine) -> Iterator[ApiCompany]:
    """The same where one phone is so many that its writer is asked first."""
    asking = settings.model_copy(update={"ask_phones": 0})
    parts = web.build(asking)
    try:
        yield ApiCompany(asking, engine, web.create_app(asking, parts))
    finally:
        parts.close()
