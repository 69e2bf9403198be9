"""Pushes against the simulator's push service: what a device reads, what each answer means, and where none may go."""

import json
from dataclasses import replace

import pytest
import requests

from gateway.carriers.webpush import payload
from gateway.carriers.webpush.codes import PushOutcome, combine
from gateway.errors import SettingsError
from gateway.network.push import push_endpoints
from gateway.network.push.push_subscriptions import PushDevice, PushKeys
from gateway.settings import Settings, load
from tests.support.push_browsers import LIVE, NOTE, keys_of, live, send
from tests.support.simulation import simulation


@pytest.fixture(scope="module")
def sim():
    with simulation() as running:
        yield running


@pytest.fixture(scope="module")
def push_settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return load({"CRITTER_VAR": str(tmp_path_factory.mktemp("var"))})


def device(sim, number: int = 1, encoding: str = "standard") -> PushDevice:
    made = requests.post(f"{sim.url}/push/devices", timeout=5).json()
    return PushDevice(number, PushKeys(made["endpoint"], **made["keys"], encoding=encoding))


def shown(one: PushDevice) -> list[dict]:
    return requests.get(f"{one.keys.endpoint.replace('/push/', '/push/devices/')}.json", timeout=5).json()["shown"]


def fault(sim, one: PushDevice, name: str, **params) -> None:
    sim.faults({"fault": name, "for": one.keys.endpoint.rpartition("/")[2], **params})


@pytest.mark.parametrize(("encoding", "coding"), [("standard", "aes128gcm"), ("legacy", "aesgcm")])
def test_a_device_reads_what_was_sent(sim, push_settings: Settings, encoding: str, coding: str) -> None:
    one = device(sim, encoding=encoding)
    assert send(push_settings, one) == PushOutcome("sent", used=(1,))
    [told] = shown(one)
    assert told == {
        "TTL": "3600", "Urgency": "high", "Topic": "99", "coding": coding,
        "payload": {"title": "Kim Lee", "body": "the gate is open", "path": "/updates/7", "tag": "update-7",
                    "lang": "en", "unread": 3},
    }  # fmt: skip


def test_a_repeat_takes_the_place_of_the_first(sim, push_settings: Settings) -> None:
    one = device(sim)
    send(push_settings, one)
    send(push_settings, one, note=replace(NOTE, body="the gate is shut"))
    assert [each["payload"]["body"] for each in shown(one)] == ["the gate is shut"]


@pytest.mark.parametrize(
    ("code", "wait", "outcome"),
    [
        (404, 0, PushOutcome("failed", reason="gone", gone=(1,))),
        (410, 0, PushOutcome("failed", reason="gone", gone=(1,))),
        (413, 0, PushOutcome("failed", reason="413", detail="HTTP 413")),
        (403, 0, PushOutcome("failed", reason="403", detail="HTTP 403")),
        (302, 0, PushOutcome("failed", reason="302", detail="HTTP 302")),
        (429, 120, PushOutcome("retry", reason="busy", detail="HTTP 429", wait=120.0)),
        (503, 60, PushOutcome("retry", reason="busy", detail="HTTP 503", wait=60.0)),
        (500, 0, PushOutcome("unknown", reason="500", detail="HTTP 500")),
    ],
)
def test_what_a_push_service_answers(sim, push_settings: Settings, code: int, wait: int, outcome: PushOutcome) -> None:
    one = device(sim)
    fault(sim, one, "push-status", code=code, retry_after=wait)
    assert send(push_settings, one) == outcome


def test_a_push_service_that_is_slow_or_away(sim, push_settings: Settings) -> None:
    one = device(sim)
    fault(sim, one, "push-delay", seconds=1.0)
    assert send(push_settings, one, timeout=0.2).reason == "timeout"
    away = PushDevice(1, keys_of())
    assert send(push_settings, away) == PushOutcome("retry", reason="refused", detail="ClientConnectorError")


def test_whoever_has_it_on_one_device_has_it(sim, push_settings: Settings) -> None:
    gone, busy, fine = (device(sim, number) for number in (1, 2, 3))
    names = [one.keys.endpoint.rpartition("/")[2] for one in (gone, busy)]
    sim.faults(
        {"fault": "push-status", "for": names[0]}, {"fault": "push-status", "for": names[1], "code": 429},
    )  # fmt: skip
    assert send(push_settings, gone, busy, fine) == PushOutcome("sent", used=(3,), gone=(1,))
    assert len(shown(fine)) == 1
    left = send(push_settings, gone, busy)
    assert (left.state, left.reason, left.gone) == ("retry", "busy", (1,))
    assert combine({}) == PushOutcome("failed", reason="gone")


def test_no_secret_of_a_device_is_told(sim, push_settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    one = device(sim)
    for code in (500, 403, 410):
        fault(sim, one, "push-status", code=code)
        outcome = send(push_settings, one)
        assert one.keys.endpoint not in repr(outcome)
    broken = PushDevice(1, replace(one.keys, p256dh="AAAA"))
    assert send(push_settings, broken).state == "unknown"
    for secret in (one.keys.endpoint, one.keys.auth, push_settings.push_key):
        assert secret not in caplog.text


def test_long_words_are_cut_to_what_push_services_take() -> None:
    written = payload.for_page(replace(NOTE, body="𝔼" * 4000))
    assert len(written) <= 3000
    assert json.loads(written)["body"].endswith("𝔼…")


@pytest.mark.parametrize(
    ("endpoint", "allowed"),
    [
        ("https://push.example.com/a", True),
        ("https://push.example.com:8443/a?b=c", True),
        ("https://ntfy.inside/a", True),
        ("https://10.1.2.3/a", True),
        ("https://93.184.216.34/a", True),
        ("http://push.example.com/a", False),
        ("http://ntfy.inside/a", False),
        ("https://127.0.0.1/a", False),
        ("https://10.1.2.4/a", False),
        ("https://169.254.169.254/latest/meta-data", False),
        ("https://[::1]/a", False),
        ("https://[::ffff:127.0.0.1]/a", False),
        ("https://[fd00::1]/a", False),
        ("https://localhost/a", False),
        ("https://somewhere/a", False),
        ("https://user:pass@push.example.com/a", False),
        ("https://push.example.com/a#b", False),
        ("https://push.example.com/a b", False),
        ("https://push.exämple.com/a", False),
        ("https://push.example.com:99999/a", False),
        ("https:///a", False),
        ("file:///etc/passwd", False),
        ("", False),
        ("https://push.example.com/" + "a" * 1000, False),
    ],
)
def test_where_pushes_may_go(tmp_path, endpoint: str, allowed: bool) -> None:
    settings = live(tmp_path, CRITTER_PUSH_HOSTS="ntfy.inside, 10.1.2.3")
    assert push_endpoints.is_allowed(settings, endpoint) is allowed


@pytest.mark.parametrize("endpoint", ["https://127.1/a", "https://0x7f.1/a", "https://localhost.localdomain/a"])
def test_a_name_that_leads_inside_is_not_connected_to(tmp_path, endpoint: str) -> None:
    """The address is looked at when the name is looked up, so that no name leads somewhere else afterwards."""
    outcome = send(live(tmp_path), PushDevice(1, keys_of(endpoint)))
    assert outcome.state in ("failed", "retry")
    assert outcome.reason in ("forbidden", "dns")
    with_rehearsal = send(live(tmp_path), PushDevice(1, keys_of("https://192.168.0.9/a")))
    assert with_rehearsal == PushOutcome("failed", reason="forbidden", detail="not a push service that we may ask")


def test_a_rehearsal_reaches_this_machine_alone(push_settings: Settings) -> None:
    assert push_endpoints.is_allowed(push_settings, "http://127.0.0.1:8001/push/a")
    assert not push_endpoints.is_allowed(push_settings, "https://push.example.com/a")


def test_the_key_is_one(tmp_path) -> None:
    for wrong in ("short", "A" * 43, "ä" * 43):
        with pytest.raises(SettingsError, match="CRITTER_PUSH_KEY: must be a key as critter push-keys makes it"):
            live(tmp_path, CRITTER_PUSH_KEY=wrong)
    with pytest.raises(SettingsError, match="CRITTER_PUSH_HOSTS"):
        live(tmp_path, CRITTER_PUSH_HOSTS="https://ntfy.inside")


def test_live_there_are_none_without_a_key(tmp_path) -> None:
    without = load({**LIVE, "CRITTER_VAR": str(tmp_path)})
    assert "push" not in without.channels
    assert without.carriers_for("push") == []
    assert live(tmp_path).channels == ("push",)
