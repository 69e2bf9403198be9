"""Two roles of the database: an installation that has one goes on, is told so, and can be handed over (R60)."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Engine, text

import migrations
from critter.doctor import check
from critter.servers import Servers
from critter.servers.postgres import SUPERUSER
from gateway.errors import Refused
from gateway.ledger.audit import role_check
from gateway.settings import Settings, embedded, load
from gateway.store.database import connect, transaction
from gateway.store.tables import Table
from gateway.store.views import VIEWS
from migrations import rights
from tests.support.databases import owned
from tests.support.running_critter import ROOT


def administer(servers: Servers, database: str, *statements: str) -> None:
    place = embedded.database_url(servers.var, database, SUPERUSER)
    with psycopg.connect(place, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())


@pytest.fixture
def single(servers: Servers) -> Iterator[str]:
    """The URL of a database that belongs to the processes' role, as those of older versions do."""
    administer(servers, "postgres", "DROP DATABASE IF EXISTS single WITH (FORCE)")
    administer(servers, "postgres", f"CREATE DATABASE single OWNER {embedded.ROLE}")
    url = embedded.database_url(servers.var, "single")
    engine = connect(url)
    migrations.migrate(engine, "0004")
    engine.dispose()
    yield url
    administer(servers, "postgres", "DROP DATABASE single WITH (FORCE)")


def critter(settings: Settings, *arguments: str, **more: str) -> "subprocess.CompletedProcess[str]":
    environ = {
        "PATH": "/usr/bin:/bin", "CRITTER_VAR": str(settings.var), "CRITTER_REDIS_URL": settings.redis_url,
        "CRITTER_UNSAFE": "on", **more,
    }  # fmt: skip
    command = [sys.executable, "-m", "critter", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=120, check=False)


def gaps(url: str) -> tuple[str, ...]:
    engine = connect(url)
    with transaction(engine) as session:
        found = role_check.gaps(session)
    engine.dispose()
    return found


def test_one_role_goes_on_and_is_told_so(single: str, settings: Settings) -> None:
    migrated = critter(settings, "migrate", CRITTER_DATABASE_URL=single)
    assert migrated.returncode == 0, migrated.stderr
    audited = critter(settings, "audit", CRITTER_DATABASE_URL=single)
    assert (audited.returncode, audited.stderr[:15]) == (0, "not protected: ")
    alone = settings.model_copy(update={"database_url": single, "database_owner_url": single})
    assert "so it could rewrite the audit" in check._roles(alone)
    with pytest.raises(Refused, match="CRITTER_DATABASE_OWNER_URL and run critter migrate"):
        check._roles(alone.model_copy(update={"mode": "live"}))


def test_critter_migrate_hands_an_old_database_over(single: str, settings: Settings) -> None:
    assert gaps(single)
    given = {"CRITTER_DATABASE_URL": single, "CRITTER_DATABASE_OWNER_URL": owned(single)}
    for _ in range(2):
        migrated = critter(settings, "migrate", **given)
        assert migrated.returncode == 0, migrated.stdout + migrated.stderr
    assert gaps(single) == ()
    audited = critter(settings, "audit", **given)
    assert (audited.returncode, audited.stderr) == (0, "")
    both = settings.model_copy(update={"database_url": single, "database_owner_url": owned(single), "mode": "live"})
    assert check._roles(both) == "the tables belong to another role than the processes'"


def test_who_may_not_take_over_is_told_how(servers: Servers, single: str, settings: Settings) -> None:
    administer(servers, "postgres", f"REVOKE {embedded.ROLE} FROM {embedded.OWNER}")
    try:
        refused = critter(settings, "migrate", CRITTER_DATABASE_URL=single, CRITTER_DATABASE_OWNER_URL=owned(single))
    finally:
        administer(servers, "postgres", f"GRANT {embedded.ROLE} TO {embedded.OWNER}")
    assert refused.returncode == 2
    assert f'GRANT "{embedded.ROLE}" TO "{embedded.OWNER}"' in refused.stderr
    assert len(refused.stderr.splitlines()) == 1


def test_an_old_state_folder_gets_its_second_role(tmp_path: Path) -> None:
    """The embedded server of an older version: one role, which owns everything."""
    with Servers(tmp_path, redis=False, unsafe=True) as servers:
        place = f"DROP DATABASE {embedded.ROLE} WITH (FORCE)"
        administer(servers, "postgres", place, f"REVOKE {embedded.ROLE} FROM {embedded.OWNER}")
        administer(servers, "postgres", f"DROP ROLE {embedded.OWNER}", f"ALTER ROLE {embedded.ROLE} CREATEDB")
        administer(servers, "postgres", f"CREATE DATABASE {embedded.ROLE} OWNER {embedded.ROLE}")
        engine = connect(servers.database_url)
        migrations.migrate(engine, "0004")
        engine.dispose()
    with Servers(tmp_path, unsafe=True) as servers:
        settings = load({"CRITTER_VAR": str(tmp_path)})
        assert settings.database_owner_url == servers.owner_url
        migrated = critter(settings, "migrate")
        assert migrated.returncode == 0, migrated.stderr
        assert gaps(servers.database_url) == ()
        with psycopg.connect(servers.database_url) as connection:
            may = connection.execute("SELECT rolcreatedb OR rolsuper FROM pg_roles WHERE rolname = current_user")
            assert may.fetchone() == (False,)


def test_every_table_has_its_rights(engine: Engine) -> None:
    """Rows of each table may be read and written, those of the audit only read and added; nothing else is allowed."""
    asked = text("""
        SELECT string_agg(right_, ',' ORDER BY right_) FROM unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE',
            'TRUNCATE', 'REFERENCES', 'TRIGGER']) right_ WHERE has_table_privilege(:name, right_)
    """)
    with engine.connect() as connection:
        found = {name: connection.scalar(asked, {"name": name}) for name in Table.metadata.tables}
    assert {name for name, may in found.items() if may != "DELETE,INSERT,SELECT,UPDATE"} == set(rights.ADD_ONLY)
    assert found["audit"] == "INSERT,SELECT"


def test_views_are_only_read(engine: Engine) -> None:
    """A view of one table could be written through, and then a table would have two writers."""
    asked = text("""
        SELECT string_agg(right_, ',' ORDER BY right_) FROM unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE',
            'TRUNCATE', 'REFERENCES', 'TRIGGER']) right_ WHERE has_table_privilege(:name, right_)
    """)
    with engine.connect() as connection:
        found = {name: connection.scalar(asked, {"name": name}) for name in VIEWS.tables}
    assert found == dict.fromkeys(found, "SELECT")


def test_a_table_of_a_later_migration_gets_them_too(engine: Engine, owner: Engine) -> None:
    with owner.begin() as connection:
        connection.execute(text("CREATE TABLE later (id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY, x int)"))
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO later (x) VALUES (1)"))
        assert connection.scalars(text("UPDATE later SET x = 2 RETURNING x")).all() == [2]


def test_what_the_owner_does_for_the_processes_is_safe_from_their_tables(engine: Engine) -> None:
    """CREATE OR REPLACE forgets SECURITY DEFINER and the search path: a migration must repeat both."""
    asked = text("""
        SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND prosecdef
          AND 'search_path=public, pg_temp' = ANY (proconfig)
    """)
    with engine.connect() as connection:
        assert set(connection.scalars(asked)) == set(rights.BY_OWNER)


def test_the_processes_make_months_and_drop_them(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("SELECT ensure_partition(timestamptz '2020-05-05')"))
        assert connection.scalar(text("SELECT to_regclass('deliveries_2020_05') IS NOT NULL"))
        assert connection.scalar(text("SELECT drop_partition('deliveries_2020_05')"))
        assert connection.scalar(text("SELECT to_regclass('deliveries_2020_05') IS NULL"))
        connection.execute(text("SELECT wake_hold_restored(true), wake_hold_restored(false)"))
