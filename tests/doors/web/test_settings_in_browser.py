"""The settings in a real browser: a choice saves itself, and pages bear a narrow phone, both looks, and no script."""

import re
import shutil
from collections.abc import Iterator

import pytest
from sqlalchemy import text

from gateway.network.people import accounts
from gateway.network.web import web_sessions
from gateway.store.database import transaction
from tests.support.office import Office
from tests.support.web_process import served

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium")
PAGES = (
    "/settings", "/settings/phones", "/settings/you", "/settings/blocked", "/settings/signed-in", "/settings/apps",
    "/settings/data",
)  # fmt: skip


@pytest.fixture
def chromium() -> Iterator:
    sync = pytest.importorskip("playwright.sync_api")
    with sync.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


def signed_in(office: Office, browser, url: str, **how):
    context = browser.new_context(**how)
    with transaction(office.engine) as session:
        token = web_sessions.begin(session, accounts.by_handle(session, "sam"), "code")
    context.add_cookies([{"name": "critter", "value": token, "url": url}])
    page = context.new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda said: wrong.append(said.text) if "Content Security" in said.text else None)
    return page, wrong


def person_way(office: Office) -> str | None:
    with transaction(office.engine) as session:
        return session.scalar(text("SELECT person FROM attention"))


def test_a_choice_saves_itself(office: Office, chromium) -> None:
    with served(office.settings) as url:
        page, wrong = signed_in(office, chromium, url)
        page.goto(f"{url}/settings")
        page.get_by_label("People: Nothing").check()
        page.get_by_text(re.compile(r"Saved \d")).wait_for()
        assert person_way(office) == "nothing"
        assert page.locator("#cause-6").inner_text() == "nothing is sent; it stands here"
        page.get_by_label("People: Text").check()  # a second choice at once has a key of its own
        page.locator("#cause-6", has_text="a text, at once").wait_for()
        assert person_way(office) == "text"
        page.get_by_label("Private messages: Mail").check()  # sam has no mailbox: the page says so
        page.get_by_text("You have no confirmed mailbox here").wait_for()
        assert wrong == []


def test_without_a_script_one_button_saves_all(office: Office, chromium) -> None:
    with served(office.settings) as url:
        page, _ = signed_in(office, chromium, url, java_script_enabled=False)
        page.goto(f"{url}/settings")
        page.get_by_label("People: Digest").check()
        page.get_by_label("At most").fill("20")
        page.locator("#ways").get_by_role("button", name="Save", exact=True).last.click()
        assert person_way(office) == "digest"
        with transaction(office.engine) as session:
            assert session.scalar(text("SELECT texts_a_day FROM attention")) == 20


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_pages_bear_a_narrow_phone(office: Office, chromium, theme: str) -> None:
    with served(office.settings) as url:
        how = {"viewport": {"width": 320, "height": 640}, "color_scheme": theme}
        page, wrong = signed_in(office, chromium, url, **how)
        for path in PAGES:
            assert page.goto(url + path).status == 200
            assert page.evaluate("document.documentElement.scrollWidth") <= 320, path
            assert page.locator("h1").count() == 1, path
        assert wrong == []
