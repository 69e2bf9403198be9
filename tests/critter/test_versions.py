"""Two versions of the code on one database (R22): the one before this schema works on it, and the other way round a
process refuses to start."""

import io
import os
import signal
import subprocess
import sys
import tarfile
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

import migrations
from critter.console.database import refuse_old_schema
from critter.servers import Servers
from gateway.errors import Refused
from gateway.settings import embedded
from gateway.store.database import claim_mode, connect, transaction
from tests.conftest import _administer as administer
from tests.support.databases import migrate
from tests.support.fork_server import ForkServer, Process, shared
from tests.support.running_critter import ROOT, Company, ports
from tests.whole.test_kills import CROWD, KIM

FOLLOWERS = 50
BEFORE_SENDING = ("web", "worker inbound", "worker fanout", "clock")
SENDING = ("worker sms", "worker email")


def git(*arguments: str) -> bytes:
    return subprocess.run(["git", "-C", str(ROOT), *arguments], capture_output=True, check=True).stdout


@pytest.fixture(scope="module")
def old_code(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ForkServer]:
    """Starts processes of the tree as it was before the newest migration was begun."""
    newest = next((ROOT / "migrations" / "versions").glob(f"{migrations.newest()}_*.sql"))
    try:
        begun = (
            git("log", "--first-parent", "-m", "--diff-filter=A", "--format=%H", "-1", "--", str(newest))
            .decode()
            .strip()
        )
        tree = git("archive", f"{begun}^")
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("the history is not here: a clone of depth 1, or no git")
    folder = tmp_path_factory.mktemp("old")
    with tarfile.open(fileobj=io.BytesIO(tree)) as tar:
        tar.extractall(folder, **({"filter": "data"} if hasattr(tarfile, "data_filter") else {}))  # not before 3.11.4
    with ForkServer(folder) as running:
        assert running.run("import critter; print(critter.__file__)", log=folder / "told").wait() == 0
        assert (folder / "told").read_text().startswith(str(folder)), "it is not the old code"
        yield running


@dataclass
class Versions:
    """Processes of two versions on one database; each is one of `critter`'s own."""

    company: Company
    fork_servers: dict[str, ForkServer]
    running: list[Process] = field(default_factory=list)

    def start(self, version: str, *names: str) -> None:
        for name in names:
            child = self.fork_servers[version].command(name.split(), self.company.environ, self.company.var / "up.log")
            self.running.append(Process(child))

    def stop(self) -> None:
        for process in self.running:
            process.send_signal(signal.SIGTERM)
        for process in self.running:
            process.wait(timeout=40)
        self.running.clear()

    def post(self, words: str) -> None:
        """From Kim's phone, once the web process takes it."""
        self.company.wait(lambda: answers(f"{self.company.environ['CRITTER_PUBLIC_URL']}/healthz"), "web")
        self.company.wait(lambda: self.company.text(KIM, words), "the web hook")

    def sent(self) -> int:
        count = self.company.scalar("SELECT count(*) FROM deliveries WHERE sent_at IS NOT NULL AND author_id <> 0")
        assert isinstance(count, int)
        return count


def answers(url: str) -> bool:
    with urllib.request.urlopen(url, timeout=5) as answer:
        return bool(answer.status == 200)


@contextmanager
def two(servers: Servers, var: Path, old: ForkServer) -> Iterator[Versions]:
    """A database of the newest schema with Kim and her followers, a simulator, and no other process yet."""
    administer(servers, "DROP DATABASE IF EXISTS versions WITH (FORCE)")
    administer(servers, "CREATE DATABASE versions")
    web, smtp, simulator = ports(3)
    var.mkdir(parents=True, exist_ok=True)
    url = embedded.database_url(servers.var, "versions")
    environ = {
        "PATH": os.environ["PATH"],
        "CRITTER_VAR": str(var),
        "CRITTER_DATABASE_URL": url,
        "CRITTER_REDIS_URL": servers.redis_url,
        "CRITTER_PUBLIC_URL": f"http://127.0.0.1:{web}",
        "CRITTER_WEB_LISTEN": f"127.0.0.1:{web}",
        "CRITTER_SMTP_LISTEN": f"127.0.0.1:{smtp}",
        "CRITTER_SIMULATOR_LISTEN": f"127.0.0.1:{simulator}",
        "CRITTER_ASK_PHONES": "1000000",
        "CRITTER_UNSAFE": "on",
    }
    migrate(url)
    engine = connect(url)
    with transaction(engine) as session:
        claim_mode(session, "simulated")
        session.execute(text(CROWD), {"kim": KIM, "count": FOLLOWERS})
    process = shared().run("")
    company = Company(var, environ, process, engine, f"http://127.0.0.1:{simulator}")
    versions = Versions(company, {"old": old, "new": shared()})
    with ExitStack() as ended:
        ended.callback(process.wait)
        ended.callback(engine.dispose)
        ended.callback(versions.stop)
        versions.start("new", "simulator")
        yield versions
    administer(servers, "DROP DATABASE versions WITH (FORCE)")


def test_the_version_before_works_on_this_schema_and_this_one_goes_on(
    servers: Servers, tmp_path: Path, old_code: ForkServer
) -> None:
    with two(servers, tmp_path / "var", old_code) as versions:
        critter = versions.company
        versions.start("old", *BEFORE_SENDING, *SENDING)
        versions.post("old words by old workers")
        critter.wait(lambda: versions.sent() == FOLLOWERS, "the first fan-out")

        versions.stop()  # the simulator, too: nothing is sent meanwhile
        versions.start("new", "simulator")
        versions.start("old", *BEFORE_SENDING)
        versions.post("old rows for new workers")
        made = "SELECT count(*) FROM deliveries WHERE author_id <> 0"
        critter.wait(lambda: critter.scalar(made) == 2 * FOLLOWERS, "the second fan-out")
        assert versions.sent() == FOLLOWERS

        versions.start("new", *SENDING)
        critter.wait(lambda: versions.sent() == 2 * FOLLOWERS, "the new workers' sending")
        critter.wait(critter.settled, "everything")
        audit = critter.command("audit")
        assert audit.returncode == 0, audit.stdout + audit.stderr


def test_this_version_refuses_an_older_schema(servers: Servers, tmp_path: Path) -> None:
    administer(servers, "DROP DATABASE IF EXISTS versions WITH (FORCE)")
    administer(servers, "CREATE DATABASE versions")
    url = embedded.database_url(servers.var, "versions")
    environ = {"PATH": os.environ["PATH"], "CRITTER_VAR": str(tmp_path), "CRITTER_DATABASE_URL": url,
               "CRITTER_REDIS_URL": servers.redis_url, "CRITTER_UNSAFE": "on"}  # fmt: skip

    def start() -> str:
        command = [sys.executable, "-m", "critter", "worker", "inbound"]
        ended = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=60, check=False)
        assert ended.returncode == 2
        return ended.stderr

    assert "The database is empty: run critter migrate" in start()
    migrate(url, "0002")
    told = start()
    assert told.startswith(f"The database has schema 0002, and this Critter needs {migrations.newest()}: run ")
    assert len(told.splitlines()) == 1
    administer(servers, "DROP DATABASE versions WITH (FORCE)")


def test_a_newer_schema_is_taken(engine: Engine, owner: Engine) -> None:
    with owner.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    with pytest.raises(Refused, match=r"^The database has schema 0001, "):
        refuse_old_schema(engine)
    with owner.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    refuse_old_schema(engine)  # raises nothing
