"""A carrier is one file and one line: toys send, receive and are checked by the code of the real processes."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import requests
from sqlalchemy import Engine
from structlog.testing import capture_logs

from critter.doctor import check, startup_warnings
from critter.processes import workers
from gateway.carriers import parts
from gateway.carriers.descriptors.registry import CARRIERS
from gateway.carriers.operator_advice import advice
from gateway.errors import SettingsError
from gateway.ledger.outbox.outbox import Target
from gateway.settings import Settings, load
from gateway.store.database import claim_mode, transaction
from tests.support.delivering import person, post, rows, states
from tests.support.mail_folder import MAIL_FOLDER
from tests.support.toy_carrier import TOY
from tests.support.web_process import changed, environment, served
from workers import callbacks, deliver, inbound
from workers.runtime.context import WorkerContext, enter

OURS, PHONE = "77777", "+14155550101"
SECRET = "a-secret-of-the-toy"


class Peer:
    """The toy's other side: it takes texts, or answers what it is told."""

    def __init__(self, port: int) -> None:
        self.texts: list[dict[str, str]] = []
        self.status = 200
        peer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                fields = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                status = peer.status if self.headers["Toy-Secret"] == SECRET else 401
                if status == 200:
                    peer.texts.append(fields)
                answer = f"toy-{len(peer.texts)}".encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: object) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.url = f"http://127.0.0.1:{port}/out"


@pytest.fixture
def peer(free_port: Callable[[], int]) -> Iterator[Peer]:
    made = Peer(free_port())
    thread = threading.Thread(target=made.server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield made
    made.server.shutdown()
    made.server.server_close()
    thread.join()


@pytest.fixture
def toy(settings: Settings, engine: Engine, peer: Peer, monkeypatch: pytest.MonkeyPatch) -> Settings:
    with transaction(engine) as session:
        claim_mode(session, "simulated")
    monkeypatch.setitem(CARRIERS, "toy", TOY)
    return changed(
        settings,
        CRITTER_SMS_NUMBERS=f"+15005550006,{OURS}@toy",
        CRITTER_SMS_ROUTES="*=toy",
        TOY_URL=peer.url,
        TOY_SECRET=SECRET,
    )


@contextmanager
def process(settings: Settings, queue: str) -> Iterator[WorkerContext]:
    """The context that this worker process builds for itself."""
    context = workers.build(settings, queue)
    enter(context)
    try:
        yield context
    finally:
        enter(None)
        context.close()


def send(toy: Settings, engine: Engine) -> None:
    phone = person(engine, "bob", phone=PHONE)[1]
    post(engine, person(engine, "kim", phone="+14155550102")[0], "hello", [Target(phone, "sms")])
    with process(toy, "sms"):
        deliver.drain_sms()


def call(url: str, path: str, secret: str = SECRET, **fields: str) -> int:
    return requests.post(f"{url}/sms/toy/{path}", json=fields, headers={"Toy-Secret": secret}, timeout=9).status_code


def test_it_sends_and_its_receipts_count(toy: Settings, engine: Engine, peer: Peer) -> None:
    send(toy, engine)
    (text,) = peer.texts
    assert (text["from"], text["to"]) == (OURS, PHONE)
    assert "hello" in text["text"]
    assert states(engine) == ["sent"]
    with served(toy) as url:
        assert call(url, f"status/{text['token']}", "wrong", id="toy-1", status="arrived") == 403
        assert call(url, "status/forged", id="toy-1", status="arrived") == 403
        assert call(url, f"status/{text['token']}", id="toy-1", status="arrived") == 204
    with process(toy, "sms") as context:
        callbacks.step(context)  # the door may have applied it already
    assert states(engine) == ["delivered"]


def test_a_failure_that_it_reports_ends_the_text(toy: Settings, engine: Engine, peer: Peer) -> None:
    send(toy, engine)
    with served(toy) as url:
        assert call(url, f"status/{peer.texts[0]['token']}", id="toy-1", status="lost") == 204
        assert call(url, f"status/{peer.texts[0]['token']}", id="toy-1", status="never heard of") == 204
    with process(toy, "sms") as context:
        assert callbacks.step(context)
    assert [(row.state, row.reason) for row in rows(engine)] == [("failed", "lost")]


def test_it_receives_and_the_answer_goes_back_by_it(toy: Settings, engine: Engine, peer: Peer) -> None:
    person(engine, "bob", phone=PHONE)
    with served(toy) as url:
        assert call(url, "inbound", id="in-1", to="+15005550006", text="help", **{"from": PHONE}) == 403
        assert call(url, "inbound", id="in-1", to=OURS, text="help", **{"from": PHONE}) == 204
        assert call(url, "inbound", id="in-1", to=OURS, text="help", **{"from": PHONE}) == 204, "a repeat"
    with process(toy, "inbound") as context:
        while inbound.step(context):
            pass
    with process(toy, "sms"):
        deliver.drain_sms()
    assert [(text["from"], text["to"]) for text in peer.texts] == [(OURS, PHONE)]


def test_stop_is_answered_by_us_because_it_does_not(toy: Settings, engine: Engine, peer: Peer) -> None:
    person(engine, "bob", phone=PHONE)
    with served(toy) as url:
        assert call(url, "inbound", id="in-1", to=OURS, text="STOP", **{"from": PHONE}) == 204
    with process(toy, "inbound") as context:
        while inbound.step(context):
            pass
    with process(toy, "sms"):
        deliver.drain_sms()
    assert ["no more texts" in text["text"] for text in peer.texts] == [True]


def test_a_refused_account_pauses_it_and_says_what_to_do(toy: Settings, engine: Engine, peer: Peer) -> None:
    peer.status = 401
    send(toy, engine)
    assert peer.texts == []
    (paused,) = [row for row in rows(engine, "SELECT * FROM senders") if row.paused_until is not None]
    assert (paused.carrier, paused.number) == ("toy", OURS)
    assert advice("401", "toy") == "look at TOY_SECRET"


def test_it_is_checked(
    toy: Settings, peer: Peer, free_port: Callable[[], int], capsys: pytest.CaptureFixture[str]
) -> None:
    check.run(toy)
    assert "ok     toy         the toy listens" in capsys.readouterr().out
    away = changed(toy, TOY_URL=f"http://127.0.0.1:{free_port()}/out")
    check.run(away)
    assert "wrong  toy         the toy does not answer: look at TOY_URL" in capsys.readouterr().out
    with capture_logs() as logged:
        startup_warnings.look(away, "worker-sms")
    assert "the toy does not answer: look at TOY_URL" in [line["what"] for line in logged]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"TOY_SECRET": ""}, "TOY_SECRET: must be set, for a number of CRITTER_SMS_NUMBERS is @toy"),
        ({"TOY_URL": "https://toy.example.com/out"}, "TOY_URL: toy.example.com is not on this machine"),
        ({"TOY_URL": "toy"}, "TOY_URL: 'toy' is not a plain web address"),
        ({"CRITTER_SMS_NUMBERS": "77777@tot"}, "'tot' is no carrier: there are twilio, kannel, hook, toy"),
    ],
)
def test_its_settings_are_held_to_the_same_rules(toy: Settings, change: dict[str, str], says: str) -> None:
    with pytest.raises(SettingsError) as wrong:
        changed(toy, **change)
    assert says in str(wrong.value)


def test_live_mode_wants_its_settings_and_a_real_secret(toy: Settings) -> None:
    live = {
        **environment(toy),
        "CRITTER_MODE": "live",
        "CRITTER_MAIL": "off",
        "CRITTER_PUBLIC_URL": "https://critter.example.com",
        "CRITTER_SECRET_KEY": "0123456789abcdef0123456789abcdef",
        "CRITTER_REDIS_NO_PASSWORD": "on",
        "CRITTER_SMS_NUMBERS": f"{OURS}@toy",
        "TWILIO_API_BASE": "",
        "TOY_URL": "https://toy.example.com/out",
    }
    with pytest.raises(SettingsError, match="TOY_SECRET: needs 32 characters"):
        load(live)
    with pytest.raises(SettingsError, match="TOY_SECRET: must be set in live mode"):
        load({**live, "TOY_SECRET": ""})
    assert load({**live, "TOY_SECRET": "0123456789abcdef0123456789abcdef"}).sms_carriers == ("toy",)


def test_a_mistyped_setting_of_it_is_told(toy: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text("TOY_SECERT=x\n")
    with pytest.raises(SettingsError, match="TOY_SECERT: no such setting; did you mean TOY_SECRET"):
        load()


def test_nobody_knows_it_without_its_line(settings: Settings) -> None:
    with pytest.raises(SettingsError, match="'toy' is no carrier"):
        changed(settings, CRITTER_SMS_NUMBERS=f"{OURS}@toy")


# A carrier for mails


@pytest.fixture
def folder(settings: Settings, engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    with transaction(engine) as session:
        claim_mode(session, "simulated")
    monkeypatch.setitem(CARRIERS, "folder", MAIL_FOLDER)
    return changed(settings, CRITTER_MAIL_FOLDER=str(tmp_path / "mails"))


def test_mails_leave_by_the_carrier_whose_settings_are_given(folder: Settings, engine: Engine, tmp_path: Path) -> None:
    bob = person(engine, "bob", mailbox="bob@demo.example")[1]
    post(engine, person(engine, "kim", phone=PHONE)[0], "hello", [Target(bob, "email")])
    with process(folder, "email"):
        deliver.drain_email()
    assert states(engine) == ["sent"]
    (file,) = (tmp_path / "mails").glob("*.eml")
    assert file.read_bytes().startswith(b"Return-Path: <b+")
    assert b"Delivered-To: bob@demo.example\r\n" in file.read_bytes()


def test_it_is_checked_instead_of_the_relay(
    folder: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mails").mkdir()
    check.run(folder)
    told = capsys.readouterr().out
    assert f"ok     mail folder mails go into {tmp_path / 'mails'}" in told
    assert "relay" not in told


def test_the_relay_takes_them_while_nothing_else_is_given(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(CARRIERS, "folder", MAIL_FOLDER)
    assert changed(settings).mail_carrier.name == "smtp"
    assert changed(settings, CRITTER_MAIL_FOLDER="mails").mail_carrier.name == "folder"


# The descriptors of our own


@pytest.mark.parametrize("name", list(CARRIERS))
def test_every_part_that_a_descriptor_names_is_there(name: str) -> None:
    carrier = CARRIERS[name]
    named = (carrier.make, carrier.report, carrier.door, carrier.inbox, *carrier.checks.values())
    assert all(callable(parts.load(part)) for part in named if part)
    assert carrier.needed
    assert {field.alias for field in carrier.settings.model_fields.values()} >= set(carrier.needed)
