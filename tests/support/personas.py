"""The made-up company that the conversations in tests/conversations/ play in."""

from dataclasses import dataclass

import psycopg
from sqlalchemy import DateTime, func, text
from sqlalchemy.orm import Session

from gateway.network.follows import follows
from gateway.network.people import accounts, addresses
from gateway.store.tables import Account, Address, Follow

NUMBER = "+14155550100"  # ours
DOMAIN = "mail.example"


@dataclass(frozen=True)
class Person:
    handle: str
    name: str
    phone: str | None
    mailbox: str | None


def _person(number: int, handle: str, name: str, channels: str) -> Person:
    phone = f"+1415555{100 + number:04}" if "phone" in channels else None
    return Person(handle, name, phone, f"{handle}@demo.example" if "mail" in channels else None)


PEOPLE = [
    _person(1, "kim", "Kim Lee", "phone mail"),
    _person(2, "sam", "Sam Ortiz", "phone"),
    _person(3, "priya", "Priya Nair", "mail"),
    _person(4, "bob", "Bob Reyes", "phone"),
    _person(5, "dana", "Dana Wu", "phone"),
    _person(6, "pat", "Pat Quinn", "phone mail"),
    _person(7, "dave", "Dave Okafor", "mail"),
    _person(8, "anne", "Anne Cole", "phone mail"),
]
GROUPS = [("sales", "sales", "open"), ("acme", "ACME", "open"), ("dispatch", "dispatch", "broadcast")]
GROUPS += [("board", "board", "closed")]
# who, whom, role, by text
FOLLOWS = [
    ("sam", "kim", None, True),
    ("priya", "kim", None, False),
    ("pat", "sales", None, True),
    ("kim", "acme", None, True),
    ("sam", "acme", None, True),
    ("dana", "dispatch", "owner", True),
    ("bob", "dispatch", None, True),
    ("anne", "board", "owner", True),
    ("dave", "board", "member", False),
]


_written = ""  # what writes the company again, once this process has written it


def assemble(session: Session) -> None:
    """Writes the company into an empty database: once as the product does, then the same rows at once."""
    global _written
    if not _written:
        _assemble(session)
        session.flush()
        _written = _script(session)
        return
    connection = session.connection().connection.driver_connection
    assert isinstance(connection, psycopg.Connection)
    connection.execute(_written.encode(), prepare=False)


def _script(session: Session) -> str:
    """Statements that write the rows which stand here; what is of this moment becomes of theirs."""
    now = session.scalar(text("SELECT quote_literal(now())"))
    statements = []
    for table in (Account.__table__, Address.__table__, Follow.__table__):
        rows = session.scalar(text(f"SELECT quote_literal(json_agg(t)) FROM {table.name} t"))
        columns = [column for column in table.columns if column.computed is None]
        values = [
            f"CASE {each.name} WHEN {now} THEN now() ELSE {each.name} END"
            if isinstance(each.type, DateTime)
            else each.name
            for each in columns
        ]
        statements.append(
            f"INSERT INTO {table.name} ({', '.join(each.name for each in columns)}) OVERRIDING SYSTEM VALUE"
            f" SELECT {', '.join(values)} FROM json_populate_recordset(NULL::{table.name}, {rows})"
        )
    return "; ".join(statements)


def _assemble(session: Session) -> None:
    ids = {handle: accounts.create_group(session, handle, name, access).id for handle, name, access in GROUPS}
    for person in PEOPLE:
        ids[person.handle] = account = accounts.create_person(session, person.handle, person.name).id
        for channel, address in (("sms", person.phone), ("email", person.mailbox)):
            if address:
                addresses.add(session, account, channel, address).introduced_at = func.now()
    for who, whom, role, by_text in FOLLOWS:
        follows.follow(session, ids[who], ids[whom], by_text, role=role)
