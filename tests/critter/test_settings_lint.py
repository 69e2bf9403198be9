"""Operators' mistakes: one line each, with the setting's name and the fix, by the doctor and at the start."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from sqlalchemy import Engine
from structlog.testing import capture_logs

from critter.doctor import probes, startup_warnings
from critter.doctor.check import run
from critter.doctor.settings_lint import find_mistakes
from critter.processes import registry
from gateway.carriers.operator_advice import advice
from gateway.carriers.smtp.check import greets
from gateway.carriers.twilio import check
from gateway.errors import Refused, SettingsError
from gateway.ledger.senders import pauses
from gateway.settings import Settings, load
from gateway.store.database import claim_mode, transaction
from tests.support.simulation import ACCOUNT, OURS, SECOND, TOKEN, Simulation, simulation
from tests.support.web_process import changed, served

LIVE = {
    "CRITTER_MODE": "live",
    "CRITTER_COMPANY": "Example",
    "CRITTER_PUBLIC_URL": "https://critter.example.com",
    "CRITTER_SECRET_KEY": "zyxwvuts01234567" * 2,
    "TWILIO_ACCOUNT_SID": "AC" + "1" * 32,
    "TWILIO_AUTH_TOKEN": "token",
    "CRITTER_SMS_NUMBERS": "+14155550100",
    "CRITTER_MAIL_DOMAIN": "critter.example.com",
    "CRITTER_SMTP_RELAY": "smtp://relay.example.com",
}


@pytest.fixture(scope="module")
def twilio() -> Iterator[Simulation]:
    with simulation() as running:
        yield running


@pytest.fixture
def right(settings: Settings, twilio: Simulation) -> Settings:
    """Nothing is wrong with these."""
    given = {"TWILIO_API_BASE": twilio.url, "TWILIO_ACCOUNT_SID": ACCOUNT, "TWILIO_AUTH_TOKEN": TOKEN}
    return changed(settings, **given, CRITTER_SMS_NUMBERS=f"{OURS},{SECOND}")


@contextmanager
def answering(status: int, body: object) -> Iterator[str]:
    """The URL of a server that says the same to everybody."""
    said = body if isinstance(body, bytes) else json.dumps(body).encode()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"monthly_sms_budget": Decimal(0)}, "CRITTER_MONTHLY_SMS_BUDGET is 0: no text may be sent; give dollars"),
        ({"sms_price": Decimal(0)}, "CRITTER_SMS_PRICE is 0: the budget would never end; give"),
        ({"sms_senders": ()}, "CRITTER_SMS_NUMBERS: there is none to send from; give"),
        ({"sms": False, "mail": False}, "CRITTER_SMS and CRITTER_MAIL are off"),
        ({"public_url": "https://localhost"}, "CRITTER_PUBLIC_URL: https://localhost is this machine alone; give"),
        ({"public_url": "https://10.0.0.7:8443"}, "CRITTER_PUBLIC_URL: https://10.0.0.7:8443 is this machine alone"),
    ],
    ids=str,
)
def test_what_the_settings_show_is_said_at_once(change: dict[str, Any], says: str) -> None:
    live = load(LIVE)
    assert find_mistakes(live) == []
    [said] = find_mistakes(live.model_copy(update=change))
    assert said.startswith(says)


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("CRITTER_SMS_RATE", "0", "CRITTER_SMS_RATE: Input should be greater than 0"),
        ("CRITTER_MONTHLY_SMS_BUDGET", "-1", "CRITTER_MONTHLY_SMS_BUDGET: Input should be greater than or equal to 0"),
        ("CRITTER_SMS_NUMBERS", "", "CRITTER_SMS_NUMBERS: must be set in live mode"),
        ("CRITTER_SMS_NUMBERS", "555-0100", "CRITTER_SMS_NUMBERS: "),
        ("TWILIO_AUTH_TOKEN", " ", "TWILIO_AUTH_TOKEN: must be set"),
        ("TWILIO_ACCOUNT_SID", "AC1", "TWILIO_ACCOUNT_SID: "),
        ("TWILIO_API_BASE", "http://127.0.0.1:9", "TWILIO_API_BASE: 127.0.0.1 is not a host of twilio.com over https"),
        ("CRITTER_PUBLIC_URL", "critter.example.com", "CRITTER_PUBLIC_URL: "),
        ("CRITTER_SMTP_RELAY", "relay.example.com", "CRITTER_SMTP_RELAY: "),
        ("CRITTER_METRICS_TOKEN", "short", "CRITTER_METRICS_TOKEN: must be 16 characters or more"),
    ],
)
def test_what_makes_no_sense_stops_the_start(name: str, value: str, says: str) -> None:
    with pytest.raises(SettingsError) as wrong:
        load({**LIVE, name: value})
    assert str(wrong.value).startswith(says)
    assert "\n" not in str(wrong.value)


def said_by(look: Callable[[Settings], str], settings: Settings) -> str:
    with pytest.raises(Refused) as refused:
        look(settings)
    assert "\n" not in refused.value.text
    return refused.value.text


def test_all_is_well_at_twilio(right: Settings) -> None:
    assert check.account(right).endswith("takes our account")
    assert check.numbers(right) == "all 2 belong to our account"


def test_a_wrong_token(right: Settings) -> None:
    wrong = changed(right, TWILIO_AUTH_TOKEN="wrong")
    assert said_by(check.account, wrong) == "the account is refused: look at TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN"
    assert "TWILIO_AUTH_TOKEN" in said_by(check.numbers, wrong)


def test_numbers_that_are_not_ours(right: Settings) -> None:
    said = said_by(check.numbers, changed(right, CRITTER_SMS_NUMBERS=f"{OURS},+14155550199"))
    assert said.startswith("CRITTER_SMS_NUMBERS: the 2. (it ends in 99) does not belong to this account: look at")
    assert "4155550199" not in said


def test_a_number_that_cannot_send(right: Settings) -> None:
    rows = [{"phone_number": number, "capabilities": {"sms": number == OURS}} for number in (OURS, SECOND)]
    with answering(200, {"incoming_phone_numbers": rows}) as url:
        said = said_by(check.numbers, changed(right, TWILIO_API_BASE=url))
    assert said == "CRITTER_SMS_NUMBERS: the 2. (it ends in 07) cannot send texts: take one with SMS"


def test_nobody_at_the_api_base(right: Settings, free_port: Callable[[], int]) -> None:
    said = said_by(check.account, changed(right, TWILIO_API_BASE=f"http://127.0.0.1:{free_port()}"))
    assert "does not answer" in said
    assert said.endswith("look at the network and TWILIO_API_BASE")


@pytest.mark.parametrize(
    ("status", "body", "says"),
    [
        (404, b"<html>nothing here</html>", "is not Twilio's API: look at TWILIO_API_BASE"),
        (200, b"<html>welcome</html>", "is not Twilio's API: look at TWILIO_API_BASE"),
        (200, b"[" * 100_000, "is not Twilio's API: look at TWILIO_API_BASE"),
        (200, ["messages"], "is not Twilio's API: look at TWILIO_API_BASE"),
        (404, {"code": 20404}, "look at TWILIO_ACCOUNT_SID"),
        (403, {"code": 20003}, "look at TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN"),
        (503, {"code": 20503}, "answers 503: look at the account in Twilio's console"),
    ],
)
def test_a_wrong_api_base(right: Settings, status: int, body: object, says: str) -> None:
    with answering(status, body) as url:
        assert said_by(check.account, changed(right, TWILIO_API_BASE=url)).endswith(says)


@pytest.mark.parametrize(
    "body", [{}, {"incoming_phone_numbers": 7}, {"incoming_phone_numbers": [7, {"phone_number": []}]}, ["x"]], ids=str
)
def test_a_strange_list_of_numbers(right: Settings, body: object) -> None:
    with answering(200, body) as url:
        said = said_by(check.numbers, changed(right, TWILIO_API_BASE=url))
    assert "TWILIO_API_BASE" in said or "CRITTER_SMS_NUMBERS" in said


def test_nobody_at_the_relay(right: Settings, free_port: Callable[[], int]) -> None:
    said = said_by(greets, changed(right, CRITTER_SMTP_RELAY=f"smtp://127.0.0.1:{free_port()}"))
    assert "does not serve us" in said
    assert said.endswith("look at CRITTER_SMTP_RELAY")


def test_a_wrong_password_at_the_relay(right: Settings, free_port: Callable[[], int]) -> None:
    def judge(*_: object) -> AuthResult:
        return AuthResult(success=False, handled=False)

    relay = Controller(
        object(),
        hostname="127.0.0.1",
        port=free_port(),
        authenticator=judge,
        auth_require_tls=False,
        auth_required=True,
    )
    relay.start()
    try:
        said = said_by(greets, changed(right, CRITTER_SMTP_RELAY=f"smtp://kim:wrong@127.0.0.1:{relay.port}"))
    finally:
        relay.stop()
    assert said == "127.0.0.1 refuses our user or password: look at CRITTER_SMTP_RELAY"


def test_a_relay_without_the_tls_that_we_want(right: Settings, free_port: Callable[[], int]) -> None:
    relay = Controller(object(), hostname="127.0.0.1", port=free_port())
    relay.start()
    try:
        said = said_by(greets, changed(right, CRITTER_SMTP_RELAY=f"smtp+starttls://127.0.0.1:{relay.port}"))
    finally:
        relay.stop()
    assert said == f"127.0.0.1 does not serve us (tls): {advice('tls')}"


def test_our_own_address(right: Settings, engine: Engine) -> None:
    with served(right) as url:
        assert probes.web_address(changed(right, CRITTER_PUBLIC_URL=url)).endswith("leads to us")


def test_our_own_address_leads_elsewhere(right: Settings, free_port: Callable[[], int]) -> None:
    gone = changed(right, CRITTER_PUBLIC_URL=f"http://127.0.0.1:{free_port()}")
    assert said_by(probes.web_address, gone).endswith("do critter web and the proxy run?")
    unknown = changed(right, CRITTER_PUBLIC_URL="http://no-such-host.invalid")
    assert said_by(probes.web_address, unknown).startswith("CRITTER_PUBLIC_URL: the name no-such-host.invalid is not")
    for status, body in ((502, b"bad gateway"), (200, b"<html>another site</html>")):
        with answering(status, body) as url:
            said = said_by(probes.web_address, changed(right, CRITTER_PUBLIC_URL=url))
        assert said.endswith("is not Critter: look at the proxy")


def test_a_pause_is_said_by_the_doctor(right: Settings, engine: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    with transaction(engine) as session:
        claim_mode(session, "simulated")
        pauses.mail_refused(session, pauses.timedelta(minutes=1), "535")
    run(right)
    [line] = [line for line in capsys.readouterr().out.splitlines() if "senders" in line]
    assert line.startswith("wrong")
    assert line.endswith("the relay refuses our user or password: look at CRITTER_SMTP_RELAY (odd characters as %40)")


def test_the_doctor_says_what_the_settings_show(right: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(right.model_copy(update={"monthly_sms_budget": Decimal(0)})) == 1
    assert "wrong  settings    CRITTER_MONTHLY_SMS_BUDGET is 0" in capsys.readouterr().out


def lines(name: str, settings: Settings) -> list[str]:
    with capture_logs() as logged:
        later = startup_warnings.tell(settings, name)
        if later is not None:
            later.cancel()
            startup_warnings.look(settings, name)
    return [str(line["what"]) for line in logged]


@pytest.mark.parametrize("name", ["web", "mail", "worker-sms", "worker-email"])
def test_every_process_says_it_at_its_start(right: Settings, name: str) -> None:
    assert lines(name, right) == []
    assert lines(name, right.model_copy(update={"monthly_sms_budget": Decimal(0)}))[0].startswith("CRITTER_MONTHLY")


@pytest.mark.parametrize(
    ("name", "setting"),
    [("web", "CRITTER_PUBLIC_URL"), ("worker-sms", "TWILIO_API_BASE"), ("worker-email", "CRITTER_SMTP_RELAY")],
)
def test_a_live_process_asks_the_world_at_its_start(
    right: Settings, free_port: Callable[[], int], name: str, setting: str
) -> None:
    nowhere = f"127.0.0.1:{free_port()}"
    away = right.model_copy(
        update={
            "mode": "live",
            "twilio_api_base": f"http://{nowhere}",
            "smtp_relay": f"smtp://{nowhere}",
            "public_url": f"http://{nowhere}",
        }
    )
    assert all(setting in line for line in lines(name, away)[1:])
    assert len(lines(name, away)) > 1


def test_processes_begin_with_it(right: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[str] = []
    monkeypatch.setattr("critter.processes.workers.serve_worker", lambda settings, queue: begun.append(queue))
    monkeypatch.setattr("critter.processes.logs.configure", lambda: None)  # it would undo what captures the lines
    with capture_logs() as logged:
        registry.worker("sms")(right.model_copy(update={"sms_price": Decimal(0)}))
    assert begun == ["sms"]
    assert [line["event"] for line in logged] == ["wrong setting"]
