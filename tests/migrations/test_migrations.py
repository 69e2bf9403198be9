"""Migrations keep no door waiting (R64, F45), and go on where an interruption left them."""

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Engine, text

import migrations
from critter.servers import Servers
from gateway.settings import embedded
from gateway.store.database import connect
from migrations import running, steps
from migrations.running import MigrationRunner
from tests.conftest import _administer as administer
from tests.project.test_schema import CATALOG, catalog
from tests.support.databases import migrate
from tests.support.examples import many
from tests.support.fork_server import shared
from tests.support.live_migration import door, fill
from tests.support.running_critter import ROOT

ROWS = many(60_000, 20_000)
LONGEST = 1.0  # second that a door may wait
TRIES = 3  # for a lock that somebody else holds


@pytest.fixture
def old(servers: Servers) -> Iterator[str]:
    """The URL of a database of the first schema, as the owner of its tables."""
    administer(servers, "DROP DATABASE IF EXISTS old WITH (FORCE)")
    administer(servers, "CREATE DATABASE old")
    url = embedded.database_url(servers.var, "old", embedded.OWNER)
    migrate(url, "0001")
    yield url
    administer(servers, "DROP DATABASE old WITH (FORCE)")


def finished(url: str, engine: Engine) -> None:
    """The database is what a new one is, and all of its rows were brought along."""
    migrated = connect(url)
    with migrated.connect() as ours, engine.connect() as fresh:
        assert catalog(ours.execute(text(CATALOG)).all()) == catalog(fresh.execute(text(CATALOG)).all())
        assert ours.scalar(text("SELECT count(*) FROM migration_steps")) == 0
        assert ours.scalar(text("SELECT count(*) FROM pg_index WHERE NOT indisvalid")) == 0
        assert ours.scalar(text("SELECT count(*) FROM pg_constraint WHERE NOT convalidated")) == 0
        assert ours.scalar(text("SELECT count(*) FROM effects WHERE account_id IS NULL")) == 0
        assert ours.scalar(text("SELECT count(*) FROM addresses WHERE introduced_at IS NULL")) == 0
        foreign = """SELECT count(*) FROM effects e LEFT JOIN actions a ON a.id = e.action_id
                     WHERE a.inbound_id IS DISTINCT FROM e.inbound_id OR a.account_id IS NULL OR a.door <> 'sms'"""
        assert ours.scalar(text(foreign)) == 0
        unowned = """SELECT count(*) FROM media m LEFT JOIN uploads u ON u.id = m.upload_id
                     WHERE u.inbound_id IS DISTINCT FROM m.inbound_id"""
        assert ours.scalar(text(unowned)) == 0
        assert ours.scalar(text("SELECT count(*) FROM posts WHERE upload_id IS DISTINCT FROM pictures_of")) == 0
        shown = "SELECT count(*) FROM posts WHERE (pictures_of IS NULL) <> (inbound_id % 7 <> 0)"
        assert ours.scalar(text(shown)) == 0
        unsearched = (
            "SELECT count(*) FROM posts WHERE (search IS NULL) <> (visibility = 'direct' OR deleted_at IS NOT NULL)"
        )
        assert ours.scalar(text(unsearched)) == 0
        chained = """SELECT count(*) FILTER (WHERE hash IS DISTINCT FROM audit_hash(audit)),
                            max(number) - count(*) FROM audit WHERE number <= 5000"""
        assert tuple(ours.execute(text(chained)).one()) == (0, 0)
    migrated.dispose()


@pytest.mark.repeats
@pytest.mark.timeout(300)
def test_a_door_goes_on_while_a_large_database_is_migrated(old: str, engine: Engine) -> None:
    fill(old, ROWS)
    owner = connect(old)
    with door(old) as met:
        migrations.migrate(owner)
    owner.dispose()
    print(f"{len(met.took)} texts meanwhile, the longest wait {met.longest:.3f} s")
    assert met.errors == []
    assert met.longest < LONGEST + met.stalled
    finished(old, engine)


def test_a_long_transaction_of_somebody_else_keeps_no_door_waiting(
    old: str, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A lock that waits keeps out who comes after it: it gives up soon, and tries again."""
    monkeypatch.setattr(running, "TOLD_EVERY", 0.0)
    fill(old, 1_000)
    owner = connect(old)
    with psycopg.connect(old) as reader, door(old) as met:
        reader.execute("SELECT count(*) FROM inbound")  # its lock stays until it ends
        told: list[str] = []
        migrating = threading.Thread(target=migrations.migrate, args=(owner, "", told.append))
        migrating.start()
        while sum("waits for a lock" in line for line in told) < TRIES:
            migrating.join(0.02)
            assert migrating.is_alive()
        reader.rollback()
        migrating.join(60)
    assert not migrating.is_alive()
    assert met.errors == []
    assert met.longest < LONGEST + met.stalled
    owner.dispose()
    finished(old, engine)


MIGRATE = """
import sys, migrations
from gateway.store.database import connect
migrations.migrate(connect(sys.argv[1]), report=lambda line: print(line, flush=True))
"""


def test_a_migration_that_is_killed_goes_on(old: str, engine: Engine, tmp_path: Path) -> None:
    """kill -9 after more and more of it, until one run comes to its end."""
    fill(old, 20_000)
    for lines in (1, 8, 9, 13, 30, 31, 45, 60, 61, 90):
        os.mkfifo(said := tmp_path / f"said-{lines}")
        running = shared().run(MIGRATE, old, log=said)
        with said.open() as pipe:
            for _ in range(lines):
                pipe.readline()
            running.kill()
            running.wait()
    said = tmp_path / "said"
    assert shared().run(MIGRATE, old, log=said).wait() == 0, said.read_text()
    finished(old, engine)


def written(tmp_path: Path, sql: str) -> list[steps.MigrationStep]:
    file = tmp_path / "0099_tried.sql"
    file.write_text(sql)
    return steps.read(file)


@pytest.fixture
def runner(old: str) -> Iterator[MigrationRunner]:
    engine = connect(old)
    with engine.begin() as connection:
        connection.execute(text(migrations.running.BOOKS))
    yield MigrationRunner(engine, "0099", lambda line: None)
    engine.dispose()


def test_an_index_that_was_left_invalid_is_made_again(runner: MigrationRunner, old: str, tmp_path: Path) -> None:
    fill(old, 100)
    with psycopg.connect(old, autocommit=True) as connection:
        with pytest.raises(psycopg.errors.UniqueViolation):
            connection.execute("CREATE UNIQUE INDEX CONCURRENTLY inbound_tried ON inbound (sender)")
        runner.run(written(tmp_path, "CREATE INDEX CONCURRENTLY inbound_tried ON inbound (sender);"))
        valid = connection.execute(
            "SELECT indisvalid, indisunique FROM pg_index WHERE indexrelid = 'inbound_tried'::regclass"
        )
        assert valid.fetchone() == (True, False)


def test_every_partition_gets_its_index(runner: MigrationRunner, old: str, tmp_path: Path) -> None:
    runner.run(
        written(tmp_path, "CREATE INDEX CONCURRENTLY deliveries_tried ON deliveries (attempt) WHERE attempt > 1;")
    )
    with psycopg.connect(old, autocommit=True) as connection:
        connection.execute("SELECT ensure_partition(now() + interval '9 months')")
        found = connection.execute("""
            SELECT count(*), bool_and(x.indisvalid),
                   (SELECT count(*) FROM pg_inherits WHERE inhparent = 'deliveries'::regclass)
            FROM pg_inherits i JOIN pg_index x ON x.indexrelid = i.inhrelid
            WHERE i.inhparent = 'deliveries_tried'::regclass
        """).fetchone()
    assert found == (5, True, 5)


def test_batches_go_on_where_they_were(runner: MigrationRunner, old: str, tmp_path: Path) -> None:
    """A batch that fails takes back its own rows alone."""
    fill(old, 3_000)
    sql = """-- batch: inbound by id
             UPDATE inbound SET text = text || '!', done_at = CASE WHEN reason = 'broken' THEN 1 / 0 ELSE done_at END
             WHERE id BETWEEN :from AND :to;""".replace(
        "THEN 1 / 0", "THEN (1 / (attempt - attempt))::text::timestamptz"
    )
    with psycopg.connect(old, autocommit=True) as connection:
        connection.execute("UPDATE inbound SET reason = 'broken' WHERE id = (SELECT max(id) FROM inbound)")
        with pytest.raises(psycopg.errors.DivisionByZero):
            runner.run(written(tmp_path, sql))
        done = connection.execute("SELECT count(*) FROM inbound WHERE text LIKE '%!'").fetchone()
        assert done is not None
        assert 0 < done[0] < 3_000
        connection.execute("UPDATE inbound SET reason = NULL")
        runner.run(written(tmp_path, sql))
        counts = "SELECT count(*) FILTER (WHERE text LIKE '%!'), count(*) FILTER (WHERE text LIKE '%!!') FROM inbound"
        assert connection.execute(counts).fetchone() == (3_000, 0)


def test_a_step_that_is_done_is_not_done_again(runner: MigrationRunner, old: str, tmp_path: Path) -> None:
    fill(old, 10)
    runner.run(written(tmp_path, "UPDATE accounts SET name = name || '!' WHERE handle = 'p1';"))
    runner.run(written(tmp_path, "UPDATE accounts SET name = name || '!' WHERE handle = 'p1'; SELECT 1;"))
    with psycopg.connect(old) as connection:
        assert connection.execute("SELECT name FROM accounts WHERE handle = 'p1'").fetchone() == ("Pretend 1!",)


@pytest.mark.timeout(300)
def test_two_migrations_at_once_come_to_one_end(old: str, engine: Engine) -> None:
    fill(old, 2_000)
    engines = [connect(old) for _ in range(2)]
    both = [threading.Thread(target=migrations.migrate, args=(one,)) for one in engines]
    for each in both:
        each.start()
    for each in both:
        each.join(120)
    for one in engines:
        one.dispose()
    finished(old, engine)


@pytest.mark.parametrize("inherited", [signal.SIG_DFL, signal.SIG_IGN], ids=["at a terminal", "in the background"])
def test_ctrl_c_ends_it_and_it_goes_on(
    old: str, engine: Engine, servers: Servers, tmp_path: Path, inherited: signal.Handlers
) -> None:
    fill(old, 1_000)
    environ = {"PATH": "/usr/bin:/bin", "CRITTER_VAR": str(tmp_path), "CRITTER_UNSAFE": "on",
               "CRITTER_DATABASE_URL": embedded.database_url(servers.var, "old"),
               "CRITTER_DATABASE_OWNER_URL": old}  # fmt: skip
    command = [sys.executable, "-m", "critter", "migrate"]
    with psycopg.connect(old) as reader:
        reader.execute("SELECT count(*) FROM posts")  # the migration waits for it
        with subprocess.Popen(
            command, cwd=ROOT, env=environ, stdout=subprocess.PIPE, text=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, inherited),
        ) as running:  # fmt: skip
            assert running.stdout is not None
            line = next(line for line in running.stdout if "posts" in line)
            running.send_signal(signal.SIGINT)
            rest = running.stdout.read()
    assert re.match(r"0002  step \d+ of \d+: ALTER TABLE posts", line)
    assert (running.returncode, rest.splitlines()[-1][:8]) == (130, "Stopped.")
    again = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False)
    assert (again.returncode, again.stderr) == (0, "")
    assert again.stdout.splitlines()[-1] == "The database is up to date."
    finished(old, engine)
