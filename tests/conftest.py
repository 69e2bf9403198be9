"""What tests stand on: a real PostgreSQL and Redis for the session, and a fresh migrated database for each test."""

import gc
import logging
import os
import signal
import sys
import time
from collections.abc import Callable, Generator, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest
import redis
import structlog
from hypothesis import settings as hypothesis_settings
from sqlalchemy import Engine

from critter.console import database as console_database
from critter.processes import workers as worker_processes
from critter.processes.workers import build
from critter.servers import Servers
from gateway.mail.auth.dns import Zone
from gateway.settings import Settings, embedded, load
from tests.support import delivering, log_scan, ports
from tests.support.answer_recorder import AnswerRecorder, listen
from tests.support.databases import Kept, migrate, owned
from tests.support.desk import Desk, opened
from tests.support.kept_engines import keep_prepared
from tests.support.kept_pages import keep_pages
from tests.support.memory_folder import memory_folder
from tests.support.office import Office, point_command_line
from tests.support.unproved_mails import DEMO
from workers.runtime.context import WorkerContext, enter

TEMPLATE = "migrated"
gc.disable()  # until all tests are collected: what is imported and collected stays, however often one looks through it
logging.getLogger("twilio.http_client").setLevel(
    logging.WARNING
)  # tests ask the simulator by number; it logs addresses
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # in the background of a script; children would inherit it
    signal.signal(signal.SIGINT, signal.default_int_handler)
# By default structlog draws each traceback with all variables, in colours: seconds of processor time for each.
structlog.configure(
    processors=[
        structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
        if isinstance(each, structlog.dev.ConsoleRenderer)
        else each
        for each in structlog.get_config()["processors"]
    ]
)
_configure = structlog.configure


def _configure_uncached(**given: Any) -> None:
    """The product keeps each logger as it was when it was used first; here a later test must see what is logged."""
    _configure(**{**given, "cache_logger_on_first_use": False})


structlog.configure = _configure_uncached
keep_pages()
# No deadline for one example: the machine may have others to serve, and each test has its time limit.
# A run of the tests finds what the run before found; `make torture` looks further, at random.
hypothesis_settings.register_profile("repeatable", derandomize=True, deadline=None)
hypothesis_settings.register_profile("random", derandomize=False, deadline=None)
hypothesis_settings.load_profile("repeatable")
# Each test process and each process that a test starts would else translate all modules again: seconds for each.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False
SECRET = "a secret that all tests have in common"  # it seals what a test writes into the audit


LONG = {"torture", "peers", "rehearsal", "clients"}  # folders of tests that take minutes or hours
AFTER_THE_STORIES = "test_every_answer_fits_one_text_in_every_language"
LONGEST = 3 * 3600  # seconds for one of them
# They wait for real processes, minutes in all: one that came last would keep one core busy and the others idle.
FIRST = (
    "test_crashes.py",
    "test_conversations.py",
    "test_browser.py",
    "test_restore.py",
    "test_versions.py",
    "test_migrations.py",
    "test_slow_web_clients.py",
    "test_up.py",
    "test_kills.py",
    "test_tour.py",
    "test_slow_carriers.py",
    "test_roles.py",
    "test_servers.py",
    "test_doors_do_three_things.py",
    "test_time_limits.py",
    "test_command_access.py",
    "test_restore_crashes.py",
    "test_worker_processes.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Each test has a time limit (pyproject.toml), after which it fails with the place where it waits. The longest come
    first. One asks what all stories made people hear: it comes when they have been told."""
    items.sort(key=_turn)
    for item in items:
        if LONG.intersection(item.path.parts) and item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(LONGEST))


def _turn(item: pytest.Item) -> int:
    if item.name == AFTER_THE_STORIES:
        return len(FIRST) + 1
    return FIRST.index(item.path.name) if item.path.name in FIRST else len(FIRST)


def pytest_collection_finish() -> None:
    """What the collection made, nine thousand tests and their modules, is never looked through for garbage again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(200_000, 20, 50)  # a twentieth of the time went into looking
    gc.enable()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A test whose process logged a number, a mailbox or a body of somebody's fails for it (R50)."""
    report = yield
    said = report.capstderr + report.caplog
    if item.path.name == "test_logs.py":  # which logs secrets to see what becomes of them
        return report
    if report.when == "teardown" and report.passed and (secret := log_scan.find_secret(said)):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} logs what no log may hold: …{secret}…"
    return report


@pytest.fixture(scope="session")
def memory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder in memory, for the data of servers: what stands in it is gone after this session."""
    with memory_folder(tmp_path_factory.mktemp("servers")) as folder:
        yield folder


@pytest.fixture(scope="session", autouse=True)
def logs_tell_of_nobody(tmp_path_factory: pytest.TempPathFactory, memory: Path) -> Iterator[None]:
    """What the child processes of this session (of this xdist worker) logged into files, looked through once."""
    yield
    found = [each for folder in (tmp_path_factory.getbasetemp(), memory) for each in log_scan.in_files(folder)]
    assert not found, "\n".join(["These logs hold what no log may hold:", *found[:20]])


@pytest.fixture(scope="session")
def servers(memory: Path) -> Iterator[Servers]:
    """Embedded servers of this session (one pair per xdist worker), without fsync: only tests may lose their data."""
    with Servers(memory / "var", unsafe=True) as running:
        yield running


@pytest.fixture(scope="session")
def template(servers: Servers) -> str:
    """The name of a migrated database that each test's own is copied from."""
    _administer(servers, f"CREATE DATABASE {TEMPLATE}")
    migrate(embedded.database_url(servers.var, TEMPLATE))
    return TEMPLATE


@pytest.fixture(scope="session")
def databases(servers: Servers, template: str) -> Iterator[Kept]:
    kept = Kept(template, partial(embedded.database_url, servers.var), partial(_administer, servers))
    with pytest.MonkeyPatch.context() as patched:
        for module in (console_database, worker_processes, delivering):  # the command line, and workers in a test
            patched.setattr(module, "connect", kept.connect)
        keep_prepared(patched)
        yield kept
    kept.close()


@pytest.fixture
def database(databases: Kept) -> Iterator[str]:
    """The URL of an empty, migrated database of this test's own."""
    with databases.lent() as url:
        yield url


@pytest.fixture
def engine(databases: Kept, database: str) -> Iterator[Engine]:
    """An engine on this test's own database, as a process has it: rows are all that its role may change."""
    connected = databases.connect(database, keys=(SECRET,))
    yield connected
    connected.dispose()


@pytest.fixture
def owner(databases: Kept, database: str) -> Iterator[Engine]:
    """The same database as the role that owns its tables, for tests that break more than rows."""
    connected = databases.connect(owned(database))
    yield connected
    connected.dispose()


@pytest.fixture(scope="session")
def redis_client(servers: Servers) -> Iterator[redis.Redis]:
    """The connection by which Redis is emptied; a new one for each test would cost more than the emptying."""
    with redis.Redis.from_url(servers.redis_url) as client:
        yield client


@pytest.fixture
def redis_url(servers: Servers, redis_client: redis.Redis) -> str:
    """The URL of an empty Redis."""
    redis_client.flushall()
    return servers.redis_url


@pytest.fixture
def free_port() -> Callable[[], int]:
    """Gives a port that nobody listens on."""
    return ports.free_port


@pytest.fixture
def settings(database: str, redis_url: str, tmp_path: Path, free_port: Callable[[], int]) -> Settings:
    """Simulated settings on this test's own database, with ports that nobody listens on."""
    (tmp_path / "secret_key").write_text(SECRET)
    return load(
        {
            "CRITTER_VAR": str(tmp_path),
            "CRITTER_DATABASE_URL": database,
            "CRITTER_DATABASE_OWNER_URL": owned(database),
            "CRITTER_REDIS_URL": redis_url,
            "CRITTER_WEB_LISTEN": f"127.0.0.1:{free_port()}",
            "CRITTER_SMTP_LISTEN": f"127.0.0.1:{free_port()}",
            "CRITTER_SIMULATOR_LISTEN": f"127.0.0.1:{free_port()}",
        }
    )


@pytest.fixture
def recorder(monkeypatch: pytest.MonkeyPatch) -> AnswerRecorder:
    return listen(monkeypatch)


@pytest.fixture(scope="session")
def answers_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of this run, for all its processes: what the stories of tests/conversations made people hear."""
    own = tmp_path_factory.getbasetemp()
    folder = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "told"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture
def office(engine: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Office:
    """The people of personas.py in this test's database, and the command line pointed at it."""
    point_command_line(monkeypatch, settings)
    made = Office(engine, settings)
    made.assemble()
    return made


@pytest.fixture
def desk(office: Office) -> Iterator[Desk]:
    """The same office, whose texts and mails leave through the real workers."""
    with opened(office) as made:
        yield made


@pytest.fixture
def context(office: Office) -> Iterator[WorkerContext]:
    """The context of the worker that proves mails, with a DNS where only demo.example publishes anything."""
    context = build(office.settings, "proving")
    vars(context)["resolver"] = Zone(DEMO)
    enter(context)
    yield context
    enter(None)
    context.close()


def _administer(servers: Servers, statement: str) -> None:
    """Tried again for a while: the server's own background workers cannot be sent away."""
    with psycopg.connect(embedded.database_url(servers.var, "postgres", embedded.OWNER), autocommit=True) as connection:
        for patience in (0.1, 0.3, 1.0, 3.0):
            try:
                connection.execute(statement)
                return
            except psycopg.errors.InsufficientPrivilege:
                time.sleep(patience)
        connection.execute(statement)
