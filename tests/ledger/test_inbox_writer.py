"""Every way in at once: lost, doubled, late and replayed web hooks, polling alone, a token replaced under load."""

import threading
import time
import urllib.parse
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import requests
from sqlalchemy import Engine
from sqlalchemy import text as sql

from gateway.carriers.twilio.inbound_list import TwilioInbox
from gateway.doors.sms import twilio as sms
from gateway.settings import Settings
from gateway.store.database import claim_mode, transaction
from tests.support.delivering import change, open_context, person, rows
from tests.support.memory_folder import new_folder
from tests.support.running_critter import company
from tests.support.simulation import ACCOUNT, SAM, TOKEN, simulation
from tests.support.web_process import changed, send, served, text
from workers import inbound
from workers.missed_texts import ListWatch
from workers.runtime.context import enter

INBOUND = "/sms/inbound"


def test_a_stopped_web_process_and_polling_alone(memory):
    """The real processes: nobody answers at the door, and no web hook is ever called."""
    with company(new_folder(memory), CRITTER_SMS_INTAKE="poll") as critter:
        web = critter.kill("web", 19)  # SIGSTOP: the supervisor does not start another
        assert web
        kim = critter.scalar("SELECT address FROM addresses WHERE channel = 'sms' AND state = 'verified' LIMIT 1")
        for number in range(3):
            data = urllib.parse.urlencode({"body": f"update {number}", "wait": "no"}).encode()
            path = f"{critter.simulator}/phones/{urllib.parse.quote(kim)}/texts"
            urllib.request.urlopen(urllib.request.Request(path, data), timeout=30).close()
        read = "SELECT string_agg(text, ',' ORDER BY id) FROM inbound WHERE state = 'done' AND channel = 'sms'"
        critter.wait(lambda: critter.scalar(read) == "update 0,update 1,update 2", "texts by polling")
        assert {line["to"] for line in critter.ledger() if line["kind"] == "webhook"} == {"list"}
        assert not (critter.var / "pids" / "fallback").exists(), "nobody calls a fallback door while polling"
        critter.kill("web", 18)


def test_a_captured_web_hook_has_no_effect_a_day_and_a_year_later(settings: Settings, engine: Engine):
    """Also after retention has emptied the row, and when another process takes the replay."""
    with transaction(engine) as session:
        claim_mode(session, "simulated")
    person(engine, "sam", "+15551230001")
    context = open_context(settings)
    enter(context)
    form = text(settings, 1)
    try:
        with served(settings) as url:
            assert send(url, settings, INBOUND, form).status_code == 200
            inbound.drain()
            before = told(engine)
            assert before["posts"] == 1
            for age in ("1 day", "1 year"):
                change(engine, f"UPDATE inbound SET received_at = now() - interval '{age}', text = NULL, raw = NULL")
                assert send(url, settings, INBOUND, form).status_code == 200
                inbound.drain()
                assert told(engine) == before
    finally:
        enter(None)
        context.close()


def told(engine: Engine) -> dict[str, int]:
    with engine.connect() as connection:
        tables = ("inbound", "posts", "messages", "deliveries", "effects", "audit", "consent")
        return {table: connection.scalar(sql(f"SELECT count(*) FROM {table}")) for table in tables}


def test_a_token_is_replaced_under_load_and_honest_traffic_never_gets_403(
    settings: Settings, engine: Engine, monkeypatch
):
    """The steps of docs/running.md: both tokens live, restart, promoted at Twilio, the new one alone, restart. What a
    server that is just ending has in hand may be 503: then Twilio calls again."""
    monkeypatch.setattr(sms, "PATIENCE", 0.5)
    with transaction(engine) as session:
        claim_mode(session, "simulated")
    signs, codes, ended, numbers = ["old"], [], threading.Event(), iter(range(10**6))

    def twilio() -> None:
        while not ended.is_set():
            token = signs[0]
            try:
                form = text(settings, next(numbers))
                codes.append((token, send(settings.public_url, settings, INBOUND, form, token=token).status_code))
            except requests.ConnectionError:
                time.sleep(0.01)  # a restart: Twilio calls again

    def some() -> None:
        wanted = len(codes) + 20
        end = time.monotonic() + 60
        while len(codes) < wanted:
            assert time.monotonic() < end
            time.sleep(0.01)

    with ThreadPoolExecutor(4) as crowd:
        work = [crowd.submit(twilio) for _ in range(4)]
        try:
            with served(changed(settings, TWILIO_AUTH_TOKEN="old")):
                some()
            with served(changed(settings, TWILIO_AUTH_TOKEN="new,old")):
                some()
                signs[0] = "new"
                some()
                some()
            with served(changed(settings, TWILIO_AUTH_TOKEN="new")):
                some()
        finally:
            ended.set()
        for each in work:
            each.result()
    taken = [token for token, code in codes if code == 200]
    assert {code for _, code in codes} <= {200, 503}
    assert len(taken) >= 0.8 * len(codes)
    assert set(taken) == {"old", "new"}
    assert len(rows(engine, "SELECT FROM inbound")) >= len(taken)
    print(f"\n{len(taken)} texts, 0 refused")


def test_lost_doubled_late_and_together_while_the_list_is_read(settings: Settings, engine: Engine):
    with transaction(engine) as session:
        claim_mode(session, "simulated")
    ours = changed(settings, TWILIO_ACCOUNT_SID=ACCOUNT, TWILIO_AUTH_TOKEN=TOKEN, CRITTER_SMS_INTAKE_SECONDS="0.1")
    with ExitStack() as stack:
        hooks = {"webhook_url": f"{ours.public_url}{INBOUND}", "fallback_url": None, "numbers": ours.sms_numbers}
        sim = stack.enter_context(simulation(**hooks))
        context = open_context(changed(ours, TWILIO_API_BASE=sim.url))
        context.inbox = TwilioInbox(ACCOUNT, TOKEN, sim.url)
        stack.callback(context.close)
        stack.enter_context(served(ours))
        sim.faults(
            {"fault": "webhook-drop", "share": 0.2},
            {"fault": "webhook-delay", "share": 0.3, "seconds": 0.5},
            {"fault": "webhook-repeat", "share": 0.5, "n": 3, "together": True},
        )
        watch = ListWatch(context)
        with ThreadPoolExecutor(6) as crowd:
            said = [crowd.submit(sim.text, f"{number}", phone=SAM) for number in range(80)]
            while not all(one.done() for one in said):
                watch.run_once()
                time.sleep(0.05)
        time.sleep(0.15)  # the period
        watch.run_once()
    found = [row.text for row in rows(engine, "SELECT text FROM inbound")]
    assert sorted(found, key=int) == [str(number) for number in range(80)]
