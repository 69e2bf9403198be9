"""An operator in front of the pages, with the company of personas.py behind them: pat is an admin, dana an operator."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from flask import Flask
from sqlalchemy import text

from critter.processes import app as web
from gateway.store.database import transaction
from tests.support.office import Office
from tests.support.web_visitor import WebVisitor, signed_in

ROLES = {"pat": "admin", "dana": "operator"}


@dataclass
class OperatorPages:
    """`app`: the web process; `office`: whose people write and are written to."""

    app: Flask
    office: Office

    def as_whom(self, handle: str) -> WebVisitor:
        """That person in front of a browser."""
        return signed_in(self.app, self.office.engine, self.account(handle))

    def account(self, handle: str) -> int:
        return int(str(self.office.sql("SELECT id FROM accounts WHERE handle = :handle", handle=handle)[0][0]))

    def audited(self, action: str) -> list[tuple[object, ...]]:
        """(handle of the actor, subject, detail) of each row of that action, the oldest first."""
        rows = self.office.sql(
            "SELECT p.handle, a.subject_id, a.detail FROM audit a"
            " LEFT JOIN accounts p ON a.actor = 'account:' || p.id WHERE a.action = :action ORDER BY a.number",
            action=action,
        )
        return [tuple(row) for row in rows]


@contextmanager
def opened(office: Office) -> Iterator[OperatorPages]:
    with transaction(office.engine) as session:
        for handle, role in ROLES.items():
            session.execute(text("UPDATE accounts SET role = :role WHERE handle = :handle"),
                            {"role": role, "handle": handle})  # fmt: skip
    parts = web.build(office.settings)
    try:
        yield OperatorPages(web.create_app(office.settings, parts), office)
    finally:
        parts.close()
