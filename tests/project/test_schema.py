"""schema.sql, the migrations and tables.py say the same, and every column of schema.sql is explained."""

import re
from pathlib import Path
from typing import Any

import psycopg
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, MetaData, text
from sqlalchemy import Table as Relation
from sqlalchemy.dialects import postgresql

from critter.servers import Servers
from gateway.settings import embedded
from gateway.store.tables import Table
from gateway.store.views import VIEWS

ROOT = Path(__file__).parents[2]
SCHEMA = ROOT / "schema.sql"
BOOKS = ("alembic_version", "migration_steps")  # the migrations' own
PARTITIONS = re.compile(r"deliveries_(default|\d{4}_\d\d)")

CATALOG = """
SELECT 'column', table_name, column_name, data_type, is_nullable, coalesce(column_default, '')
FROM information_schema.columns
WHERE table_schema = 'public' AND table_name NOT IN ('alembic_version', 'migration_steps')
UNION ALL SELECT 'index', tablename, indexname, indexdef, '', '' FROM pg_indexes
WHERE schemaname = 'public' AND tablename NOT IN ('alembic_version', 'migration_steps')
UNION ALL SELECT 'constraint', conrelid::regclass::text, conname, pg_get_constraintdef(oid), '', ''
FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND conrelid <> 0
  AND conrelid NOT IN (coalesce(to_regclass('alembic_version'), 0), coalesce(to_regclass('migration_steps'), 0))
UNION ALL SELECT 'view', viewname, '', definition, '', '' FROM pg_views WHERE schemaname = 'public'
UNION ALL SELECT 'function', proname, '', pg_get_functiondef(oid), '', '' FROM pg_proc
WHERE pronamespace = 'public'::regnamespace
"""


def catalog(rows: Any) -> set[tuple[str, ...]]:
    """What stands in a database, without the partitions of single months and what is named after them."""
    kept = [tuple(row) for row in rows if not re.search(r"_\d{4}_\d\d", " ".join(row)) and "fkey" not in row[2]]
    return {_of_the_rest(row) for row in kept}


def _of_the_rest(row: tuple[str, ...]) -> tuple[str, ...]:
    """PostgreSQL names the indexes of a partition after their columns, a migration that builds them after the whole."""
    if row[:2] == ("index", "deliveries_default"):
        return (*row[:2], "", re.sub(r"INDEX \w+ ON", "INDEX ON", row[3]), *row[4:])
    return row


def test_migrations_lead_to_schema_sql(engine: Engine, servers: Servers) -> None:
    with psycopg.connect(embedded.database_url(servers.var, "postgres", embedded.OWNER), autocommit=True) as admin:
        admin.execute("DROP DATABASE IF EXISTS from_schema WITH (FORCE)")
        admin.execute("CREATE DATABASE from_schema")
    with psycopg.connect(
        embedded.database_url(servers.var, "from_schema", embedded.OWNER), autocommit=True
    ) as connection:
        connection.execute(SCHEMA.read_text().encode())
        written = catalog(connection.execute(CATALOG).fetchall())
    with engine.connect() as migrated:
        assert catalog(migrated.execute(text(CATALOG)).all()) == written


def test_tables_mirror_the_database(engine: Engine) -> None:
    def ours(thing: Any, name: str | None, kind: str, reflected: bool, compared: Any) -> bool:
        return not (kind == "table" and name and (PARTITIONS.fullmatch(name) or name in BOOKS))

    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"include_object": ours, "compare_type": True})
        found = compare_metadata(context, Table.metadata)
    # PostgreSQL lists a foreign key to a partitioned table once for each partition.
    assert [change for change in found if "partition" not in repr(change) and not _of_partition(change)] == []


def _of_partition(change: Any) -> bool:
    return change[0] == "remove_fk" and any(
        PARTITIONS.fullmatch(element.target_fullname.partition(".")[0]) for element in change[1].elements
    )


def test_views_mirror_the_database(engine: Engine) -> None:
    """A view has all columns of its table, in their types: its rows are read as rows of the table. So a migration that
    adds a column there gives it to the view, too."""
    found = MetaData()
    found.reflect(engine, views=True, only=lambda name, _: name.endswith(("_in_force", "_now")))
    reflected = {name: _columns(view) for name, view in found.tables.items()}
    assert reflected == {name: _columns(view) for name, view in VIEWS.tables.items()}


def _columns(of: Relation) -> list[str]:
    return sorted(f"{column.name} {column.type.compile(postgresql.dialect())}" for column in of.columns)


def test_every_column_is_explained() -> None:
    table = None
    bare = []
    for line in SCHEMA.read_text().splitlines():
        if started := re.match(r"CREATE TABLE (\w+) \(", line):
            table = started[1]
        elif line.startswith(")"):
            table = None
        elif table and re.match(r"    [a-z_]+ +[a-z]", line) and not re.search(r" -- \S", line):
            bare.append(f"{table}: {line.strip()}")
    assert bare == []


def test_no_index_of_deliveries_stands_in_the_way_of_a_claim(engine: Engine) -> None:
    """A claim is written into the same page, and into no index, only while none is made of what it changes."""
    changed = re.compile(r"\b(state|attempt|lease_until|lease_owner|tag|introduces)\b")
    made = "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'deliveries'"
    with engine.connect() as connection:
        found = {row.indexname: row.indexdef for row in connection.execute(text(made))}
    assert "deliveries_due" in found
    assert [name for name, definition in found.items() if changed.search(definition)] == []
