"""The tour in a real browser against a real `critter up`: every chip, the kill, and starting over. Never when live."""

import json
import re
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from critter.demo import tour
from critter.processes import registry
from critter.processes.app import Tour
from gateway.errors import Refused
from gateway.settings import load
from tests.settings.test_settings import LIVE
from tests.support.memory_folder import new_folder
from tests.support.running_critter import ROOT, Company, company

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
browsing = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
BOB, SAM, KIM = "+14155550103", "+14155550102", "+14155550101"
DANA, ROSA = "+14155550104", "+14155550110"
README = ROOT / "README.md"
HERE = """
    SELECT 'follow', f.follower_id, f.account_id, f.role || f.by_text FROM follows f
    UNION ALL SELECT 'address', id, account_id, state || receiving FROM addresses
    UNION ALL SELECT 'post', id, author_id, text FROM posts
    UNION ALL SELECT 'consent', id, address_id, source FROM consent
    UNION ALL SELECT 'account', id, 0, handle || daily FROM accounts
    UNION ALL SELECT 'shown', id, author_id, text FROM posts WHERE deleted_at IS NULL
    UNION ALL SELECT 'reaction', post_id, account_id, kind FROM reactions ORDER BY 1, 2, 3
"""
MARKS = """
    INSERT INTO reactions (post_id, account_id, kind)
    SELECT p.id, a.id, 'like' FROM posts p, accounts a WHERE p.text = 'Cake in the kitchen' AND a.handle = 'dave'
"""
HELD = """
    INSERT INTO inbound (channel, natural_key, sender, recipients, trusted, state)
    VALUES ('email', 'held', 'priya@demo.example', '{post@mail.example}', false, 'held')
"""


@pytest.fixture(scope="module")
def critter(memory: Path) -> Iterator[Company]:
    with company(new_folder(memory)) as running:
        yield running


def ask(critter: Company, path: str, body: Any = None, **headers: str) -> Any:
    data = None if body is None else json.dumps(body).encode()
    kind = {"Content-Type": "application/json"} | headers
    request = urllib.request.Request(f"http://{critter.environ['CRITTER_WEB_LISTEN']}{path}", data, kind)
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.loads(answer.read() or b"null")


def state(critter: Company) -> list[tuple[Any, ...]]:
    with critter.engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(HERE))]


def test_a_live_web_process_gets_no_tour(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    live = load({**LIVE, "CRITTER_VAR": str(tmp_path)})
    with pytest.raises(Refused, match="simulated"):
        tour.serve_pages(live)
    served: list[tuple[Any, ...]] = []
    monkeypatch.setattr("critter.processes.app.serve_web", lambda *given: served.append(given))
    registry.web(live)
    registry.web(load({"CRITTER_VAR": str(tmp_path)}))
    assert [given[1:] for given in served] == [(), (Tour(tour.serve_pages, tour.PEOPLE),)]


def test_the_tour_knows_nothing_of_the_product() -> None:
    names = "import sys, simulator.tour; print(*{name.partition('.')[0] for name in sys.modules})"
    loaded = subprocess.run([sys.executable, "-c", names], cwd=ROOT, capture_output=True, text=True, check=True)
    assert not {"gateway", "handlers", "workers", "critter"} & set(loaded.stdout.split())


def test_starting_over_puts_everything_back(critter: Company) -> None:
    before = state(critter)
    for number, body in (
        (SAM, "follow sales"),
        (KIM, "hello"),
        (KIM, "d ACNE x"),
        (BOB, "off dispatch"),
        (BOB, "STOP"),
        (SAM, "lang es"),
        (SAM, "ack on"),
        (SAM, "block kim"),
        (SAM, "follow #win"),
        (SAM, "zone tokyo"),
        (SAM, "quiet 3:03-3:04"),
        (SAM, "digest kim"),
        (SAM, "digest back"),
        (SAM, "name Somebody Else"),
        (SAM, "ok"),
    ):
        critter.text(number, body)
    critter.text(KIM, "new lunch open")
    critter.text(KIM, "ok")
    critter.text(KIM, "off daily")
    critter.text(BOB, "like")
    critter.wait(critter.settled, "everything settled")
    critter.run(MARKS)
    critter.run("UPDATE posts SET deleted_at = now() WHERE text = 'Cake in the kitchen'")
    critter.run(HELD)
    assert state(critter) != before
    assert ask(critter, "/tour/start-over", {}) == {}
    assert state(critter) == before
    assert critter.scalar("SELECT count(*) FROM inbound") == 0
    people = "SELECT count(*) FROM accounts WHERE language <> 'en' OR ack OR name = 'Somebody Else'"
    assert critter.scalar(people) == 0
    assert critter.scalar("SELECT count(*) FROM attention") == 0
    assert critter.scalar("SELECT count(*) FROM addresses WHERE quiet IS NOT NULL") == 0
    assert critter.scalar("SELECT (SELECT count(*) FROM silences) + (SELECT count(*) FROM topic_follows)") == 0
    left = "SELECT (SELECT count(*) FROM deliveries) + (SELECT count(*) FROM attempts) + (SELECT count(*) FROM drafts)"
    assert critter.scalar(left) == 0
    assert critter.ledger() == []
    assert critter.command("audit", "--settled", "0").returncode == 0


def test_the_readmes_step_by_hand_works_after_the_tour(critter: Company) -> None:
    """Dispatch has just asked, so that bare words of Rosa's would answer Dispatch alone."""
    said = re.findall(r"curl -d body='([^']+)' http://127.0.0.1:8001/phones/(\+\d+)/texts", README.read_text())
    assert [number for _, number in said] == [SAM, ROSA]
    critter.text(DANA, "#dispatch who is near the depot?")
    critter.wait(critter.settled, "the question is out")
    for words, number in said:
        assert critter.text(number, words)
        critter.wait(critter.settled, words)
    with urllib.request.urlopen(f"{critter.simulator}/phones/{SAM}.json", timeout=30) as answer:
        heard = json.loads(answer.read())["texts"][-1]
    assert heard["body"].startswith("Rosa Silva: running 20 minutes late")


@pytest.mark.parametrize("headers", [{"Content-Type": "text/plain"}, {"Host": "tour.example"}])
def test_other_pages_cannot_press_its_buttons(critter: Company, headers: dict[str, str]) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        ask(critter, "/tour/start-over", {}, **headers)
    assert refused.value.code == 403


def test_what_it_explains(critter: Company) -> None:
    told = ask(critter, "/tour/explain", {"text": "leave the building now"})
    assert (told["intent"], told["privacy"], told["would_answer"]) == ("update", "company", None)
    told = ask(critter, "/tour/explain", {"text": "d kim lunch?"})
    assert (told["intent"], told["privacy"]) == ("direct", "direct")
    assert "Kim Lee" in told["would_answer"], "it is Sam who says so, not Kim herself"
    told = ask(critter, "/tour/explain", {"text": "d kim lunch?", "by": "kim"})
    assert "nobody in that but you" in told["would_answer"]
    with pytest.raises(urllib.error.HTTPError) as nobody:
        ask(critter, "/tour/explain", {"text": "hello", "by": "pat"})
    assert "Nobody of that name" in json.load(nobody.value)["trouble"]
    assert ask(critter, "/tour/trace?id=SM0") == {"state": "unknown"}


@pytest.mark.skipif(CHROMIUM is not None, reason="the browser presses the button")
def test_the_kill_without_a_browser(critter: Company) -> None:
    ask(critter, "/tour/drill", {})
    critter.wait(lambda: ask(critter, "/tour/drill")["phase"] in ("done", "failed"), "the drill")
    told = ask(critter, "/tour/drill")
    assert (told["phase"], told["arrived"], told["lost"], told["twice"]) == ("done", 1000, 0, 0), told
    assert told["pid"] != told["successor"] == critter.pid("worker-sms")


@browsing
def test_every_step_in_a_browser(critter: Company) -> None:
    sync = pytest.importorskip("playwright.sync_api")
    assert ask(critter, "/tour/start-over", {}) == {}  # others have texted before
    with sync.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 800}, reduced_motion="reduce")
        complaints: list[str] = []
        page.on("console", lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(f"http://{critter.environ['CRITTER_WEB_LISTEN']}/")
        try:
            _walk(page, sync.expect)
        except AssertionError as wrong:
            raise AssertionError(f"{wrong}\nlog:\n{critter.log()[-4000:]}") from wrong
        assert complaints == []
        browser.close()


EMPTY = {
    "sam": "No texts yet. Press 1.",
    "kim": "No texts yet. Press 2.",
    "bob": "No texts yet. Press 6.",
    "dana": "No texts yet. Press 6.",
    "priya": "No mails yet. Press 2.",
    "elena": "No mails yet. Press 2.",
}


def _walk(page: Any, expect: Any) -> None:
    """Each chip, and what must then stand on whose device."""
    for handle, line in EMPTY.items():
        expect(page.locator(f"#{handle} .nothing")).to_have_text(line)
    _press(page, 1)
    expect(page.locator("#sam .item").last).to_contain_text("You follow Sales")
    _press(page, 2)
    expect(page.locator("#sam .item").last).to_contain_text("Kim Lee: starting the ACME proposal")
    for mailbox in ("#priya", "#elena"):
        expect(page.locator(f"{mailbox} .item .subject")).to_contain_text("starting the ACME proposal")
    expect(page.locator("#kim .own .ribbon")).to_contain_text("read\N{NO-BREAK SPACE}as\N{NO-BREAK SPACE}update")
    expect(page.locator("#kim .own .ribbon")).to_contain_text(
        "4\N{NO-BREAK SPACE}texts,\N{NO-BREAK SPACE}2\N{NO-BREAK SPACE}mails"
    )
    expect(page.locator("#road [data-stop=sent]")).to_contain_text("4 of 4 texts reported delivered")
    _press(page, 3)
    expect(page.locator("#kim .item:not(.own)").last).to_contain_text("Priya Nair: Finance has last year's numbers")
    _press(page, 4)
    expect(page.locator("#kim .hold")).to_have_text("taken back in time: nobody got it")
    _press(page, 5)
    expect(page.locator("#kim .item").last).to_contain_text("Kept private.")
    _press(page, 6)
    expect(page.locator("#bob .item").last).to_contain_text("Only dispatch got it.")
    expect(page.locator("#dana .item").last).to_contain_text("Bob Reyes (private): yes")
    expect(page.locator("#sam .item", has_text="yes")).to_have_count(0)
    _press(page, 7)
    expect(page.locator("#bob .stopped")).to_be_visible()
    expect(page.locator("#dana .item").last).to_contain_text("Bob Reyes has stopped texts")
    _press(page, 8)
    expect(page.locator("#sam .item").last).to_contain_text("While it was off, 2 updates came:")
    expect(page.locator("#sam .item").last).to_contain_text("1 Kim Lee: bring the blue folder")
    _press(page, 10)
    expect(page.locator("#explained .strong")).to_have_text("update")
    _type_by_hand(page, expect)
    _press(page, 9)
    expect(page.locator("#drill-count")).to_have_text("1,000 of 1,000, 0 lost, 0 twice", timeout=90_000)
    expect(page.locator("#drill-log")).to_contain_text("The program that sends")
    page.locator("#dana-says").fill("typed and never sent")
    page.locator("#start-over").click()
    for handle, line in EMPTY.items():
        expect(page.locator(f"#{handle} .nothing")).to_have_text(line)
    expect(page.locator("#bob .stopped")).to_have_count(0)
    expect(page.locator("#dana-says")).to_have_value("")
    expect(page.locator("#drill-count, #drill-log, #explained")).to_have_text(["", "", ""])
    expect(page.locator("#road-quote")).to_have_text("Nothing yet. Press 1.")
    expect(page.locator(".chip.done, .chip.now, .unread")).to_have_count(0)


def _press(page: Any, number: int) -> None:
    page.locator(f'.chip[data-step="{number}"]').click()
    page.wait_for_selector("body:not(.playing)", timeout=30_000)


def _type_by_hand(page: Any, expect: Any) -> None:
    """With the keyboard alone."""
    page.locator("#sam-says").focus()
    page.keyboard.type("whois kim")
    page.keyboard.press("Enter")
    expect(page.locator("#sam .item").last).to_contain_text("Kim Lee")
