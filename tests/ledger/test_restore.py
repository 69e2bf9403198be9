"""`critter backup` and `critter restore` (R54): after a restore nothing leaves before an operator says so."""

import hashlib
import io
import json
import stat
import tarfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from redis import Redis
from sqlalchemy import Engine, text
from sqlalchemy.exc import OperationalError

import migrations
from critter.backup import archive, databases
from critter.backup import restore as restoring
from critter.servers import Servers
from critter.servers.postgres import SUPERUSER
from gateway.errors import Refused
from gateway.files import media_folder
from gateway.ledger.inbox.inbox import Incoming
from gateway.ledger.inbox.writer import Intake
from gateway.ledger.operations import restore_hold
from gateway.queue.worker_notifier import QUEUES
from gateway.settings import Settings, embedded
from gateway.store import restore_marker
from gateway.store.database import connect, passes, transaction
from tests.conftest import _administer as administer
from tests.support import personas
from tests.support.databases import Kept, owned
from tests.support.office import Office, critter, point_command_line

PICTURE = hashlib.sha256(b"a picture").hexdigest()


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
    picture = office.says("pat", "follow kim")
    office.read()
    office.sql("UPDATE deliveries SET state = 'sending', attempt = 1, lease_until = now(), lease_owner = 'lost'")
    office.sql("INSERT INTO attempts (message_id, address_id, number) SELECT message_id, address_id, 1 FROM deliveries")
    office.says("kim", "a hundred people hear this")
    office.read()
    office.says("sam", "good morning")
    office.sql(
        "INSERT INTO media (inbound_id, number, name, content_type, state, size, sha256) VALUES"
        " (:id, 1, 'a.jpg', 'image/jpeg', 'fetched', 9, decode(:picture, 'hex'))",
        id=picture,
        picture=PICTURE,
    )
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
        assert b"rq:queue:critter-inbound" in redis.keys("rq:queue:*")
    there.work()
    assert there.sql("SELECT count(*) FROM inbound WHERE state <> 'done'") == [(0,)]
    assert there.sql("SELECT state, possible_duplicate FROM deliveries ORDER BY message_id LIMIT 1") == [("sent", True)]
    assert there.sql("SELECT count(*) FROM fanouts WHERE state = 'waiting'") == [(0,)]
    assert there.critter("restore").output == "Nothing is held.\n"
    assert there.critter("audit").exit_code == 0
    assert [row[0] for row in there.sql("SELECT action FROM audit ORDER BY number")] == ["restore", "restore.release"]


def test_a_release_without_workers_says_that_nothing_happens_yet(there: Office) -> None:
    there.at_work = False
    there.sql("DELETE FROM processes")
    result = there.critter("restore", "--release", "--yes")
    assert result.exit_code == 3
    assert "Released.\n" in result.output
    assert "no worker-email and no worker-fanout and no worker-inbound and no worker-sms is alive" in result.output


def test_a_drop_ends_all_of_it(there: Office) -> None:
    assert there.critter("restore", "--drop", "--yes").output.endswith("Ended.\n")
    there.work()
    assert there.sql("SELECT state FROM inbound ORDER BY id DESC LIMIT 1") == [("dropped",)]
    assert there.sql("SELECT count(*) FROM deliveries WHERE state <> 'cancelled'") == [(0,)]
    assert there.critter("restore").output == "Nothing is held.\n"


def test_no_word_changes_nothing(there: Office) -> None:
    assert there.critter("restore", "--release", given=b"n\n").exit_code == 2  # there is no terminal to ask at
    assert there.critter("restore").output.startswith("Held: 1 input, 1 fan-out, 1 delivery.")


def listed(there: Office, sid: str, sent_at: datetime) -> str:
    """Accepts what the carrier's list tells, as an input with the time of its sending; the state it gets."""
    [row] = there.sql(
        "INSERT INTO inbound (channel, natural_key, sender, recipients, trusted, text, sent_at)"
        " VALUES ('sms', sha256(CAST(:sid AS text)::bytea), :phone, '{}', true, 'lunch', :sent_at) RETURNING state",
        sid=sid,
        phone=personas.PEOPLE[1].phone,
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
        assert tar.getnames()[:2] == [archive.MANIFEST, archive.DUMP]
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
    assert "is not a backup" in office.critter("restore", str(torn)).output


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


@pytest.mark.parametrize("way", [(), ("--in-place",)])
@pytest.mark.parametrize("role", [embedded.ROLE, SUPERUSER])
def test_whoever_is_at_work_is_in_the_way(
    office: Office, empty: str, place: Path, monkeypatch: pytest.MonkeyPatch, role: str, way: tuple[str, ...]
) -> None:
    """Also a role of which the server tells the owner next to nothing."""
    office.critter("backup", str(place))
    elsewhere(office, empty, office.settings.var, monkeypatch)
    with psycopg.connect(empty, user=role):
        result = critter("restore", str(place), *way)
    assert (result.exit_code, "stop Critter's processes first" in result.output) == (2, True)
    with psycopg.connect(empty) as connection:
        assert connection.execute(restore_marker.IS_MARKED).fetchone() == (False,)


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


def mark(url: str) -> None:
    with psycopg.connect(owned(url), autocommit=True) as connection:
        connection.execute(restore_marker.MARK)


COMMANDS = (
    "migrate", "audit", "people list", "people add zed Zed", "say kim hi", "retry 1:1", "retention --now", "outbox",
    "held approve --all", "drain", "restore", "restore --release --yes", "backup never.tar", "export kim",
    "erase kim --yes", "web", "web --accept-only", "mail", "clock", *(f"worker {queue}" for queue in QUEUES),
)  # fmt: skip


def test_every_command_refuses_a_database_that_is_not_whole(office: Office) -> None:
    office.at_work = False
    office.engine.dispose()
    mark(office.settings.database_url)
    for command in COMMANDS:
        result = office.critter(*command.split())
        assert (result.exit_code, "run critter restore FILE again" in result.output) == (2, True), command
    assert "run critter restore FILE again" in office.critter("check").output


@pytest.mark.parametrize("pooled", ["", "&pooled=on"])
def test_every_process_refuses_a_database_that_is_not_whole(office: Office, pooled: str) -> None:
    office.says("kim", "hello")
    url = office.settings.database_url + pooled
    running = connect(url)
    office.engine.dispose()
    mark(office.settings.database_url)
    with (
        pytest.raises(OperationalError, match="run critter restore FILE again") as refused,
        transaction(running) as session,
    ):
        session.execute(text("SELECT 1"))
    assert restore_marker.is_refusal(refused.value)
    assert passes(refused.value)  # workers wait, and doors say later
    door = Intake(connect(url), lambda: None)
    with pytest.raises(Exception, match="run critter restore FILE again"):
        door.submit(Incoming("sms", b"SM1", "+14155550101", ("+1",), b"", True, "SM1", "hi")).result(10)
    door.close()
    with psycopg.connect(office.settings.database_owner_url, autocommit=True) as connection:
        connection.execute(restore_marker.UNMARK)
    with transaction(running) as session:
        assert session.scalar(text("SELECT count(*) FROM inbound")) == 1
    running.dispose()


def test_a_role_that_may_make_none_restores_in_place(
    office: Office, servers: Servers, empty: str, place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.says("kim", "hello")
    office.critter("backup", str(place))
    monkeypatch.setattr(databases, "MAY", "SELECT false, true FROM pg_database WHERE datname = %(name)s")
    elsewhere(office, empty, tmp_path / "elsewhere", monkeypatch)
    result = critter("restore", str(place))
    assert result.exit_code == 0, result.output
    assert "in place: this role may not create databases (CREATEDB)" in result.output
    assert "Held: 1 input" in result.output
    again = critter("restore", str(place))
    assert (again.exit_code, "already; nothing was changed" in again.output) == (0, True)
    with psycopg.connect(empty, autocommit=True) as connection:
        assert connection.execute(restore_marker.IS_MARKED).fetchone() == (False,)


def test_in_place_only_an_empty_database_is_filled(office: Office, place: Path) -> None:
    office.critter("backup", str(place))
    before = office.sql("SELECT count(*) FROM accounts")
    result = office.critter("restore", str(place), "--in-place")
    assert (result.exit_code, "not empty" in result.output) == (2, True)
    assert office.sql("SELECT count(*) FROM accounts") == before
    assert office.sql(restore_marker.IS_MARKED) == [(False,)]


@pytest.mark.parametrize("way", [(), ("--in-place",)])
def test_what_fails_leaves_an_empty_database(
    office: Office, empty: str, place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: tuple[str, ...]
) -> None:
    picture(office, office.says("kim", "hello"))
    office.critter("backup", str(place))
    elsewhere(office, empty, tmp_path / "elsewhere", monkeypatch)
    full, ended = OSError(28, "No space left on device"), KeyboardInterrupt()
    for failing, problem, code in (
        ("critter.backup.postgres_programs.run", Refused("pg_restore failed: No space left on device"), 2),
        ("critter.backup.postgres_programs._attend", ended, 130),
        (
            "critter.backup.restore.migrations.migrate",
            OperationalError("x", {}, psycopg.errors.DiskFull("no space")),
            2,
        ),
        ("critter.backup.restore.migrations.migrate", ended, 130),
        ("critter.backup.restore.archive.unpack", full, 2),
    ):
        with monkeypatch.context() as broken:
            broken.setattr(failing, _raising(problem))
            assert critter("restore", str(place), *way).exit_code == code
        with psycopg.connect(empty) as connection:
            found = connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone()
            assert found == (0,)
        assert not list((tmp_path / "elsewhere").rglob("*.part"))
    assert critter("restore", str(place), *way).exit_code == 0


def _raising(problem: BaseException) -> Callable[..., None]:
    def fail(*_: object, **__: object) -> None:
        raise problem

    return fail


def test_the_database_before_is_kept_when_it_is_replaced(
    office: Office, servers: Servers, place: Path, databases: Kept, database: str
) -> None:
    databases.let_go(database)
    old = picture(office, office.says("kim", "hello"))
    office.work()
    office.critter("backup", str(place))
    new = picture(office, office.says("sam", "after the backup"), b"another picture")
    office.work()
    posts = office.sql("SELECT count(*) FROM posts")
    office.engine.dispose()
    assert "with --replace" in office.critter("restore", str(place)).output
    name = office.engine.url.database
    try:
        result = office.critter("restore", str(place), "--replace")
        assert result.exit_code == 0, result.output
        kept = result.output.partition("is kept as ")[2].partition(",")[0]
        with psycopg.connect(embedded.database_url(servers.var, kept)) as connection:
            assert connection.execute("SELECT count(*) FROM posts").fetchone() == tuple(posts[0])
        pictures = office.settings.var / f"media_{kept}"
        assert sorted(path.name for path in pictures.glob("??/*")) == sorted([old, new])
        assert office.sql("SELECT count(*) FROM posts") == [(posts[0][0] - 1,)]  # type: ignore[operator]
        office.engine.dispose()
        administer(servers, f"DROP DATABASE {kept} WITH (FORCE)")
        assert kept.startswith(f"{name}_before_")
    finally:
        office.engine.dispose()


def picture(office: Office, inbound: int, content: bytes = b"a picture") -> str:
    """Came with that text, and is kept."""
    digest = media_folder.keep(office.settings.var, content).hex()
    office.sql(
        "INSERT INTO media (inbound_id, number, name, content_type, state, size, sha256)"
        " VALUES (:id, 1, 'a.jpg', 'image/jpeg', 'fetched', :size, decode(:name, 'hex'))",
        id=inbound,
        size=len(content),
        name=digest,
    )
    return digest


def test_what_the_database_allows_and_sets_is_carried_over(
    office: Office, servers: Servers, empty: str, place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.critter("backup", str(place))
    administer(servers, 'ALTER DATABASE restored SET search_path = "$user", public, pg_temp')
    administer(servers, "REVOKE CONNECT ON DATABASE restored FROM PUBLIC")
    administer(servers, f"GRANT CONNECT ON DATABASE restored TO {embedded.ROLE}")
    asked = (
        "SELECT datacl::text, (SELECT setconfig::text FROM pg_db_role_setting WHERE setdatabase = d.oid),"
        " pg_get_userbyid(datdba), encoding, datcollate FROM pg_database d WHERE datname = 'restored'"
    )
    before = office.sql(asked)
    elsewhere(office, empty, tmp_path / "elsewhere", monkeypatch)
    assert critter("restore", str(place)).exit_code == 0
    assert sorted(str(before[0][0])) == sorted(str(office.sql(asked)[0][0]))
    assert before[0][1:] == office.sql(asked)[0][1:]


def test_who_connects_meanwhile_keeps_it_from_being_renamed(
    office: Office, empty: str, place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.says("kim", "hello")
    office.critter("backup", str(place))
    elsewhere(office, empty, tmp_path / "elsewhere", monkeypatch)
    filled: list[int] = []
    with psycopg.connect(empty, autocommit=True) as late:
        monkeypatch.setattr(databases.Server, "refuse_others", lambda _: None)
        result = critter("restore", str(place))
        assert (result.exit_code, "run the same command once more" in result.output) == (2, True)
        assert late.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone() == (0,)
    monkeypatch.setattr("critter.backup.restore.fill", lambda *_: filled.append(1))
    assert critter("restore", str(place)).exit_code == 0
    assert filled == []  # what was whole is not filled again


def test_what_an_older_version_made_whole_is_filled_again(
    office: Office, empty: str, servers: Servers, place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was broken off there, and Critter was brought up to date before the restore was run again."""
    office.critter("backup", str(place))
    elsewhere(office, empty, tmp_path / "elsewhere", monkeypatch)
    with monkeypatch.context() as broken:
        broken.setattr(restoring, "finish", _raising(KeyboardInterrupt()))
        assert critter("restore", str(place)).exit_code == 130
    words = office.sql("SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = :n", n=SCRATCH)
    older = str(words[0][0]).replace(f"schema {migrations.newest()}", "schema 0001")
    administer(servers, f"COMMENT ON DATABASE {SCRATCH} IS '{older}'")
    with psycopg.connect(owned(embedded.database_url(servers.var, SCRATCH))) as connection:
        connection.execute("DROP TABLE tallies")
    assert critter("restore", str(place)).exit_code == 0
    with psycopg.connect(empty) as connection:
        assert connection.execute("SELECT to_regclass('tallies') IS NOT NULL").fetchone() == (True,)


SCRATCH = "restored_restoring"


def test_one_restore_at_a_time(
    office: Office, empty: str, place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.critter("backup", str(place))
    elsewhere(office, empty, tmp_path / "elsewhere", monkeypatch)
    monkeypatch.setattr(databases, "PATIENCE", 0.3)
    with databases.Server(owned(empty)) as other:
        other.lock()
        result = critter("restore", str(place))
        assert (result.exit_code, "Another critter restore" in result.output) == (2, True)
        assert "Another critter restore" in critter("restore", str(place), "--drill").output
    assert critter("restore", str(place)).exit_code == 0


def changed(place: Path, **fields: object) -> None:
    """The same backup with another manifest."""
    with tarfile.open(place) as tar:
        members = [(each, (tar.extractfile(each) or io.BytesIO()).read()) for each in tar.getmembers()]
    with tarfile.open(place, "w") as tar:
        for member, content in members:
            words = content
            if member.name == archive.MANIFEST:
                words = json.dumps({**json.loads(content), **fields}).encode()
                member.size = len(words)
            tar.addfile(member, io.BytesIO(words))


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"mode": "live"}, "this backup was made by live Critter"),
        ({"revision": "9999"}, "made by a newer Critter (schema 9999"),
        ({"made_at": "yesterday"}, "is not a backup"),
        ({"audit": [1, 2]}, "is not a backup"),
        ({"audit": {"number": 3, "hash": "ab"}}, "it was changed"),
    ],
)
def test_a_backup_that_does_not_fit_is_refused(
    office: Office, empty: str, place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fields: dict[str, object],
    says: str,
) -> None:  # fmt: skip
    office.critter("backup", str(place))
    changed(place, **fields)
    elsewhere(office, empty, tmp_path / "elsewhere", monkeypatch)
    for way in ((), ("--in-place",), ("--drill",)):
        result = critter("restore", str(place), *way)
        assert (result.exit_code, says in result.output) == (2, True), result.output
        with psycopg.connect(empty) as connection:
            found = connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone()
            assert found == (0,)
    assert office.sql("SELECT count(*) FROM pg_database WHERE datname ~ '^restored_'") == [(0,)]


@pytest.mark.parametrize("kept", [0.1, 0.6])
def test_a_backup_that_was_cut_off_is_refused_before_anything_is_done(
    office: Office, empty: str, place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kept: float
) -> None:
    picture(office, office.says("kim", "hello"), b"x" * 50_000)
    office.critter("backup", str(place))
    place.write_bytes(place.read_bytes()[: int(place.stat().st_size * kept)])
    elsewhere(office, empty, tmp_path / "elsewhere", monkeypatch)
    result = critter("restore", str(place))
    assert (result.exit_code, "is not a backup" in result.output) == (2, True), result.output
    place.write_bytes(b"")
    assert "is not a backup" in critter("restore", str(place)).output
    assert "is not a backup" in critter("restore", str(place.with_name("none.tar"))).output


def test_a_picture_that_was_damaged_is_left_out(
    office: Office, empty: str, place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = picture(office, office.says("kim", "hello"), b"x" * 50_000)
    office.critter("backup", str(place))
    place.write_bytes(place.read_bytes().replace(b"x" * 50_000, b"x" * 25_000 + b"y" * 25_000))
    elsewhere(office, empty, tmp_path / "elsewhere", monkeypatch)
    assert f"left out: media/{name[:2]}/{name} is damaged" in critter("restore", str(place)).output
    assert not list((tmp_path / "elsewhere" / "media").glob("??/*"))


def test_through_a_pooler_nothing_is_restored(
    office: Office, empty: str, place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.critter("backup", str(place))
    elsewhere(office, f"{empty}&pooled=on", tmp_path / "elsewhere", monkeypatch)
    assert "leads through a pooler" in critter("restore", str(place)).output


def test_a_backup_may_be_made_through_a_pooler(office: Office, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere(office, f"{office.settings.database_url}&pooled=on", office.settings.var, monkeypatch)
    assert critter("backup", str(place)).exit_code == 0


def test_a_database_of_somebody_elses_is_not_dropped(
    office: Office, servers: Servers, empty: str, place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.critter("backup", str(place))
    elsewhere(office, empty, tmp_path / "elsewhere", monkeypatch)
    administer(servers, "CREATE DATABASE restored_restoring")
    url = owned(embedded.database_url(servers.var, "restored_restoring"))
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE precious (id int)")
    result = critter("restore", str(place))
    administer(servers, "DROP DATABASE restored_restoring WITH (FORCE)")
    assert (result.exit_code, "which no restore made" in result.output) == (2, True)


def test_the_drill_checks_and_leaves_nothing(office: Office, engine: Engine, place: Path) -> None:
    office.says("kim", "hello")
    office.critter("backup", str(place))
    result = office.critter("restore", str(place), "--drill")
    assert result.exit_code == 0, result.output
    assert "The books agree." in result.output
    assert office.sql("SELECT count(*) FROM pg_database WHERE datname LIKE '%drill%'") == [(0,)]
    office.work()
    assert office.sql("SELECT state FROM inbound") == [("done",)]  # ours was left alone


def test_a_drill_that_finds_something_ends_with_1(office: Office, place: Path) -> None:
    office.says("kim", "hello")
    office.work()
    office.sql("UPDATE inbound SET done_at = NULL")
    office.critter("backup", str(place))
    assert office.critter("restore", str(place), "--drill").exit_code == 1
    assert office.sql("SELECT count(*) FROM pg_database WHERE datname LIKE '%drill%'") == [(0,)]


def test_nothing_that_was_to_be_told_is_told(office: Office) -> None:
    office.says("kim", "hello")
    office.work()
    office.sql("INSERT INTO callbacks (attempt_id, carrier_id, status) SELECT id, 'SM1', 'failed' FROM attempts")
    office.sql("INSERT INTO tellings (post_id, kind) SELECT id, 'counts' FROM posts ON CONFLICT DO NOTHING")
    with transaction(office.engine) as session:
        restore_hold.hold(session)
    assert office.sql("SELECT 1 FROM callbacks WHERE applied_at IS NULL") == []
    assert office.sql("SELECT 1 FROM tellings WHERE told_at IS NULL") == []
