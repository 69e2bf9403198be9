"""What a restore makes belongs to the owner's role, and the processes' role has its rights there (R60)."""

import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import make_url

import migrations
from critter.backup import databases
from critter.servers import Servers
from critter.servers.postgres import SUPERUSER
from gateway.settings import embedded
from gateway.store.database import connect
from tests.conftest import _administer as administer
from tests.ledger.test_restore import elsewhere
from tests.support.databases import migrate, owned
from tests.support.office import Office, critter
from tests.support.rights import given, prove_two_roles


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "backup.tar"


@pytest.fixture
def empty(servers: Servers) -> Iterator[str]:
    """The URL of an empty database, as the processes' role."""
    gone = "DROP DATABASE IF EXISTS given WITH (FORCE)"
    administer(servers, gone)
    administer(servers, "CREATE DATABASE given")
    yield embedded.database_url(servers.var, "given")
    administer(servers, gone)


@pytest.fixture
def old(servers: Servers, empty: str) -> str:
    """The same as an older version has it: before the roles were parted, with a row of the audit."""
    engine = connect(owned(empty))
    migrations.migrate(engine, "0004")
    engine.dispose()
    with psycopg.connect(owned(empty), autocommit=True) as connection:
        connection.execute("INSERT INTO installation (mode) VALUES ('simulated')")
        connection.execute("INSERT INTO audit (actor, action, detail) VALUES ('test', 'old', '{}')")
    return empty


@pytest.mark.parametrize(
    ("way", "owner_before"),
    [
        ((), embedded.OWNER),
        (("--replace",), embedded.OWNER),
        (("--in-place",), embedded.OWNER),
        ((), embedded.ROLE),  # as an older version made it
        (("--in-place",), embedded.ROLE),
    ],
)
def test_a_restored_database_has_both_roles(
    office: Office, servers: Servers, empty: str, place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    way: tuple[str, ...], owner_before: str,
) -> None:  # fmt: skip
    administer(servers, f"ALTER DATABASE given OWNER TO {owner_before}")
    office.says("kim", "hello")
    assert office.critter("backup", str(place)).exit_code == 0
    if "--replace" in way:
        migrate(empty)
    elsewhere(office, empty, tmp_path / "elsewhere", monkeypatch)
    result = critter("restore", str(place), *way)
    assert result.exit_code == 0, result.output
    prove_two_roles(empty)
    assert given(empty) == given(office.settings.database_url)
    assert critter("people", "add", "zed", "Zed").exit_code == 0
    assert critter("restore", "--release", "--yes").exit_code == 3  # no worker is alive to read what was held
    assert critter("audit").output.startswith("clean: ")
    if "--replace" in way:
        kept = result.output.partition("is kept as ")[2].partition(":")[0].partition(",")[0]
        administer(servers, f"DROP DATABASE {kept} WITH (FORCE)")


@pytest.mark.parametrize("way", [(), ("--in-place",)])
def test_a_backup_from_before_the_roles_gets_both_and_its_first_seal(
    office: Office, servers: Servers, old: str, place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    way: tuple[str, ...],
) -> None:  # fmt: skip
    elsewhere(office, owned(old), tmp_path / "old", monkeypatch)  # one role was all there was
    written = critter("backup", str(place))
    assert written.exit_code == 0, written.output
    administer(servers, "DROP DATABASE given WITH (FORCE)")
    administer(servers, "CREATE DATABASE given")
    elsewhere(office, old, tmp_path / "elsewhere", monkeypatch)
    result = critter("restore", str(place), *way)
    assert result.exit_code == 0, result.output
    prove_two_roles(old)
    with psycopg.connect(old) as connection:
        found = connection.execute("SELECT action, mac IS NOT NULL FROM audit ORDER BY number").fetchall()
    assert found == [("old", False), ("audit.sealed", True), ("restore", True)]
    assert critter("audit").output.startswith("clean: ")


def test_the_processes_pooler_need_not_know_the_database_that_is_filled(
    office: Office, empty: str, place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pooler has a list of databases; it would also keep its connection, and so keep the database from its name."""
    office.critter("backup", str(place))
    there = elsewhere(office, empty, tmp_path / "elsewhere", monkeypatch)
    nowhere = make_url(empty).update_query_dict({"host": "127.0.0.1", "port": "1", "pooled": "on"})
    monkeypatch.setenv("CRITTER_DATABASE_URL", nowhere.render_as_string(hide_password=False))
    result = critter("restore", str(place))
    assert result.exit_code == 0, result.output
    prove_two_roles(there.database_url)


def test_both_roles_must_mean_one_database(
    office: Office, empty: str, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who names an empty database for one of them only would fill, or replace, the other."""
    office.critter("backup", str(place))
    monkeypatch.setenv("CRITTER_DATABASE_URL", empty)
    for way in ((), ("--replace",), ("--in-place",), ("--drill",)):
        refused = critter("restore", str(place), *way)
        assert (refused.exit_code, "name the same one in both" in refused.output) == (2, True), refused.output


def test_what_the_processes_role_may_not_enter_is_told_before_anything_is_read_in(
    office: Office, servers: Servers, empty: str, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.critter("backup", str(place))
    elsewhere(office, empty, office.settings.var, monkeypatch)
    administer(servers, "REVOKE CONNECT ON DATABASE given FROM PUBLIC")
    monkeypatch.setattr("critter.backup.postgres_programs.run", lambda *_: pytest.fail("it was read in"))
    refused = critter("restore", str(place))
    assert (refused.exit_code, "permission denied" in refused.output) == (2, True), refused.output


def test_a_database_at_which_the_server_is_at_work_is_dropped_when_it_has_ended(servers: Servers, empty: str) -> None:
    """As autovacuum may be at what was just restored: its connection is a superuser's, whom we cannot send away."""
    administer(servers, "CREATE DATABASE given_busy")
    busy = psycopg.connect(embedded.database_url(servers.var, "given_busy", SUPERUSER))
    ends = threading.Timer(0.5, busy.close)
    ends.start()
    with databases.Server(owned(empty)) as server:
        server.drop("given_busy")
        assert "given_busy" not in server.names()
    ends.join()
