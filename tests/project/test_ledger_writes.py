"""Only gateway/ledger writes the ledger's tables: nothing else inserts, updates or deletes their rows, in whatever way
it is written. ARCHITECTURE.md says which tables these are."""

import re
from pathlib import Path
from typing import Final

import pytest

from gateway.store.tables import Table
from tests.support.table_writes import UNSEEN, TableWrite, every_write, find, learn, of_tables, read

ROOT: Final = Path(__file__).parents[2]
# Not bench/ and tests/: they set up what they measure and try. Migrations change the tables before anybody uses them,
# in .sql files; a backup is restored by pg_restore.
PRODUCT: Final = ("gateway", "handlers", "workers", "migrations", "simulator", "critter")
EXCEPTIONS: Final = {
    ("gateway/store/database.py", "installation"): "the one row is made with the database, below the ledger",
}


def tables_of(column: int) -> set[str]:
    """The tables that ARCHITECTURE.md names in this column of its list."""
    rows = re.findall(r"^\| .* \|$", (ROOT / "ARCHITECTURE.md").read_text().split("## Tables")[1], re.MULTILINE)
    cells = [
        row.split("|")[column] for row in rows[: next(i for i, row in enumerate(rows) if "installation" in row) + 1]
    ]
    return {name for cell in cells for name in re.findall(r"`(\w+)`", cell)} & set(Table.metadata.tables)


LEDGER: Final = tables_of(2)


def test_every_table_has_its_writer() -> None:
    assert not tables_of(2) & tables_of(3)
    assert tables_of(2) | tables_of(3) == set(Table.metadata.tables)
    assert {"inbound", "messages", "deliveries", "attempts", "budgets", "audit"} <= LEDGER


@pytest.fixture(scope="module")
def writes() -> list[tuple[str, TableWrite]]:
    """All writes of the product."""
    paths = (path for package in PRODUCT for path in sorted((ROOT / package).rglob("*.py")))
    return list(every_write({str(path.relative_to(ROOT)): path.read_text() for path in paths}))


def test_only_the_ledger_writes_its_tables(writes: list[tuple[str, TableWrite]]) -> None:
    found = {
        (path, write.table, write.line)
        for path, write in writes
        if not path.startswith("gateway/ledger/") and of_tables([write], LEDGER)
    }
    assert {place for place in found if place[:2] not in EXCEPTIONS} == set()
    assert {place[:2] for place in found} >= EXCEPTIONS.keys()  # an exception that is not needed is taken out


def test_the_ledger_is_seen_to_write_each_of_its_tables(writes: list[tuple[str, TableWrite]]) -> None:
    """A table that nobody is seen to write would mean that the search does not see the writers."""
    seen = {write.table for path, write in writes if path.startswith("gateway/ledger/")}
    assert seen >= LEDGER


def find_in(source: str) -> list[TableWrite]:
    module = read(source, "sample")
    return find(module, learn([module]))


ROWS: Final = (
    "from sqlalchemy import delete, insert, select, update\nfrom gateway.store.tables import Account, Message\n"
)
WRITERS: Final = {
    "a statement": 'PUT = text("INSERT INTO messages (kind) VALUES (1)")',
    "in lower case": 'PUT = text("insert   into messages (kind) values (1)")',
    "on two lines": 'PUT = text("""\n    INSERT INTO\n        messages (kind) VALUES (1)""")',
    "inside of a WITH": 'PUT = text("WITH new AS (INSERT INTO messages SELECT 1 RETURNING id) SELECT id FROM new")',
    "with its schema": 'PUT = text("INSERT INTO public.messages (kind) VALUES (1)")',
    "in quotes": "PUT = text('INSERT INTO \"messages\" (kind) VALUES (1)')",
    "an update": 'PUT = text("UPDATE messages SET text = 1")',
    "an update with a short name": 'PUT = text("UPDATE messages AS m SET text = 1")',
    "an update of a partition": 'PUT = text("UPDATE ONLY deliveries_default d SET state = 1")',
    "an update of a month": 'PUT = text("UPDATE deliveries_2026_01 SET state = 1")',
    "a delete": 'PUT = text("DELETE FROM messages WHERE id = 1")',
    "a truncate": 'PUT = "TRUNCATE TABLE messages"',
    "a merge": 'PUT = "MERGE INTO messages m USING given ON true WHEN MATCHED THEN DELETE"',
    "a copy": 'PUT = "COPY messages (id, kind) FROM STDIN"',
    "in pieces": 'PUT = "INSERT INTO " + "messages (kind) VALUES (1)"',
    "in an f-string": 'PUT = f"DELETE FROM messages WHERE id IN ({IDS})"',
    "its name from elsewhere": 'PUT = f"DELETE FROM {table} WHERE id = 1"',
    "its name by format": 'PUT = "UPDATE {table} SET state = 1".format(table=name)',
    "its name by percent": 'PUT = "DELETE FROM %s" % name',
    "for a driver": 'PUT = b"DELETE FROM messages"',
    "an ORM insert": f"{ROWS}insert(Message).values(kind=1)",
    "an ORM update": f"{ROWS}update(Message).values(kind=1)",
    "an ORM delete": f"{ROWS}delete(Message).where(Message.id == 1)",
    "under another name": "from gateway.store.tables import Message as Row\ninsert(Row)",
    "an insert under another name": f"{ROWS}from sqlalchemy.dialects.postgresql import insert as pg_insert\n"
    "pg_insert(Message)",
    "an insert under any name": f"{ROWS}from sqlalchemy import insert as put_row\nput_row(Message)",
    "by its module": "from gateway.store import tables\nsqlalchemy.insert(tables.Message)",
    "by its table": f"{ROWS}Message.__table__.delete()",
    "by the list of tables": 'Table.metadata.tables["messages"].insert()',
    "a table made here": 'insert(sqlalchemy.table("messages"))',
    "a query": f"{ROWS}session.query(Message).filter(Message.id == 1).delete()",
    "many at once": f"{ROWS}session.bulk_insert_mappings(Message, rows)",
    "a new row": f"{ROWS}session.add(Message(kind=1))",
    "a new row that is added later": f"{ROWS}def put(session):\n    row = Message(kind=1)\n    rows.append(row)",
    "a column of a parameter": f"{ROWS}def change(row: Message) -> None:\n    row.text = ''",
    "a column of an optional one": f"{ROWS}def change(row: 'Message | None') -> None:\n    row.text = ''",
    "two columns": f"{ROWS}def change(row: Message) -> None:\n    row.text, row.body = '', ''",
    "a counter": f"{ROWS}def change(row: Message) -> None:\n    row.priority += 1",
    "by setattr": f"{ROWS}def change(row: Message) -> None:\n    setattr(row, name, 1)",
    "a row that was looked up": f"{ROWS}def change(session):\n    row = session.get_one(Message, 1)\n    row.text = ''",
    "a row that was selected": f"{ROWS}def change(session):\n"
    "    found = select(Message).where(Message.id == 1)\n    row = session.scalars(found).one()\n    row.text = ''",
    "each of many rows": f"{ROWS}def change(session):\n"
    "    for row in session.scalars(select(Message)):\n        row.text = ''",
    "what another function returns": f"{ROWS}def found() -> Message: ...\ndef change():\n    row = found()\n"
    "    row.text = ''",
    "with a walrus": f"{ROWS}def change(session):\n    if row := session.get(Message, 1):\n        row.text = ''",
    "a row that is deleted": f"{ROWS}def change(session, row: Message):\n    session.delete(row)",
    "held by something": f"{ROWS}class Turn:\n    message: Message\ndef change(turn):\n    turn.message.text = ''",
}


@pytest.mark.parametrize("written", WRITERS.values(), ids=WRITERS.keys())
def test_a_writer_is_found(written: str) -> None:
    assert of_tables(find_in(written), LEDGER)


READERS: Final = {
    "a select": 'GET = text("SELECT text FROM messages WHERE id = 1 FOR UPDATE OF messages")',
    "a lock": 'GET = text("SELECT 1 FROM fanouts FOR NO KEY UPDATE SKIP LOCKED")',
    "an upsert of another table": 'PUT = text("INSERT INTO pins VALUES (1) ON CONFLICT DO UPDATE SET tries = 2")',
    "a name that begins alike": 'PUT = text("DELETE FROM deliveries_of_mine")',
    "a docstring": '"""INSERT INTO messages is for the ledger."""',
    "a docstring of a function": 'def change():\n    """UPDATE messages SET nothing."""',
    "an ORM select": f"{ROWS}select(Message).where(Message.id == 1)",
    "a row of another table": f"{ROWS}def change(row: Account) -> None:\n    row.name = ''",
    "another Message": "from email.message import Message\nmade = Message()\nmade.text = ''",
    "a variable used again": f"{ROWS}def change(row: Message) -> None:\n    row = Thing()\n    row.text = ''",
    "another function's variable": f"{ROWS}def a(row: Message) -> None: ...\ndef b(row) -> None:\n    row.text = ''",
    "prose": 'SAYS = "An update of messages sets nothing."',
}


@pytest.mark.parametrize("written", READERS.values(), ids=READERS.keys())
def test_a_reader_is_not(written: str) -> None:
    assert of_tables(find_in(written), LEDGER) == []


def test_rows_are_known_across_modules() -> None:
    modules = {
        "ledger/inbox.py": "from gateway.store.tables import Inbound\ndef take(session) -> Inbound | None: ...",
        "network/other.py": "def take(session) -> str: ...",
        "network/change.py": "from ledger import inbox\ndef change(session):\n"
        "    row = inbox.take(session)\n    row.state = 'done'",
        "network/change_too.py": "from ledger.inbox import take as taken\ndef change(session):\n"
        "    row = taken(session)\n    row.state = 'done'",
        "network/harmless.py": "from network import other\ndef change(session):\n"
        "    row = other.take(session)\n    row.state = 'done'",
    }
    found = {path for path, write in every_write(modules) if write.table == "inbound"}
    assert found == {"network/change.py", "network/change_too.py"}


def test_a_table_that_cannot_be_seen_counts() -> None:
    assert [write.table for write in find_in('f"DELETE FROM {table}"')] == [UNSEEN]
