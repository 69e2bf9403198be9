"""/metrics: what it tells, who may ask, and that every figure of the dashboard and of the alarms is told."""

import asyncio
import json
import re
import shutil
import subprocess
from bisect import bisect_left
from datetime import timedelta
from pathlib import Path

import pytest
import requests
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import Engine

from gateway.carriers.common.protocol import Outcome, Text
from gateway.carriers.common.send_gate import OPEN
from gateway.carriers.instrumented import InstrumentedCarrier, alarm
from gateway.ledger.commit import counters
from gateway.ledger.inbox import inbox
from gateway.ledger.operations import task_failures
from gateway.ledger.operations.heartbeat import Heartbeat, owner
from gateway.ledger.senders import pauses, senders
from gateway.settings import Settings
from gateway.store.database import connect, transaction
from tests.support.office import Office
from tests.support.web_process import changed, served

ROOT = Path(__file__).parents[2]
ALERTS = ROOT / "deploy" / "prometheus" / "alerts.yml"
DASHBOARD = ROOT / "deploy" / "grafana" / "critter.json"
TOKEN = "a-token-of-the-watcher"

Told = dict[tuple[str, tuple[tuple[str, str], ...]], float]


@pytest.fixture(autouse=True)
def _nothing_counted() -> None:
    counters.take_counts()


def told(url: str) -> Told:
    """Every sample by its name and labels."""
    answer = requests.get(f"{url}/metrics", timeout=9)
    assert answer.status_code == 200
    families = text_string_to_metric_families(answer.text)
    return {
        (each.name, tuple(sorted(each.labels.items()))): each.value for family in families for each in family.samples
    }


def of(found: Told, name: str, **labels: str) -> float:
    return found[f"critter_{name}", tuple(sorted(labels.items()))]


def store(engine: Engine) -> None:
    with transaction(engine) as session:
        counters.store(session, counters.take_counts())


def test_what_was_counted_is_told(office: Office, settings: Settings) -> None:
    office.says("kim", "hello")
    counters.add("read", "done")
    counters.add("sends", "sms", "failed", amount=3)
    store(office.engine)
    with served(settings) as url:
        found = told(url)
    assert of(found, "accepted_total", channel="sms") == 1
    assert of(found, "accepted_total", channel="email") == 0
    assert of(found, "read_total", state="done") == 1
    assert of(found, "sends_total", channel="sms", outcome="failed") == 3
    assert of(found, "database_up") == 1
    assert of(found, "bell_up") == 1


def test_a_repeat_is_not_accepted_twice(office: Office) -> None:
    phone = "+14155550101"
    for _ in range(2):
        with transaction(office.engine) as session:
            row = inbox.Incoming("sms", b"SM1", phone, ("+15005550006",), b"", True, "SM1", "hello")
            inbox.accept(session, inbox.hash_key(session), [row])
    assert counters.take_counts()["accepted", "sms"] == 1


def test_ages_are_those_of_the_oldest_that_is_due(office: Office, settings: Settings) -> None:
    office.says("kim", "hello")
    office.work()
    office.sql("UPDATE deliveries SET state = 'queued', ended_at = NULL, not_before = now() - interval '5 minutes'")
    office.sql("UPDATE deliveries SET not_before = now() + interval '1 hour' WHERE channel = 'email'")
    office.says("kim", "again")
    office.sql("UPDATE inbound SET received_at = now() - interval '90 seconds' WHERE state = 'new'")
    with served(settings) as url:
        found = told(url)
    assert of(found, "queue_age_seconds", queue="sms") == pytest.approx(300, abs=9)
    assert of(found, "queue_age_seconds", queue="email") == 0
    assert of(found, "queue_age_seconds", queue="inbound") == pytest.approx(90, abs=9)
    assert of(found, "queue_rows", queue="email") == 1
    assert of(found, "queue_rows", queue="inbound") == 1


def test_what_wants_a_person_is_told(office: Office, settings: Settings) -> None:
    office.says("kim", "hello")
    office.work()
    office.sql("UPDATE deliveries SET state = 'failed', reason = 'quarantined' WHERE channel = 'email'")
    office.sql("UPDATE deliveries SET state = 'unknown', reason = 'timeout' WHERE channel = 'sms'")
    office.says("kim", "again")
    office.sql("UPDATE inbound SET state = 'quarantined' WHERE state = 'new'")
    office.sql("UPDATE addresses SET bouncing_since = now() WHERE address = 'priya@demo.example'")
    with transaction(office.engine) as session:
        senders.sync(session, [("+15005550006", "twilio")])
        senders.pause(session, "+15005550006", None, timedelta(minutes=1), "30034")
    with served(settings) as url:
        found = told(url)
    assert of(found, "dead_letters", state="quarantined") == 1
    assert of(found, "dead_letters", state="unknown") == 1
    assert of(found, "unknown_texts") == 0  # it has ended: nobody looks for it any more
    assert of(found, "set_aside_inputs", state="quarantined") == 1
    assert of(found, "mailboxes_off") == 1
    paused = {dict(labels)["carrier"]: value for (name, labels), value in found.items() if name.endswith("_paused")}
    assert paused == {"twilio": 1, "smtp": 0}


def test_what_the_clock_cannot_do_is_told(office: Office, settings: Settings) -> None:
    with served(settings) as url:
        assert (of(told(url), "failing_tasks"), of(told(url), "default_partition_rows")) == (0, 0)
        assert of(told(url), "task_failures_total", task="due") == 0
        office.sql(
            "INSERT INTO deliveries (message_id, address_id, channel, priority, give_up_at)"
            " SELECT id_at('2031-01-10') + n, 1, 'email', 5, now() FROM generate_series(1, 3) n"
        )
        with transaction(office.engine) as session:
            task_failures.record_failure(session, "months", task_failures.OFTEN, "CheckViolation")
            task_failures.record_failure(session, "delays", 1, "RuntimeError")
        counters.add("task_failures", "months")
        store(office.engine)
        found = told(url)
    assert of(found, "failing_tasks") == 1
    assert of(found, "default_partition_rows") == 3
    assert of(found, "task_failures_total", task="months") == 1


def test_the_months_money(office: Office, settings: Settings) -> None:
    counters.add("segments", amount=5000)
    office.sql(
        "INSERT INTO budgets (day, scope, used) VALUES"
        " (date_trunc('month', now() AT TIME ZONE 'UTC'), 'company_month', 1000 * 8300)"
    )
    store(office.engine)
    with served(settings) as url:
        found = told(url)
    assert of(found, "budget_left_ratio") == pytest.approx(1 - 1000 * 0.0083 / float(settings.monthly_sms_budget))
    assert of(found, "segments_total") == 5000


def test_processes_that_live_are_told(office: Office, settings: Settings) -> None:
    office.sql("INSERT INTO processes (owner, name, seen_at) VALUES ('a', 'clock', now() - interval '1 minute')")
    with Heartbeat(office.engine, "worker-sms", owner("worker-sms")) as pulse, served(settings) as url:
        pulse.wait_for_beat()
        found = told(url)
    assert of(found, "processes", process="clock") == 0
    assert of(found, "processes", process="mail") == 0
    assert of(found, "processes", process="worker-sms") == 1
    assert office.sql("SELECT owner FROM processes") == [("a",)], "who ends signs off"


def test_a_pulse_stores_what_was_counted(engine: Engine) -> None:
    pulse = Heartbeat(engine, "web", owner("web"))
    counters.add("read", "done", amount=2)
    pulse.close()
    with transaction(engine) as session:
        assert counters.totals(session)["read", "done"] == 2


def test_what_cannot_be_stored_is_kept(engine: Engine, settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    counters.add("read", "done", amount=2)
    away = connect("postgresql://critter@127.0.0.1:1/critter")
    Heartbeat(away, "web", owner("web")).close()
    assert caplog.text.count("the pulse is not stored") == 1
    assert counters.take_counts()["read", "done"] == 2


@pytest.mark.parametrize("database", ["postgresql://critter@127.0.0.1:1/critter"])
def test_servers_that_are_away_are_told(settings: Settings, database: str) -> None:
    away = changed(settings, CRITTER_DATABASE_URL=database, CRITTER_REDIS_URL="redis://127.0.0.1:1/0")
    with served(away) as url:
        found = told(url)
    assert of(found, "database_up") == 0
    assert of(found, "bell_up") == 0


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Forwarded-For": "198.51.100.7"},
        {"X-Real-IP": "198.51.100.7"},
        {"Forwarded": "for=198.51.100.7"},
        {"Via": "1.1 proxy"},
        {"Host": "critter.example"},
        {"Host": "critter.example:8000"},
        {"Host": "127.0.0.1.example"},
    ],
    ids=str,
)
def test_a_proxy_does_not_make_a_stranger_local(settings: Settings, engine: Engine, headers: dict[str, str]) -> None:
    with served(settings) as url:
        assert requests.get(f"{url}/metrics", headers=headers, timeout=9).status_code == 404


def test_a_token_is_asked_of_everybody(settings: Settings, engine: Engine) -> None:
    with served(changed(settings, CRITTER_METRICS_TOKEN=TOKEN)) as url:
        assert requests.get(f"{url}/metrics", timeout=9).status_code == 404
        for wrong in (f"Bearer {TOKEN}x", "Bearer ", "Basic x", f"Bearer {TOKEN}é".encode()):
            assert requests.get(f"{url}/metrics", headers={"Authorization": wrong}, timeout=9).status_code == 404
        right = {"Authorization": f"Bearer {TOKEN}", "Host": "critter.example", "X-Forwarded-For": "198.51.100.7"}
        assert requests.get(f"{url}/metrics", headers=right, timeout=9).status_code == 200


class Ends:
    """A carrier whose parcels end as it is told."""

    channel = "sms"

    def __init__(self, *outcomes: Outcome) -> None:
        self.outcomes = outcomes

    async def send(self, batch, settled, gate=OPEN) -> None:  # type: ignore[no-untyped-def]
        for parcel, outcome in zip(batch, self.outcomes, strict=True):
            settled(parcel, outcome)

    async def close(self) -> None: ...


def watch(*outcomes: Outcome) -> dict[tuple[str, str], float]:
    batch = [Text(each, "+15005550006", "+14155550101", "hello", "", 60) for each in range(len(outcomes))]

    async def story() -> None:
        watched = InstrumentedCarrier(Ends(*outcomes))
        await watched.send(batch, lambda parcel, outcome: None)
        await watched.close()

    asyncio.run(story())
    return counters.take_counts()


def test_ends_and_times_are_counted() -> None:
    counted = watch(Outcome("sent", "SM1"), Outcome("sent", "SM2"), Outcome("retry", reason="20003", pause=True))
    assert counted["sends", "sms,sent"] == 2
    assert counted["sends", "sms,paused"] == 1
    assert sum(amount for (name, _), amount in counted.items() if name == "carrier_seconds") == 3
    assert not [key for key in counted if key[0] == "strange"]


@pytest.mark.parametrize(
    ("outcome", "what"),
    [
        (Outcome("unknown", reason="malformed"), "malformed"),
        (Outcome("unknown", reason="too long"), "too_long"),
        (Outcome("failed", reason="39999"), "unlisted_code"),
        (Outcome("failed", reason="21610"), ""),
        (Outcome("failed", reason="400"), ""),
        (Outcome("unknown", reason="timeout"), ""),
    ],
)
def test_strange_answers_raise_an_alarm(outcome: Outcome, what: str, caplog: pytest.LogCaptureFixture) -> None:
    counted = watch(outcome)
    assert [key[1] for key in counted if key[0] == "strange"] == ([f"sms,{what}"] if what else [])


def test_the_same_alarm_is_one_line_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(3):
        alarm("sms", "only here")
    assert caplog.text.count("only here") == 1
    assert counters.take_counts()["strange", "sms,only here"] == 3


def test_durations_fall_into_their_buckets(engine: Engine, settings: Settings) -> None:
    durations = [0.001, 0.005, 0.2, 40.0]
    places = [bisect_left(counters.SECONDS, each) for each in durations]
    counters.add_durations("carrier_seconds", "sms", [places.count(each) for each in range(13)], sum(durations))
    store(engine)
    with served(settings) as url:
        found = told(url)
    below = {bound: of(found, "carrier_seconds_bucket", channel="sms", le=bound) for bound in ("0.005", "0.25", "+Inf")}
    assert below == {"0.005": 2, "0.25": 3, "+Inf": 4}
    assert of(found, "carrier_seconds_count", channel="sms") == 4
    assert of(found, "carrier_seconds_sum", channel="sms") == pytest.approx(40.206)


def test_two_processes_add_up(engine: Engine) -> None:
    for _ in range(2):
        counters.add("read", "done", amount=2)
        counters.add("accepted", "sms")
        store(engine)
    with transaction(engine) as session:
        assert counters.totals(session) == {("read", "done"): 4, ("accepted", "sms"): 2}


def test_no_number_or_body_is_in_it(office: Office, settings: Settings) -> None:
    office.says("kim", "the secret words")
    office.work()
    with transaction(office.engine) as session:
        senders.sync(session, [("+15005550006", "twilio")])
        senders.pause(session, "+15005550006", None, timedelta(minutes=1), "30034")
    with served(settings) as url:
        said = requests.get(f"{url}/metrics", timeout=9).text
    assert "secret" not in said
    assert "+1" not in said
    assert "5005550006" not in said


NAME = re.compile(r"\bcritter_[a-z_]+")


def expressions() -> set[str]:
    """Every name that the dashboard and the alarms ask for."""
    panels = json.loads(DASHBOARD.read_text())["panels"]
    asked = [target["expr"] for panel in panels for target in panel.get("targets", [])]
    asked += re.findall(r"expr: (.*)", ALERTS.read_text())
    return {name for each in asked for name in NAME.findall(each)}


def test_the_dashboard_and_the_alarms_ask_for_what_is_told(office: Office, settings: Settings) -> None:
    with transaction(office.engine) as session:
        pauses.pause(session, "mail", None, "test")
    counters.add("refusals", "sms", "20003")
    store(office.engine)
    with served(settings) as url:
        there = {name for name, _ in told(url)}
    asked = expressions()
    assert len(asked) > 10
    assert asked <= there


def test_prometheus_takes_the_alarms() -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not here: apt-get install prometheus")
    checked = subprocess.run([promtool, "check", "rules", ALERTS], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_prometheus_takes_the_metrics(office: Office, settings: Settings) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not here: apt-get install prometheus")
    with served(settings) as url:
        said = requests.get(f"{url}/metrics", timeout=9).text
    checked = subprocess.run([promtool, "check", "metrics"], input=said, capture_output=True, text=True, check=False)
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, "")
