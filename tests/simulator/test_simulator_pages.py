"""The simulator as a program: its ledger, its live events, who may ask, and how it starts and stops."""

import json
import shutil
import signal
import socket
import subprocess
import sys
from itertools import islice
from pathlib import Path

import pytest
import requests

from simulator import Options
from simulator.carrier_words import read
from simulator.segments import segments
from tests.support.simulation import ACCOUNT, OURS, SAM, simulation, soon

ROOT = Path(__file__).parents[2]
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


@pytest.fixture(scope="module")
def started():
    with simulation() as running:
        yield running


@pytest.fixture
def sim(started):
    started.reset()
    return started


def blocks(stream):
    """Events of a stream as (id, kind, data); the comments and the retry line are left out."""
    event = {}
    for line in stream.iter_lines(decode_unicode=True):
        if line:
            name, _, value = line.partition(": ")
            event[name] = value
        elif "data" in event:
            yield event["id"], event["event"], json.loads(event["data"])
            event = {}


def listen(sim, query="", **headers):
    return requests.get(f"{sim.url}/events{query}", headers=headers, stream=True, timeout=5)


def take(stream, count):
    found = list(islice(blocks(stream), count))
    stream.close()
    return found


def test_events_come_live_and_resume(sim):
    stream = listen(sim, "?kinds=text,status,hook,mail")
    sim.send(body="hello")
    first = take(stream, 3)
    assert [kind for _, kind, _ in first] == ["text", "status", "status"]
    assert (first[0][2]["to"], first[0][2]["by"], first[0][2]["status"]) == (SAM, "critter", "queued")
    assert [data["status"] for _, _, data in first[1:]] == ["sent", "delivered"]
    sim.text("hi")
    again = take(listen(sim, "?kinds=text,status,hook", **{"Last-Event-ID": first[1][0]}), 3)
    assert [kind for _, kind, _ in again] == ["status", "text", "hook"]
    assert again[0] == first[2]
    assert take(listen(sim, "?since=older-17&kinds=text"), 1)


def test_ledger_events_are_ledger_lines(sim):
    stream = listen(sim, "?kinds=ledger,reset")
    sim.send()
    sim.reset()
    (_, _, line), (_, kind, _) = take(stream, 2)
    assert (line["kind"], line["seq"], kind) == ("create", 1, "reset")
    assert listen(sim, "?kinds=weather").status_code == 400


def test_only_pages_of_this_machine(sim):
    for origin in ("http://127.0.0.1:8000", "http://localhost:8000"):
        answer = requests.get(f"{sim.url}/faults", headers={"Origin": origin}, timeout=5)
        assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (200, "*")
    for headers in ({"Origin": "https://evil.example"}, {"Origin": "null"}, {"Host": "evil.example"}):
        answer = requests.post(f"{sim.url}/reset", headers=headers, timeout=5)
        assert answer.status_code == 403
        assert "Access-Control-Allow-Origin" not in answer.headers
    assert listen(sim, Origin="http://127.0.0.1:8000").headers["Access-Control-Allow-Origin"] == "*"
    preflight = requests.options(f"{sim.url}/faults", headers={"Origin": "http://localhost:8000"}, timeout=5)
    assert "PUT" in preflight.headers["Access-Control-Allow-Methods"]


def test_reset_forgets_everything(sim):
    sim.send()
    sim.text("stop")
    sim.faults({"fault": "500"})
    sim.reset()
    assert sim.ledger() == sim.get("/faults") == sim.twilio.messages.list() == []
    assert sim.get(f"/phones/{SAM}.json") == {"number": SAM, "blocked": [], "texts": []}
    assert sim.send().sid


def test_the_page(sim):
    sim.text("hi")
    page = requests.get(sim.url, timeout=5)
    assert "script" in page.text
    assert requests.get(f"{sim.url}/static/page.js", timeout=5).status_code == 200
    assert sim.get("/phones.json") == {
        "company": "Acme",
        "numbers": [OURS, "+15005550007"],
        "people": {SAM: "Sam Ortiz"},
        "phones": [SAM],
    }
    assert requests.get(f"{sim.url}/phones/1x.json", timeout=5).status_code == 400
    assert requests.get(f"{sim.url}/elsewhere", timeout=5).status_code == 404


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_names_whose_phone_it_is(sim, scheme):
    sync = pytest.importorskip("playwright.sync_api")
    sim.text("hi")
    with sync.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(color_scheme=scheme)
        page.goto(sim.url)
        sync.expect(page.locator("section h2")).to_have_text(f"Sam Ortiz{SAM}")
        sync.expect(page.locator("section ol")).to_have_attribute("aria-label", "Texts of Sam Ortiz")
        sync.expect(page.locator("#empty")).to_be_hidden()
        brightness = page.evaluate("getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)")
        assert (max(brightness) < 60) is (scheme == "dark")
        page.get_by_label("Open a phone or a mailbox").fill("1x")
        page.keyboard.press("Enter")
        sync.expect(page.get_by_role("alert")).to_contain_text("neither a phone number")
        page.get_by_label("Open a phone or a mailbox").fill("somebody@mail.example")
        page.keyboard.press("Enter")
        sync.expect(page.locator("section h2").last).to_have_text("somebody@mail.example")
        sync.expect(page.locator("section .nothing")).to_have_text("No mails yet.")
        unlabelled = "[...document.querySelectorAll('input')].filter(i => !i.labels.length && !i.ariaLabel).length"
        assert page.evaluate(unlabelled) == 0
        sim.reset()
        sync.expect(page.locator("#empty")).to_be_visible()
        sync.expect(page.locator("section")).to_have_count(0)
        browser.close()


def test_ledger_goes_on_after_a_restart(tmp_path):
    path = tmp_path / "ledger.jsonl"
    with simulation(ledger=path, fsync=True) as sim:
        sim.send(status_callback=f"{sim.critter}/sms/status/token")
        soon(lambda: len(sim.ledger()) == 3)
    with path.open("a") as torn:
        torn.write('{"seq":')
    with simulation(ledger=path) as sim:
        sim.send()
        lines = path.read_text().splitlines()
        assert json.loads(lines[-1])["seq"] == 4
        assert json.loads(lines[0])["callback"] == "/sms/status/token"


@pytest.mark.parametrize("host", ["0.0.0.0", "10.0.0.1", "192.168.1.1", "simulator.example", "::"])
def test_it_stays_on_this_machine(host):
    given = {"account_sid": ACCOUNT, "auth_token": "x", "numbers": (OURS,), "webhook_url": "http://127.0.0.1/"}
    for name in ("listen", "smtp_listen", "mail_target"):
        with pytest.raises(ValueError, match="not on this machine"):
            Options(**given, **{name: (host, 8001)})
    for fine in ("127.0.0.1", "::1", "localhost", "192.0.2.7", "198.51.100.1", "203.0.113.254"):
        assert Options(**given, listen=(fine, 8001))


def test_as_a_program():
    command = [sys.executable, "-m", "simulator", "--listen", "127.0.0.1:0", "--smtp-listen", "127.0.0.1:0"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        url = process.stdout.readline().split()[1]
        assert requests.get(f"{url}/faults", timeout=5).json() == []
        stream = requests.get(f"{url}/events", stream=True, timeout=5)
        process.send_signal(signal.SIGTERM)
        assert process.wait(5) == 0
        stream.close()


def test_taken_ports_are_told():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        where = f"127.0.0.1:{taken.getsockname()[1]}"
        for option, other in (("--listen", "--smtp-listen"), ("--smtp-listen", "--listen")):
            command = [sys.executable, "-m", "simulator", option, where, other, "127.0.0.1:0"]
            ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=10, check=False)
            assert ended.returncode == 1
            assert ended.stderr.startswith("simulator: ")
            assert len(ended.stderr.splitlines()) == 1


def test_words_and_segments():
    assert read("  StOp \n", blocked=False) == "STOP"
    assert (read("yes", blocked=False), read("yes", blocked=True)) == (None, "START")
    assert [segments(text) for text in ("", "x" * 160, "[" * 80, "[" * 81, "\U0001f980" * 36)] == [1, 1, 1, 2, 2]


def test_it_imports_nothing_of_critter():
    for path in (ROOT / "simulator").rglob("*.py"):
        for word in ("gateway", "handlers", "workers", "critter"):
            assert f"import {word}" not in path.read_text()
            assert f"from {word}" not in path.read_text()
