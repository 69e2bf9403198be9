"""The company of personas.py before the pages: whoever is asked for is signed in, in a browser of their own."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from flask import Flask
from sqlalchemy import text

from critter.processes import app as web
from gateway.network.people import accounts
from gateway.settings import Settings
from gateway.store.database import transaction
from tests.support.office import Office
from tests.support.web_visitor import WebVisitor, signed_in


@dataclass
class WebOffice:
    office: Office
    app: Flask

    def id(self, handle: str) -> int:
        with transaction(self.office.engine) as session:
            found = accounts.by_handle(session, handle, active=False)
            assert found
            return found.id

    def browser(self, handle: str) -> WebVisitor:
        return signed_in(self.app, self.office.engine, self.id(handle))

    def visitor(self) -> WebVisitor:
        """Who has looked at the page for signing in."""
        visitor = WebVisitor(self.app)
        visitor.open("/sign-in")
        return visitor

    def sql(self, statement: str, **values: object) -> list[tuple]:
        with transaction(self.office.engine) as session:
            result = session.execute(text(statement), values)
            return [tuple(row) for row in result] if result.returns_rows else []

    def last_code(self, address: str) -> str:
        """The six digits of the last message that was sent there."""
        [(words,)] = self.sql(
            "SELECT m.text FROM messages m JOIN deliveries d ON d.message_id = m.id JOIN addresses a "
            "ON a.id = d.address_id WHERE a.address = :address AND m.kind = 'code' ORDER BY m.id DESC LIMIT 1",
            address=address,
        )
        found = re.search(r"\b\d{6}\b", words)
        assert found, words
        return found[0]


@contextmanager
def opened(office: Office, settings: Settings | None = None) -> Iterator[WebOffice]:
    parts = web.build(settings or office.settings)
    try:
        yield WebOffice(office, web.create_app(settings or office.settings, parts))
    finally:
        parts.close()
