"""Pushes in a real browser: what the page says when its push service cannot be reached or notifications are blocked,
and what the service worker shows."""

import json
import re
import shutil
from collections.abc import Iterator
from typing import Any

import pytest

from gateway.network.people import accounts
from gateway.network.web import web_sessions
from gateway.store.database import transaction
from tests.support.office import Office
from tests.support.push_browsers import subscribe
from tests.support.web_process import served

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium")
SHOWN = (
    "async () => (await (await navigator.serviceWorker.ready).getNotifications()).map((n) => [n.title, n.body, n.tag])"
)


@pytest.fixture
def chromium() -> Iterator[Any]:
    sync = pytest.importorskip("playwright.sync_api")
    with sync.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


def signed_in(office: Office, browser: Any, url: str, *permissions: str) -> tuple[Any, list[str]]:
    context = browser.new_context()
    context.grant_permissions(list(permissions), origin=url)
    with transaction(office.engine) as session:
        sam = accounts.by_handle(session, "sam")
        assert sam
        token = web_sessions.begin(session, sam, "code")
    context.add_cookies([{"name": "critter", "value": token, "url": url}])
    page, wrong = context.new_page(), []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda said: wrong.append(said.text) if "Content Security" in said.text else None)
    return page, wrong


def test_the_page_says_what_the_browser_allows(office: Office, chromium: Any) -> None:
    """This browser has no push service behind it."""
    with served(office.settings) as url:
        page, wrong = signed_in(office, chromium, url, "notifications")
        page.goto(f"{url}/settings")
        page.get_by_role("button", name="Notify me on this device").click()
        page.get_by_text("This browser could not reach its push service.").wait_for()
        blocked, _ = signed_in(office, chromium, url)
        blocked.goto(f"{url}/settings")
        blocked.evaluate("() => { Notification.requestPermission = async () => 'denied'; }")
        button = blocked.get_by_role("button", name="Notify me on this device")
        if button.is_visible():
            button.click()
        blocked.get_by_text("Notifications of these pages are blocked").wait_for()
        assert office.sql("SELECT count(*) FROM push_subscriptions") == [(0,)]
        assert wrong == []


def push(page: Any, url: str, **note: Any) -> None:
    """As if the push service had handed it over."""
    session = page.context.new_cdp_session(page)
    known: list[str] = []
    session.on(
        "ServiceWorker.workerRegistrationUpdated",
        lambda told: known.extend(each["registrationId"] for each in told["registrations"]),
    )
    session.send("ServiceWorker.enable")
    page.wait_for_function("async () => Boolean((await navigator.serviceWorker.ready).active)")
    while not known:
        page.wait_for_timeout(20)
    given = {"title": "Kim Lee", "body": "", "path": "/to-you", "tag": "update-1", "lang": "en", **note}
    session.send(
        "ServiceWorker.deliverPushMessage",
        {"origin": url, "registrationId": known[-1], "data": json.dumps(given)},
    )


def test_a_push_is_shown_and_a_repeat_takes_its_place(office: Office, chromium: Any) -> None:
    with served(office.settings) as url:
        page, wrong = signed_in(office, chromium, url, "notifications")
        page.goto(f"{url}/settings")
        push(page, url, body="the gate is open", unread=2)
        page.wait_for_function(f"async () => (await ({SHOWN})()).length === 1")
        push(page, url, body="the gate is shut")
        page.wait_for_function(f"async () => (await ({SHOWN})())[0]?.[1] === 'the gate is shut'")
        assert page.evaluate(SHOWN) == [["Kim Lee", "the gate is shut", "update-1"]]
        assert wrong == []


def test_a_device_that_is_known_is_listed(office: Office, chromium: Any) -> None:
    subscribe(office, "sam")
    with served(office.settings) as url:
        page, wrong = signed_in(office, chromium, url, "notifications")
        page.set_viewport_size({"width": 320, "height": 640})
        page.goto(f"{url}/settings")
        page.locator("#devices").get_by_text("Firefox, Linux").first.wait_for()
        page.get_by_label("Who names you: Push").check()
        page.get_by_text(re.compile(r"Saved \d")).wait_for(state="attached")
        page.locator("#cause-2", has_text="a push, at once").wait_for()
        assert office.sql("SELECT mention FROM attention") == [("push",)]
        assert page.evaluate("document.documentElement.scrollWidth") <= 320
        assert wrong == []
