"""A small company in front of the pages: Kim, Sam and Anne; an open and a closed group."""

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Engine, text

from critter.processes import app as web
from gateway.network.follows import follows
from gateway.network.people import accounts, addresses
from gateway.network.posts import posts
from gateway.network.posts.posts import NewPost
from gateway.settings import Settings
from gateway.store.database import claim_mode, transaction
from gateway.store.tables import Account
from tests.support.office import Office
from tests.support.operator_pages import OperatorPages, opened
from tests.support.web_visitor import WebVisitor, signed_in


class PageCompany:
    """`people`: handle → id. `open(handle)`: that person in front of the pages."""

    def __init__(self, settings: Settings, engine: Engine, app: Flask) -> None:
        self.settings, self.engine, self.app = settings, engine, app
        self.people: dict[str, int] = {}
        with transaction(engine) as session:
            claim_mode(session, "simulated")
            for number, (handle, name) in enumerate((("kim", "Kim Lee"), ("sam", "Sam Ortiz"), ("anne", "Anne Cole"))):
                person = accounts.create_person(session, handle, name, timezone="America/New_York")
                self.people[handle] = person.id
                addresses.add(session, person.id, "sms", f"+1415555010{number}", "verified", True)
            self.people["acme"] = accounts.create_group(session, "acme", "ACME", "open", self.people["kim"]).id
            self.people["board"] = accounts.create_group(session, "board", "Board", "closed", self.people["kim"]).id
            follows.follow(session, self.people["sam"], self.people["kim"], by_text=True)
            follows.follow(session, self.people["sam"], self.people["acme"], by_text=True)

    def open(self, handle: str) -> WebVisitor:
        return signed_in(self.app, self.engine, self.people[handle])

    def visitor(self) -> WebVisitor:
        return WebVisitor(self.app)

    def says(self, handle: str, words: str, to: str | None = None, visibility: str = "company", **more: Any) -> int:
        """An update as it came by text: it is out at once."""
        with transaction(self.engine) as session:
            author = session.get_one(Account, self.people[handle])
            group = session.get_one(Account, self.people[to]) if to else None
            kind = visibility if not group else "group"
            return posts.publish(session, NewPost(author, words, kind, "sms", group, **more)).id

    def passes(self, seconds: int) -> None:
        """As if so much time had gone by since everything was written."""
        with transaction(self.engine) as session:
            for statement in (
                "UPDATE fanouts SET not_before = not_before - make_interval(secs => :s)",
                "UPDATE posts SET created_at = created_at - make_interval(secs => :s)",
            ):
                session.execute(text(statement), {"s": seconds})

    def all(self, statement: str, **values: Any) -> list[Any]:
        with self.engine.connect() as connection:
            return list(connection.execute(text(statement), values))

    def scalar(self, statement: str, **values: Any) -> Any:
        with self.engine.connect() as connection:
            return connection.scalar(text(statement), values)


@pytest.fixture
def company(settings: Settings, engine: Engine) -> Iterator[PageCompany]:
    parts = web.build(settings)
    try:
        yield PageCompany(settings, engine, web.create_app(settings, parts))
    finally:
        parts.close()


@pytest.fixture
def operators(office: Office) -> Iterator[OperatorPages]:
    """The pages of operators, with the people of tests/support/personas.py behind them."""
    with opened(office) as found:
        yield found
