"""The flow in a real browser: its charts are drawn, its figures come anew, and the policy has no complaint."""

import shutil

import pytest

from gateway.network.web import web_sessions
from gateway.store.database import transaction
from gateway.store.tables import Account
from tests.support.office import Office
from tests.support.operator_pages import opened
from tests.support.web_process import served

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
@pytest.mark.parametrize("width", [390, 1280])
def test_figures_come_anew_and_charts_are_drawn(office: Office, width: int) -> None:
    sync = pytest.importorskip("playwright.sync_api")
    with opened(office) as operators:
        dana = operators.account("dana")
    with transaction(office.engine) as session:
        token = web_sessions.begin(session, session.get_one(Account, dana), "code")
    with served(office.settings) as url, sync.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        context = browser.new_context(viewport={"width": width, "height": 900})
        context.add_cookies([{"name": "critter", "value": token, "url": url}])
        page = context.new_page()
        complaints: list[str] = []
        page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(f"{url}/operate")
        sync.expect(page.locator("#now-accepted .big")).to_contain_text("0")
        sync.expect(page.locator(".plot canvas")).to_have_count(2)
        sync.expect(page.locator("[data-flow]")).to_be_visible()
        office.says("kim", "starting the ACME proposal")
        sync.expect(page.locator("#now-accepted .big")).to_contain_text("1", timeout=15_000)
        assert page.evaluate("document.documentElement.scrollWidth") == width
        assert [each for each in complaints if "Failed to load resource" not in each] == []  # no stream runs here
        browser.close()
