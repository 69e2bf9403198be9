"""The pages in a real browser, with everything behind them running: signing in by a text, writing, hearing of it in a
second browser, undo, no network; both sizes, both themes, without a script; and nothing that axe-core finds."""

import json
import re
import shutil
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.support.examples import each
from tests.support.memory_folder import new_folder
from tests.support.running_critter import Company
from tests.support.running_critter import company as run_company

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
AXE = Path(__file__).parents[2] / "support" / "axe" / "axe.min.js"
KIM = "+14155550101"
PAGES = (
    "/", "/everyone", "/to-you", "/private", "/private/sam", "/write", "/write?to=acme", "/write?to=sam", "/people",
    "/groups", "/groups/new", "/@kim", "/@sam", "/@acme", "/@acme/people", "/@sam/followers", "/menu", "/search?q=acme",
    "/tags/acme", "/about/acme", "/invite", "/settings", "/settings/phones", "/settings/you", "/settings/blocked",
    "/settings/signed-in", "/settings/apps", "/settings/data",
)  # fmt: skip
OPERATE = (
    "/operate", "/operate/deliveries", "/operate/undelivered", "/operate/held", "/operate/reports", "/operate/numbers",
    "/operate/consent", "/operate/costs", "/operate/people", "/operate/people/import", "/operate/people/kim",
    "/operate/people/new", "/operate/people/kim/data",
    "/operate/audit", "/operate/settings", "/operate/check", "/operate/explain",
)  # fmt: skip
VISITORS = ("/sign-in", "/offline", "/help", "/terms", "/privacy")
# Both sizes and both themes; the other two pairs of them have nothing of their own.
LOOKS = each(2, (("phone", 390, "light"), ("phone", 390, "dark"), ("desk", 1280, "dark"), ("desk", 1280, "light")))


@pytest.fixture(scope="module")
def critter(memory: Path) -> Iterator[Company]:
    with run_company(new_folder(memory)) as running:
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    sync = pytest.importorskip("playwright.sync_api")
    with sync.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        started.close()


class Desk:
    """A browser of one person; what it complains about is kept."""

    def __init__(self, browser: Any, critter: Company, handle: str = "", **more: Any) -> None:
        self.url = f"http://{critter.environ['CRITTER_WEB_LISTEN']}"
        self.context = browser.new_context(
            reduced_motion="reduce", **{"viewport": {"width": 1280, "height": 900}, **more}
        )
        self.page = self.context.new_page()
        self.page.set_default_timeout(20_000)
        self.complaints: list[str] = []
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        if handle:
            self.page.goto(f"{self.url}/as/{handle}")

    def _hear(self, said: Any) -> None:
        if said.type in ("error", "warning") and "409" not in said.text:  # a question is no error of the page
            self.complaints.append(said.text)

    def until(self, true: str) -> None:
        """Waits until this JavaScript is true. The policy of our pages lets no page evaluate it by itself."""
        for _ in range(200):
            if self.page.evaluate(true):
                return
            self.page.wait_for_timeout(100)
        raise AssertionError(true)

    def go(self, path: str) -> Any:
        return self.page.goto(self.url + path)


def codes_on(critter: Company, number: str) -> list[str]:
    """The codes of six digits that came to this phone."""
    with urllib.request.urlopen(f"{critter.simulator}/phones/{quote(number)}.json", timeout=30) as answer:
        texts = json.load(answer)["texts"]
    return [found[0] for each in texts if (found := re.match(r"\d{6}", each["body"]))]


def test_signing_in_by_a_text_then_writing_live(critter: Company, browser: Any) -> None:
    kim, sam = Desk(browser, critter), Desk(browser, critter, "sam")
    kim.go("/write?to=acme")
    kim.page.fill("#who", KIM)
    kim.page.keyboard.press("Enter")
    kim.page.wait_for_selector("#code")
    critter.wait(lambda: bool(codes_on(critter, KIM)), "the code on Kim's phone")
    kim.page.fill("#code", codes_on(critter, KIM)[-1])
    kim.page.keyboard.press("Enter")
    kim.page.wait_for_selector("#say")
    assert kim.page.url.endswith("/write?to=acme")
    kim.go("/")
    kim.page.fill("form.composer textarea", "walking to the harbor")
    kim.page.keyboard.press("Control+Enter")
    kim.page.wait_for_selector(".undo form")
    assert "walking to the harbor" not in sam.page.inner_text("main")
    sam.page.evaluate("scrollTo({top: 200, behavior: 'instant'})")
    sam.until("scrollY === 200")
    place = sam.page.evaluate("document.querySelector('article.post:nth-of-type(3)').getBoundingClientRect().top")
    sam.page.wait_for_selector("[data-news]:not([hidden])", timeout=30_000)
    assert sam.page.inner_text("[data-news]") == "1 new"
    assert sam.page.title().startswith("(1) ")
    now = sam.page.evaluate("document.querySelector('article.post:nth-of-type(3)').getBoundingClientRect().top")
    assert now == place  # nothing moved under the reader
    sam.page.keyboard.press(".")
    sam.page.wait_for_selector("text=walking to the harbor")
    assert sam.page.title().startswith("Home")
    assert [*kim.complaints, *sam.complaints] == []


def test_nothing_moves_under_the_reader_and_counts_change_in_place(critter: Company, browser: Any) -> None:
    kim, sam = Desk(browser, critter, "kim"), Desk(browser, critter, "sam", viewport={"width": 1280, "height": 600})
    sam.page.evaluate("scrollTo({top: 300, behavior: 'instant'})")
    sam.until("scrollY === 300")
    read = sam.page.evaluate("document.querySelector('#feed article:nth-of-type(4)').id")
    place = f"document.getElementById('{read}').getBoundingClientRect().top"
    before = sam.page.evaluate(place)
    kim.page.fill("form.composer textarea", "the ferry is late again")
    kim.page.keyboard.press("Control+Enter")
    kim.page.wait_for_selector(".undo form")
    assert re.search(r"Leaves (in \d+ s|at [\d:]+) for 6 people, 4 by text.", kim.page.inner_text(".undo p"))
    sam.page.wait_for_selector("[data-news]:not([hidden])", timeout=30_000)
    sam.page.keyboard.press(".")
    sam.page.wait_for_selector("text=the ferry is late again")
    assert abs(sam.page.evaluate(place) - before) < 3
    assert sam.page.inner_text("[data-news]") == "To the top"
    sam.page.keyboard.press(".")
    assert (sam.page.evaluate("scrollY"), sam.page.inner_text("[data-news]")) == (0, "Take me back")
    sam.page.keyboard.press(".")
    assert abs(sam.page.evaluate(place) - before) < 3
    update = kim.page.get_attribute("article:has-text('the ferry is late again')", "id")
    sam.page.click(f"#{update} .act.like")
    kim.page.wait_for_selector(f"#{update} .act.like[aria-label='Like, 1']")
    kim.until(f"/got it/.test(document.querySelector('#{update} .receipt').innerText)")
    kim.page.click(f"#{update} details.act summary")
    kim.page.click(f"#{update} [formaction$=take-back]")
    sam.page.wait_for_selector(f"#{update}.gone")
    assert "Kim Lee took this back." in sam.page.inner_text(f"#{update}")
    kim.go("/private/sam")
    sam.go("/private/kim")
    sam.page.fill("textarea", "are you still there")
    sam.page.click("form.composer .button")
    kim.page.wait_for_selector("#feed >> text=are you still there", timeout=30_000)
    assert [*kim.complaints, *sam.complaints] == []


def test_undo_and_keys(critter: Company, browser: Any) -> None:
    kim = Desk(browser, critter, "kim")
    kim.page.keyboard.press("n")
    kim.page.keyboard.type("a mistake")
    kim.page.keyboard.press("Control+Enter")
    kim.page.wait_for_selector(".undo form")
    kim.page.keyboard.press("u")
    kim.page.wait_for_selector("text=Taken back. Nobody got it.")
    assert "a mistake" not in kim.page.inner_text("#feed")
    kim.page.keyboard.press("j")
    kim.page.keyboard.press("j")
    kim.page.keyboard.press("k")
    focused = kim.page.evaluate("document.activeElement.id")
    assert focused == kim.page.evaluate("document.querySelector('#feed article').id")
    kim.page.keyboard.press("?")
    kim.page.wait_for_selector("dialog[open]")
    kim.page.keyboard.press("Escape")
    kim.page.keyboard.press("g")
    kim.page.keyboard.press("p")
    kim.page.wait_for_url("**/private")
    assert kim.complaints == []


def test_names_complete_and_drafts_stay(critter: Company, browser: Any) -> None:
    kim = Desk(browser, critter, "kim")
    kim.go("/write")
    kim.page.type("#say", "lunch with @sa", delay=30)
    kim.page.wait_for_selector(".suggest [role=option]")
    assert kim.page.get_attribute("#say", "aria-activedescendant") == "suggested-0"
    kim.page.keyboard.press("Enter")
    assert kim.page.input_value("#say") == "lunch with @sam "
    kim.page.wait_for_selector("[data-reach-card] .sums")
    kim.until("document.querySelector('[data-kept]').textContent !== ''")
    kim.go("/write")
    assert kim.page.input_value("#say") == "lunch with @sam"
    assert kim.complaints == []


def test_everything_reads_and_posts_without_a_script(critter: Company, browser: Any) -> None:
    dana = Desk(browser, critter, "dana", java_script_enabled=False)
    dana.page.fill("form.composer textarea", "no script here")
    dana.page.click("form.composer button.button")
    assert "no script here" in dana.page.inner_text("#feed")
    dana.page.click(".undo button")
    assert "Taken back" in dana.page.inner_text(".undo")
    dana.page.click("#feed .act.like >> nth=0")
    assert dana.page.get_attribute("#feed .act.like >> nth=0", "aria-pressed") == "true"
    dana.go("/write")
    dana.page.fill("#say", "rain \u2602")
    dana.page.click("[data-preview]")
    assert "Who it reaches" in dana.page.inner_text("main")


def test_the_last_home_stands_without_a_network(critter: Company, browser: Any) -> None:
    kim = Desk(browser, critter, "kim")
    kim.page.evaluate("navigator.serviceWorker.ready.then(() => 1)")
    kim.go("/")
    kim.until("caches.match('/').then(Boolean)")
    kim.context.set_offline(True)
    kim.go("/")
    kim.page.wait_for_selector("[data-offline]:not([hidden])")
    assert "No network" in kim.page.inner_text("main")
    kim.go("/write")
    assert "There is no network here" in kim.page.inner_text("main")
    kim.context.set_offline(False)
    kim.go("/")
    assert "No network" not in kim.page.inner_text("main")


@pytest.mark.repeats
@pytest.mark.timeout(600)
@pytest.mark.parametrize(("size", "width", "theme"), LOOKS)
def test_nothing_is_in_the_way_of_anybody(critter: Company, browser: Any, size: str, width: int, theme: str) -> None:
    """axe-core finds nothing serious, and no page is broader than the screen."""
    look = {"viewport": {"width": width, "height": 844}, "color_scheme": theme, "bypass_csp": True}
    found = []
    for handle, paths in (("kim", PAGES), ("pat", OPERATE), ("", VISITORS)):
        desk = Desk(browser, critter, handle, **look)
        for path in paths:
            assert desk.go(path).status == 200, path
            desk.page.add_script_tag(path=str(AXE))
            told = desk.page.evaluate("axe.run(document, {resultTypes: ['violations']})")
            found += [f"{path}: {each['id']}: {each['nodes'][0]['html'][:120]}" for each in told["violations"]]
            broad = desk.page.evaluate("document.documentElement.scrollWidth")
            found += [f"{path}: {broad} px broad"] if broad > width else []
    assert found == []
