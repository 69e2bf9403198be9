"""The fallback door: it takes what the first door cannot, and the disk takes what the database cannot."""

import json
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import requests
from sqlalchemy import Engine, make_url
from werkzeug.serving import make_server

from critter.processes import fallback
from critter.servers import Servers
from gateway.doors.sms import fallback as door
from gateway.ledger.inbox import spool as spools
from gateway.ledger.inbox.inbox import Incoming, Picture
from gateway.ledger.inbox.spool import Spool, SpoolFull
from gateway.ledger.outbox.callbacks import CallbackCall
from gateway.security.signed_tokens import Signer
from gateway.settings import Settings
from gateway.settings.embedded import socket_folder
from gateway.store.database import claim_mode, transaction
from tests.support.database_proxy import DatabaseProxy
from tests.support.delivering import rows
from tests.support.ports import wait_for_port
from tests.support.simulation import ACCOUNT, TOKEN, simulation
from tests.support.web_process import Quiet, changed, environment, send, text

INBOUND = "/sms/inbound"


@pytest.fixture(autouse=True)
def installed(engine: Engine) -> None:
    with transaction(engine) as session:
        claim_mode(session, "simulated")


@pytest.fixture
def proxy(servers: Servers) -> Iterator[DatabaseProxy]:
    made = DatabaseProxy(socket_folder(servers.var) / ".s.PGSQL.5432")
    yield made
    made.pull()


@pytest.fixture
def ours(settings: Settings, proxy: DatabaseProxy) -> Settings:
    """Through the database proxy, and without a Redis."""
    name = make_url(settings.database_url).database
    through = f"postgresql://critter@127.0.0.1:{proxy.port}/{name}?sslmode=disable&gssencmode=disable"
    return changed(settings, CRITTER_DATABASE_URL=through, CRITTER_REDIS_URL="redis://127.0.0.1:9/0")


@contextmanager
def opened(settings: Settings) -> Iterator[str]:
    """The fallback door in a thread."""
    parts = fallback.build(settings)
    host, port = settings.fallback_listen
    server = make_server(host, port, fallback.create_app(settings, parts), threaded=True, request_handler=Quiet)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://{host}:{port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        parts.close()


def spooled(settings: Settings) -> list[Path]:
    return sorted((settings.var / "spool").glob("[0-9]*.json"))


def drained(settings: Settings, seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while spooled(settings):
        assert time.monotonic() < end, "it was never drained"
        time.sleep(0.02)


def sids(engine: Engine) -> list[str]:
    return [row.message_id for row in rows(engine, "SELECT message_id FROM inbound ORDER BY id")]


def test_it_only_stores(ours, engine):
    """Signed over either URL; no page, no Redis."""
    over_fallback = changed(ours, CRITTER_PUBLIC_URL=ours.fallback_url)
    token = Signer(ours.secret_keys).sign("status", 7)
    status = {"MessageSid": f"SM{9:032x}", "MessageStatus": "sent", "AccountSid": ours.twilio_account_sid}
    with opened(ours) as url:
        assert send(url, ours, INBOUND, text(ours, 1)).status_code == 200
        assert send(url, over_fallback, INBOUND, text(ours, 2)).status_code == 200
        assert send(url, ours, INBOUND, text(ours, 3), token="0" * 32).status_code == 403
        assert send(url, ours, f"/sms/status/{token}", status).status_code == 204
        assert requests.get(url + "/healthz", timeout=9).status_code == 200
        ready = requests.get(url + "/readyz", timeout=9)
        assert (ready.status_code, ready.json()) == (200, {"database": "ok", "spooled": 0})
        for page in ("/", "/help", "/u/x", "/l/x"):
            assert requests.get(url + page, timeout=9).status_code == 404
    assert len(sids(engine)) == 2
    assert len(rows(engine, "SELECT FROM callbacks")) == 1


def test_without_the_database_it_is_spooled_and_drained_once(ours, engine, proxy):
    token = Signer(ours.secret_keys).sign("status", 7)
    status = {"MessageSid": f"SM{9:032x}", "MessageStatus": "sent", "AccountSid": ours.twilio_account_sid}
    media = {"NumMedia": "1", "MediaUrl0": "https://api.twilio.com/1", "MediaContentType0": "image/png"}
    with opened(ours) as url:
        assert send(url, ours, INBOUND, text(ours, 1)).status_code == 200
        proxy.pull()
        form = text(ours, 2, Body="caffè 👍", OptOutType="STOP", **media)
        assert [send(url, ours, INBOUND, form).status_code for _ in range(3)] == [200] * 3
        assert send(url, ours, f"/sms/status/{token}", status).status_code == 204
        assert len(spooled(ours)) == 4
        assert {file.stat().st_mode & 0o777 for file in spooled(ours)} == {0o600}
        assert (ours.var / "spool").stat().st_mode & 0o777 == 0o700
        began = time.monotonic()
        send(url, ours, INBOUND, text(ours, 3))
        assert time.monotonic() - began < door.PATIENCE / 2, "it asks a database that it knows to be away"
        assert requests.get(url + "/readyz", timeout=9).json() == {"database": "away", "spooled": 5}
        proxy.plug_in()
        drained(ours)
        while requests.get(url + "/readyz", timeout=9).json()["database"] != "ok":
            time.sleep(0.02)
        assert send(url, ours, INBOUND, text(ours, 4)).status_code == 200
    assert sids(engine) == [f"SM{number:032x}" for number in (1, 2, 3, 4)]
    row = rows(engine, "SELECT * FROM inbound ORDER BY id")[1]
    assert (row.text, row.opt_out_type, row.recipients, row.trusted) == (
        "caffè 👍",
        "STOP",
        [ours.sms_numbers[0]],
        True,
    )
    assert row.raw.startswith(b"ToCountry=US&")
    assert row.received_at - row.sent_at > timedelta(0)
    assert [tuple(each) for each in rows(engine, "SELECT url, content_type FROM media")] == [
        ("https://api.twilio.com/1", "image/png")
    ]
    assert [each.attempt_id for each in rows(engine, "SELECT attempt_id FROM callbacks")] == [7]


def test_what_was_left_is_drained_at_the_next_start(ours, engine, proxy):
    proxy.pull()
    with opened(ours) as url:
        assert send(url, ours, INBOUND, text(ours, 1)).status_code == 200
    proxy.plug_in()
    (file,) = spooled(ours)
    again = file.read_bytes()
    with opened(ours):
        drained(ours)
    file.write_bytes(again)  # as if the drain had died between its commit and this file's removal
    with opened(ours):
        drained(ours)
    assert sids(engine) == [f"SM{1:032x}"]


def test_a_database_that_hangs_costs_seconds_and_no_text(ours, engine, servers, monkeypatch):
    """The process of the database is stopped, not gone: connections are taken and never answered."""
    monkeypatch.setattr(door, "PATIENCE", 0.5)
    with opened(ours) as url:
        send(url, ours, INBOUND, text(ours, 1))
        with engine.connect() as connection:
            connection.exec_driver_sql("BEGIN; LOCK TABLE inbound IN ACCESS EXCLUSIVE MODE")
            began = time.monotonic()
            assert send(url, ours, INBOUND, text(ours, 2)).status_code == 200
            assert time.monotonic() - began < 5
            assert len(spooled(ours)) == 1
            connection.exec_driver_sql("ROLLBACK")
        drained(ours)
    assert sids(engine) == [f"SM{number:032x}" for number in (1, 2)]


def test_beyond_its_size_or_on_a_full_disk_it_is_503(ours, proxy, monkeypatch):
    monkeypatch.setattr(spools.Spool.__init__, "__defaults__", (3 * spools.BLOCK,))
    proxy.pull()
    with opened(ours) as url:
        codes = [send(url, ours, INBOUND, text(ours, number)).status_code for number in range(5)]
        assert codes == [200, 200, 200, 503, 503]
        assert requests.get(url + "/readyz", timeout=9).status_code == 503
        assert requests.get(url + "/healthz", timeout=9).status_code == 200
        for file in spooled(ours):
            file.unlink()

        def full(_: int) -> None:
            raise OSError(28, "No space left on device")

    with opened(ours) as url:
        monkeypatch.setattr(spools.os, "fsync", full)
        answer = send(url, ours, INBOUND, text(ours, 9))
        assert (answer.status_code, answer.content) == (503, b"")
        assert list((ours.var / "spool").iterdir()) == []
        monkeypatch.undo()


def test_a_file_that_cannot_be_read_keeps_no_other_waiting(ours, engine, proxy, caplog):
    proxy.pull()
    with opened(ours) as url:
        send(url, ours, INBOUND, text(ours, 1, Body="ACME"))
    folder = ours.var / "spool"
    (folder / "00000000000000000001-1-000000.json").write_text('{"kind": "inbo')
    (folder / "00000000000000000002-1-000000.json").write_text('{"kind": "callback", "attempt_id": "x"}')
    good = json.loads(spooled(ours)[-1].read_text())
    (folder / "00000000000000000003-1-000000.json").write_text(json.dumps({**good, "channel": "pigeon"}))
    proxy.plug_in()
    with opened(ours):
        drained(ours)
    assert sids(engine) == [f"SM{1:032x}"]
    assert len(list(folder.glob("*.aside"))) == 3
    assert "ACME" not in caplog.text


def test_the_spool_gives_back_what_it_was_given(tmp_path):
    spool = Spool(tmp_path / "spool")
    moment = datetime(2026, 3, 1, 12, tzinfo=UTC)
    pictures = (Picture("u", None), Picture("v", "image/png"))
    given = ("sms", b"\0\xff", "+15551230001", ("+1", "+2"), b"\x80raw", True, "SM1", "text", "HELP", moment, pictures)
    incoming = Incoming(*given)
    called = CallbackCall(1, "SM1", "sent", None)
    spool.keep(incoming)
    spool.keep(called)
    found = Spool(tmp_path / "spool").oldest(9)
    assert [one.row for one in found] == [incoming, called]
    spool.drop(found)
    assert len(spool) == 0


def test_the_size_is_counted_over_restarts_and_given_back(tmp_path):
    row = CallbackCall(1, "SM1", "sent", None)
    Spool(tmp_path / "spool", 2 * spools.BLOCK).keep(row)
    (tmp_path / "spool" / ".torn.part").write_text("{")
    spool = Spool(tmp_path / "spool", 2 * spools.BLOCK)
    assert not (tmp_path / "spool" / ".torn.part").exists()
    spool.keep(row)
    with pytest.raises(SpoolFull):
        spool.keep(row)
    spool.drop(spool.oldest(1))
    spool.keep(row)


DIES = """
import json, os, sys
from gateway.ledger.inbox import spool
kept = spool.Spool.keep
def keep(self, row):
    kept(self, row)
    os.kill(os.getpid(), 9)
spool.Spool.keep = keep
from gateway.settings import load
from critter.processes import fallback
fallback.serve(load(json.loads(sys.argv[1])))
"""


def test_kill_9_between_the_disk_and_the_answer(ours, engine, proxy):
    """Nobody was told yes, so the carrier calls again: one effect."""
    import subprocess
    import sys

    proxy.pull()
    child = subprocess.Popen([sys.executable, "-c", DIES, json.dumps(environment(ours))], start_new_session=True)
    host, port = ours.fallback_listen
    try:
        wait_for(lambda: socket.create_connection((host, port), 1).close())
        with pytest.raises(requests.ConnectionError):
            send(f"http://{host}:{port}", ours, INBOUND, text(ours, 1))
        assert len(spooled(ours)) == 1
    finally:
        os.killpg(child.pid, signal.SIGKILL)  # a worker that gunicorn starts at this moment would keep the port
        child.wait(25)
    wait_for_port(port)
    with opened(ours) as url:
        assert send(url, ours, INBOUND, text(ours, 1)).status_code == 200
        proxy.plug_in()
        drained(ours)
        assert send(url, ours, INBOUND, text(ours, 1)).status_code == 200
    assert sids(engine) == [f"SM{1:032x}"]


def wait_for(ready) -> None:
    end = time.monotonic() + 20
    while True:
        try:
            return ready()
        except OSError:
            assert time.monotonic() < end, "it never listened"
            time.sleep(0.05)


def test_the_primary_is_killed_and_the_fallback_has_every_text_once(ours, engine, free_port):
    """The carrier tries the first door twice, then the second; a text that both doors got is one."""
    from tests.support.web_process import process

    ours = changed(ours, TWILIO_ACCOUNT_SID=ACCOUNT, TWILIO_AUTH_TOKEN=TOKEN)
    hooks = {"webhook_url": f"{ours.public_url}{INBOUND}", "fallback_url": f"{ours.fallback_url}{INBOUND}"}
    ready = lambda: socket.create_connection(ours.web_listen, 1).close()  # noqa: E731
    with opened(ours), simulation(numbers=ours.sms_numbers, **hooks) as sim, ThreadPoolExecutor(4) as crowd:
        with process(ours, "serve_web", ready) as primary:
            sim.faults({"fault": "webhook-repeat", "share": 0.2, "n": 1, "together": True})
            before = list(crowd.map(lambda n: sim.text(f"before {n}"), range(20)))
            after = [crowd.submit(sim.text, f"after {n}") for n in range(40)]
            os.killpg(primary.pid, signal.SIGKILL)
            answers = before + [future.result() for future in after]
        ways = [answer["hook"]["to"] for answer in answers]
    assert [answer["status"] for answer in answers] == [200] * 60
    assert ways.count("fallback") >= 1
    found = [row.text for row in rows(engine, "SELECT text FROM inbound")]
    assert sorted(found) == sorted([f"before {n}" for n in range(20)] + [f"after {n}" for n in range(40)])
    print(f"\n{ways.count('fallback')} of 60 texts came by the fallback door")
