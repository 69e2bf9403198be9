"""Who owns the tables, and what the role that the processes use may do with them: rows, and nothing else (R60).

`critter migrate` sets the rights after every migration, so that a new table needs no attention: the processes may read,
add, change and delete its rows. Tables that they may only add to, or only read, are named here; views are only read.
"""

from typing import Final

import psycopg
from sqlalchemy import Engine, text

from gateway.errors import Refused
from migrations.running import MigrationRunner, Report

ADD_ONLY: Final = ("audit",)
READ_ONLY: Final = ("alembic_version", "migration_steps")
# Functions that run with the owner's rights (SECURITY DEFINER) and that the processes may call.
BY_OWNER: Final = ("ensure_partition", "drop_partition", "move_from_default", "wake_hold_restored", "analyze_people")


def give(engine: Engine, role: str, report: Report) -> None:
    """Gives the role of the processes its rights; `engine` is the owner's. In an installation with one role, that role
    has all rights, and `critter check` says so."""
    if _owner(engine) != role:
        MigrationRunner(engine, "rights", report).execute(_rights(engine, role))


def take_over(engine: Engine, role: str, report: Report) -> None:
    """Makes the owner's role the owner of everything in the database: in older versions it all belonged to one role.
    One object at a time, each locked only for a moment."""
    owner, runner = _owner(engine), MigrationRunner(engine, "rights", report)
    if owner == role:
        return
    with engine.connect() as connection:
        statements = list(connection.scalars(text(OTHERS), {"owner": owner, "role": role}))
    if statements:
        runner.report(f"rights: {len(statements)} tables and functions become {owner}'s")
    try:
        for statement in statements:
            runner.execute(statement)
    except psycopg.Error as refused:
        raise _not_allowed(engine, owner, role, refused) from None


def _owner(engine: Engine) -> str:
    with engine.connect() as connection:
        return str(connection.scalar(text("SELECT current_user")))


def _not_allowed(engine: Engine, owner: str, role: str, refused: Exception) -> Refused:
    database = engine.url.database
    return Refused(
        f"{owner} cannot take the tables over ({str(refused).splitlines()[0]}). As a superuser, once: "
        f'GRANT "{role}" TO "{owner}"; ALTER DATABASE "{database}" OWNER TO "{owner}"; then critter migrate again.'
    )


def _rights(engine: Engine, role: str) -> str:
    """The statements that set the rights, to run in one transaction, so that no process lacks a right in between."""
    quoted = '"' + role.replace('"', '""') + '"'
    with engine.connect() as connection:
        names = list(connection.scalars(text(FUNCTIONS), {"names": list(BY_OWNER)}))
        views = list(connection.scalars(text(VIEWS)))
    return "; ".join(
        (
            f"REVOKE CREATE ON SCHEMA public FROM PUBLIC, {quoted}",
            f"GRANT USAGE ON SCHEMA public TO {quoted}",
            f"REVOKE TRUNCATE, REFERENCES, TRIGGER ON ALL TABLES IN SCHEMA public FROM {quoted}",
            f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {quoted}",
            f"REVOKE UPDATE, DELETE ON {', '.join(ADD_ONLY)} FROM {quoted}",
            f"REVOKE INSERT, UPDATE, DELETE ON {', '.join((*READ_ONLY, *views))} FROM {quoted}",
            f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {quoted}",
            f"ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {quoted}",
            f"ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE ON SEQUENCES TO {quoted}",
            *(f"REVOKE ALL ON FUNCTION {name} FROM PUBLIC" for name in names),
            *(f"GRANT EXECUTE ON FUNCTION {name} TO {quoted}" for name in names),
        )
    )


FUNCTIONS: Final = """
    SELECT oid::regprocedure::text FROM pg_proc
    WHERE pronamespace = 'public'::regnamespace AND proname = ANY (:names)
"""
VIEWS: Final = """
    SELECT oid::regclass::text FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'v' ORDER BY 1
"""
# A sequence of an identity column changes its owner with its table. The database comes last, for with it the schema
# public changes its owner.
OTHERS: Final = """
    SELECT statement FROM (
        SELECT 1 AS turn, format('ALTER TABLE %s OWNER TO %I', c.oid::regclass, CAST(:owner AS text)) AS statement
        FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v')
          AND pg_get_userbyid(c.relowner) = :role
        UNION ALL
        SELECT 2, format('ALTER SEQUENCE %s OWNER TO %I', c.oid::regclass, CAST(:owner AS text))
        FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'S'
          AND pg_get_userbyid(c.relowner) = :role
          AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'i')
        UNION ALL
        SELECT 3, format('ALTER FUNCTION %s OWNER TO %I', p.oid::regprocedure, CAST(:owner AS text))
        FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace AND pg_get_userbyid(p.proowner) = :role
        UNION ALL
        SELECT 4, format('ALTER DATABASE %I OWNER TO %I', d.datname, CAST(:owner AS text))
        FROM pg_database d WHERE d.datname = current_database() AND pg_get_userbyid(d.datdba) = :role
    ) AS wanted ORDER BY turn, statement
"""
