"""Whether a database is as the owner's role and the processes' role should find it: asked by tests of restores."""

from typing import Final

import psycopg
import pytest

from gateway.ledger.audit import role_check
from gateway.settings import embedded
from gateway.store.database import connect, transaction
from tests.support.databases import owned

FORBIDDEN: Final = (
    "UPDATE audit SET actor = 'nobody'",
    "DELETE FROM audit",
    "TRUNCATE audit",
    "ALTER TABLE audit DISABLE TRIGGER ALL",
    "CREATE OR REPLACE FUNCTION audit_hash(entry audit) RETURNS bytea LANGUAGE sql AS 'SELECT NULL::bytea'",
    "CREATE TABLE mine (id int)",
    "UPDATE alembic_version SET version_num = '0001'",
    "DROP TABLE posts",
)
ALLOWED: Final = (
    "SELECT count(*) FROM audit",
    "INSERT INTO audit (actor, action, detail) VALUES ('test', 'test', '{}')",
    "UPDATE accounts SET name = name",
    "INSERT INTO task_failures (task, failures, reason) VALUES ('test', 1, 'none')",
    "DELETE FROM task_failures",
    "SELECT ensure_partition(timestamptz '2031-05-05'), drop_partition('deliveries_2031_05')",
    "SELECT wake_hold_restored(true)",
)
# Whose each thing is, and what anybody may do with it.
GIVEN: Final = """
    SELECT 'database', '', pg_get_userbyid(datdba), '' FROM pg_database WHERE datname = current_database()
    UNION ALL
    SELECT 'schema', nspname, pg_get_userbyid(nspowner), (SELECT array_agg(a::text ORDER BY a::text)::text
        FROM unnest(nspacl) a) FROM pg_namespace WHERE nspname = 'public'
    UNION ALL
    SELECT relkind::text, relname, pg_get_userbyid(relowner), (SELECT array_agg(a::text ORDER BY a::text)::text
        FROM unnest(relacl) a) FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'S')
    UNION ALL
    SELECT 'function', oid::regprocedure::text, pg_get_userbyid(proowner),
        (SELECT array_agg(a::text ORDER BY a::text)::text FROM unnest(proacl) a) FROM pg_proc
    WHERE pronamespace = 'public'::regnamespace
    UNION ALL
    SELECT 'default', defaclobjtype::text, pg_get_userbyid(defaclrole),
        (SELECT array_agg(a::text ORDER BY a::text)::text FROM unnest(defaclacl) a) FROM pg_default_acl
"""


def given(url: str) -> set[tuple[str, ...]]:
    """Everything in it, with its owner and its rights."""
    with psycopg.connect(owned(url), autocommit=True) as connection:
        return set(connection.execute(GIVEN).fetchall())


def prove_two_roles(url: str) -> None:
    """The owner's role owns all of it; the processes' role can work, and can rewrite neither the audit nor a table."""
    assert {owner for kind, _, owner, _ in given(url) if kind != "schema"} == {embedded.OWNER}
    engine = connect(url)
    with transaction(engine) as session:
        assert role_check.gaps(session) == ()
    engine.dispose()
    with psycopg.connect(url) as connection:
        for statement in ALLOWED:
            connection.execute(statement.encode())
        connection.rollback()
        for statement in FORBIDDEN:
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement.encode())
            connection.rollback()
