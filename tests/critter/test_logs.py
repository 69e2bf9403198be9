"""No log holds a number, a mailbox, a body, a PIN, a token or a password, whoever wrote the line (R50)."""

import io
import json
import logging
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import structlog
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from critter.processes import logs
from gateway.security.masking import blank_out
from tests.support import log_scan

ROOT = Path(__file__).parents[2]
SECRETS = {
    "number": "+14155550177",
    "mailbox": "quill.quentin@demo.example",
    "posting address": "quentin+mfzwizltoqqho33vnrsca2lo@mail.example",
    "login link": "https://critter.example/login/00112233445566778899aabbccddeeff",
    "reader's link": "https://critter.example/p/aaaaaaaabbbbbbbbccccccccddddddddeeeeeeee",
    "password": "redis://worker:hunter2@10.0.0.5:6379/0",
}
KEPT_OUT = ("4155550177", "quill.quentin", "mfzwizltoqqho33vnrsca2lo", "00112233445566", "aaaaaaaabbbb", "hunter2")


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """What a process would write to standard error."""
    configured = structlog.get_config()
    before, hooks = logging.getLogger().handlers[:], (sys.excepthook, threading.excepthook)
    logs.configure()
    (handler,) = logging.getLogger().handlers
    assert isinstance(handler, logging.StreamHandler)
    said = io.StringIO()
    handler.setStream(said)
    yield said
    logging.getLogger().handlers[:] = before
    sys.excepthook, threading.excepthook = hooks
    structlog.configure(**configured)


def bare(said: io.StringIO) -> None:
    written = said.getvalue()
    assert written
    for secret in KEPT_OUT:
        assert secret not in written, written
    for line in written.splitlines():
        json.loads(line)


@pytest.mark.parametrize("secret", SECRETS.values(), ids=list(SECRETS))
def test_whoever_logs_it_it_is_not_told(lines: io.StringIO, secret: str) -> None:
    log = structlog.get_logger()
    log.warning("a value", it=secret, nested={"in": [secret]})
    log.warning(" ".join(["in words", secret]))
    logging.getLogger("some.library").error("asked %s: %r", secret, {"to": secret})
    logging.getLogger("rq.worker").error("job failed", extra={"to": secret}, stack_info=True)
    try:
        raise ValueError(f"cannot send to {secret}")
    except ValueError:
        log.exception("failed")
        logging.getLogger("some.library").exception("failed %s", secret)
    bare(lines)


REFUSALS = (
    "INSERT INTO addresses (account_id, channel, address) VALUES (NULL, 'sms', :it), (NULL, 'sms', :it)",
    "INSERT INTO accounts (kind, handle, name) VALUES ('person', NULL, :it)",
    "INSERT INTO addresses (account_id, channel, address) VALUES (1, 'sms', :it)",
    "SELECT CAST(:it || 'x' AS bigint)",
    "SELECT CAST(:it AS timestamptz)",
    "SELECT CAST(:it AS jsonb)",
    "UPDATE accounts SET nothing = :it",
    "SELECT :it ||| 1",
)


@pytest.mark.parametrize("statement", REFUSALS)
def test_what_the_database_refuses_is_told_without_its_values(
    engine: Engine, lines: io.StringIO, statement: str
) -> None:
    """Its details quote the row, its first line the value; and the statement's parameters stay hidden."""
    body = "zanzibar my PIN is tango4826 and quill.quentin is ill"
    for value in (SECRETS["number"], SECRETS["mailbox"], body):
        with pytest.raises(DBAPIError) as refused, engine.begin() as connection:
            connection.execute(text(statement), {"it": value})
        assert isinstance(refused.value.orig, psycopg.Error)
        logging.getLogger("worker").error("a step failed", exc_info=refused.value)
    bare(lines)
    assert "tango" not in lines.getvalue()
    assert "zanzibar" not in lines.getvalue()
    assert "Error" in lines.getvalue()


def test_what_ends_a_process_or_a_thread_is_told_the_same_way() -> None:
    ends = (
        "import threading; from critter.processes import logs; logs.configure();"
        f"t = threading.Thread(target=lambda: int('{SECRETS['number']}x')); t.start(); t.join();"
        f"raise RuntimeError('{SECRETS['mailbox']} {SECRETS['password']}')"
    )
    ended = subprocess.run([sys.executable, "-c", ends], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert len(ended.stderr.splitlines()) == 2
    for secret in KEPT_OUT:
        assert secret not in ended.stderr
    assert all(json.loads(line)["level"] == "critical" for line in ended.stderr.splitlines())


def test_what_operators_need_is_still_there() -> None:
    for line in (
        "2026-11-29T18:03:16+00:00 worker-sms 3 parts", "https://critter.example/help", "SM0123456789abcdef",
        "a@b", "1+1=2", "/var/lib/critter/log/web.log", "postgresql:///critter?host=/run", "C++ 14 +12345",
    ):  # fmt: skip
        assert blank_out(line) == line
    assert blank_out("to +14155550177") == "to …77"
    assert blank_out("x" * 2**20 + " @") == "x" * 2**20 + " @"  # in no time
    assert blank_out("to kim@demo.example.") == "to …@demo.example."


def test_the_suite_itself_would_notice(tmp_path: Path) -> None:
    """The net under the whole suite (conftest.py): a number in a log file, or in a process's words, is found."""
    (tmp_path / "deep").mkdir()
    log = tmp_path / "deep" / "up.log"
    log.write_bytes(b"x" * (log_scan.CHUNK - 5) + b" to +14155550103 now\n")
    assert [line for line in log_scan.in_files(tmp_path) if "+14155550103" in line]
    log.write_bytes(b"from our own +14155550100\n")
    assert not list(log_scan.in_files(tmp_path))
    assert log_scan.find_secret("… kumquat …")
    assert log_scan.find_secret("from kim@demo.example")
    assert not log_scan.find_secret("…03 and …@demo.example")
