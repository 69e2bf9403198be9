"""`critter backup` and `critter restore` (R54): after a restore nothing leaves before an operator says so."""

import stat
import tarfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from redis import Redis
from sqlalchemy import Engine

from critter import backups
from critter.servers import Servers
from gateway.ledger import holding
from gateway.settings import Settings, embedded
from gateway.store.database import connect, transaction
from tests import cast
from tests.conftest import _administer as administer
from tests.databases import owned
from tests.office import Office, critter, point_command_line

PICTURE = "cd" * 32


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "backup.tar"


@pytest.fixture
def empty(servers: Servers) -> Iterator[str]:
    """The URL of an empty database."""
    administer(servers, "DROP DATABASE IF EXISTS restored WITH (FORCE)")
    administer(servers, "CREATE DATABASE restored")
    yield embedded.database_url(servers.var, "restored")
    administer(servers, "DROP DATABASE IF EXISTS restored WITH (FORCE)")


def elsewhere(office: Office, url: str, var: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The command line on an empty machine."""
    there = office.settings.model_copy(update={"database_url": url, "database_owner_url": owned(url), "var": var})
    point_command_line(monkeypatch, there)
    return there


@pytest.fixture
def there(office: Office, empty: str, place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    """Restored from a backup that was made when Kim's update had been read and not spread, when a text of Sam's had
    not been read, and an answer to Pat was on its way; all of it was done after the backup."""
    office.says("pat", "follow kim")
    office.read()
    office.sql("UPDATE deliveries SET state = 'sending', attempt = 1, lease_until = now(), lease_owner = 'lost'")
    office.sql("INSERT INTO attempts (message_id, address_id, number) SELECT message_id, address_id, 1 FROM deliveries")
    office.says("kim", "a hundred people hear this")
    office.read()
    office.says("sam", "good morning")
    head = office.critter("audit", "--head").output
    media = office.settings.var / "media" / PICTURE[:2] / PICTURE
    media.parent.mkdir(parents=True)
    media.write_bytes(b"a picture")
    result = office.critter("backup", str(place))
    assert result.exit_code == 0, result.output
    office.work()
    var = tmp_path / "elsewhere"
    settings = elsewhere(office, empty, var, monkeypatch)
    restored = critter("restore", str(place))
    assert restored.exit_code == 0, restored.output
    assert "Held: 1 input, 1 fan-out, 1 delivery." in restored.output
    assert critter("audit", "--since-head", head).exit_code == 0
    engine = connect(empty)
    yield Office(engine, settings)
    engine.dispose()


def test_nothing_leaves_before_an_operators_word(there: Office) -> None:
    assert not there.read()
    assert not there.spread()
    assert not there.send("sms")
    assert not there.send("email")
    assert there.critter("audit").output.startswith("clean: ")
    assert there.critter("held", "list").output.count("restored from a backup") == 1
    assert (there.settings.var / "media" / PICTURE[:2] / PICTURE).read_bytes() == b"a picture"


def test_what_is_new_is_read_and_sent(there: Office) -> None:
    there.says("pat", "hello again")
    there.work()
    assert there.sql("SELECT state FROM inbound ORDER BY id DESC LIMIT 1") == [("done",)]
    held = there.sql("SELECT count(*) FROM deliveries WHERE reason = 'restored'")
    assert held == [(1,)]


def test_a_release_lets_all_of_it_go_marked(there: Office, redis_url: str) -> None:
    result = there.critter("restore", "--release", "--yes")
    assert result.output.endswith("Released.\n")
    with Redis.from_url(redis_url) as redis:
        assert b"rq:queue:inbound" in redis.keys("rq:queue:*")
    there.work()
    assert there.sql("SELECT count(*) FROM inbound WHERE state <> 'done'") == [(0,)]
    assert there.sql("SELECT state, possible_duplicate FROM deliveries ORDER BY message_id LIMIT 1") == [("sent", True)]
    assert there.sql("SELECT count(*) FROM fanouts WHERE state = 'waiting'") == [(0,)]
    assert there.critter("restore").output == "Nothing is held.\n"
    assert there.critter("audit").exit_code == 0
    assert [row[0] for row in there.sql("SELECT action FROM audit ORDER BY number")] == ["restore", "restore.release"]


def test_a_drop_ends_all_of_it(there: Office) -> None:
    assert there.critter("restore", "--drop", given=b"y\n").output.endswith("Ended.\n")
    there.work()
    assert there.sql("SELECT state FROM inbound ORDER BY id DESC LIMIT 1") == [("dropped",)]
    assert there.sql("SELECT count(*) FROM deliveries WHERE state <> 'cancelled'") == [(0,)]
    assert there.critter("restore").output == "Nothing is held.\n"


def test_no_word_changes_nothing(there: Office) -> None:
    assert there.critter("restore", "--release", given=b"n\n").exit_code == 1
    assert there.critter("restore").output.startswith("Held: 1 input, 1 fan-out, 1 delivery.")


def listed(there: Office, sid: str, sent_at: datetime) -> str:
    """Accepts what the carrier's list tells, as an input with the time of its sending; the state it gets."""
    [row] = there.sql(
        "INSERT INTO inbound (channel, natural_key, sender, recipients, trusted, text, sent_at)"
        " VALUES ('sms', sha256(CAST(:sid AS text)::bytea), :phone, '{}', true, 'lunch', :sent_at) RETURNING state",
        sid=sid,
        phone=cast.PEOPLE[1].phone,
        sent_at=sent_at,
    )
    return str(row[0])


def test_what_is_listed_again_from_before_is_held(there: Office) -> None:
    now = datetime.now(UTC)
    assert listed(there, "SM1", now - timedelta(hours=1)) == "held"
    assert listed(there, "SM2", now + timedelta(hours=1)) == "new"
    assert there.critter("restore").output.startswith("Held: 2 inputs,")
    there.critter("restore", "--release", "--yes")
    assert listed(there, "SM3", now - timedelta(hours=1)) == "new"


def test_before_any_restore_nothing_is_held(office: Office) -> None:
    assert listed(office, "SM1", datetime.now(UTC) - timedelta(days=1)) == "new"


def test_a_backup_is_whole_and_private(office: Office, place: Path) -> None:
    office.says("kim", "hello")
    assert office.critter("backup", str(place)).exit_code == 0
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    with tarfile.open(place) as tar:
        assert tar.getnames()[:2] == [backups.MANIFEST, backups.DUMP]
    assert [path.name for path in place.parent.glob("*backup*")] == [place.name]
    result = office.critter("backup", str(place))
    assert (result.exit_code, "is there already" in result.output) == (2, True)
    assert "cannot be written" in office.critter("backup", str(place.parent / "no" / "x.tar")).output


def test_only_an_empty_database_is_filled(office: Office, place: Path) -> None:
    office.critter("backup", str(place))
    before = office.sql("SELECT count(*) FROM accounts")
    result = office.critter("restore", str(place))
    assert (result.exit_code, "not empty" in result.output) == (2, True)
    assert office.sql("SELECT count(*) FROM accounts") == before
    torn = place.with_name("torn.tar")
    torn.write_bytes(place.read_bytes()[:3000])
    assert "is no backup" in office.critter("restore", str(torn)).output


def test_a_torn_dump_leaves_the_database_empty(
    office: Office, empty: str, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.critter("backup", str(place))
    whole = bytearray(place.read_bytes())
    whole[len(whole) // 2 : len(whole) // 2 + 4000] = bytes(4000)
    place.write_bytes(whole)
    elsewhere(office, empty, office.settings.var, monkeypatch)
    result = critter("restore", str(place))
    assert (result.exit_code, "failed" in result.output) == (2, True)
    with psycopg.connect(empty) as connection:
        assert connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone() == (0,)


def test_processes_at_work_are_in_the_way(
    office: Office, empty: str, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.critter("backup", str(place))
    elsewhere(office, empty, office.settings.var, monkeypatch)
    with psycopg.connect(empty):
        result = critter("restore", str(place))
    assert (result.exit_code, "stop Critter's processes first" in result.output) == (2, True)


def test_who_was_erased_since_is_erased_again(
    office: Office, empty: str, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.says("kim", "zebra")
    office.work()
    office.critter("backup", str(place))
    office.critter("erase", "kim", "--yes")
    elsewhere(office, empty, office.settings.var, monkeypatch)
    assert "erased again: gone_" in critter("restore", str(place)).output
    with psycopg.connect(empty) as connection:
        assert connection.execute("SELECT text FROM posts").fetchall() == [("(removed)",)]
        assert connection.execute("SELECT count(*) FROM accounts WHERE handle = 'kim'").fetchone() == (0,)


def test_the_drill_checks_and_leaves_nothing(office: Office, engine: Engine, place: Path) -> None:
    office.says("kim", "hello")
    office.critter("backup", str(place))
    result = office.critter("restore", str(place), "--drill")
    assert result.exit_code == 0, result.output
    assert "The books agree." in result.output
    assert office.sql("SELECT count(*) FROM pg_database WHERE datname LIKE 'critter_drill%'") == [(0,)]
    office.work()
    assert office.sql("SELECT state FROM inbound") == [("done",)]  # ours was left alone


def test_a_drill_that_finds_something_ends_with_1(office: Office, place: Path) -> None:
    office.says("kim", "hello")
    office.work()
    office.sql("UPDATE inbound SET done_at = NULL")
    office.critter("backup", str(place))
    assert office.critter("restore", str(place), "--drill").exit_code == 1
    assert office.sql("SELECT count(*) FROM pg_database WHERE datname LIKE 'critter_drill%'") == [(0,)]


def test_nothing_that_was_to_be_told_is_told(office: Office) -> None:
    office.says("kim", "hello")
    office.work()
    office.sql("INSERT INTO callbacks (attempt_id, carrier_id, status) SELECT id, 'SM1', 'failed' FROM attempts")
    office.sql("INSERT INTO tellings (post_id, kind) SELECT id, 'counts' FROM posts ON CONFLICT DO NOTHING")
    with transaction(office.engine) as session:
        holding.hold(session)
    assert office.sql("SELECT 1 FROM callbacks WHERE applied_at IS NULL") == []
    assert office.sql("SELECT 1 FROM tellings WHERE told_at IS NULL") == []
