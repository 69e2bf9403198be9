"""Passkeys in a real browser, with an authenticator that it pretends to have: added in the settings, signed in with,
and nothing that was tampered with is taken."""

import json
import re
import shutil
from collections.abc import Iterator
from urllib.parse import unquote_plus

import pytest
from sqlalchemy import text

from gateway.network.people import accounts
from gateway.network.web import web_sessions
from gateway.store.database import transaction
from tests.support.office import Office
from tests.support.web_office import opened
from tests.support.web_process import changed, served

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium")
THERE = re.compile(r":\d+/settings/you$")
AUTHENTICATOR = {
    "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
    "isUserVerified": True, "automaticPresenceSimulation": True,
}  # fmt: skip


class Browser:
    """One page of Chromium at the address that has a name, for passkeys need one."""

    def __init__(self, page, url: str, office: Office) -> None:
        self.page, self.url, self.office = page, url, office
        self.wrong: list[str] = []
        page.on("pageerror", lambda error: self.wrong.append(str(error)))
        self.protocol = page.context.new_cdp_session(page)
        self.protocol.send("WebAuthn.enable", {"enableUI": False})
        added = self.protocol.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})
        self.authenticator = added["authenticatorId"]

    def sign_in(self, handle: str) -> None:
        with transaction(self.office.engine) as session:
            token = web_sessions.begin(session, accounts.by_handle(session, handle), "code")
        self.page.context.add_cookies([{"name": "critter", "value": token, "url": self.url}])

    def sign_out(self) -> None:
        self.page.context.clear_cookies()

    def add_passkey(self) -> None:
        self.page.goto(f"{self.url}/settings/phones")
        self.page.get_by_role("button", name="Add a passkey").click()
        self.page.get_by_text("Added. You can sign in with it").wait_for()

    def rows(self, statement: str) -> list[tuple]:
        with transaction(self.office.engine) as session:
            return [tuple(row) for row in session.execute(text(statement))]


@pytest.fixture
def browser(office: Office) -> Iterator[Browser]:
    sync = pytest.importorskip("playwright.sync_api")
    url = f"http://localhost:{office.settings.web_listen[1]}"
    settings = changed(office.settings, CRITTER_PUBLIC_URL=url)
    with served(settings), sync.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield Browser(chromium.new_page(), url, office)
        chromium.close()


def test_a_passkey_is_added_and_signs_in(browser: Browser) -> None:
    browser.sign_in("sam")
    browser.add_passkey()
    assert browser.rows("SELECT p.handle, k.name <> '', k.used_at IS NULL FROM passkeys k "
                        "JOIN accounts p ON p.id = k.account_id") == [("sam", True, True)]  # fmt: skip
    browser.sign_out()
    browser.page.goto(f"{browser.url}/sign-in?to=/settings/you")
    browser.page.wait_for_url(THERE)  # the field offers it by itself, and the pretended user takes it
    assert browser.page.get_by_text("@sam").first.is_visible()
    assert browser.rows("SELECT began_by FROM web_sessions WHERE ended_at IS NULL ORDER BY id") == [
        ("code",), ("passkey",),
    ]  # fmt: skip
    assert browser.rows("SELECT used_at IS NOT NULL FROM passkeys") == [(True,)]
    assert browser.wrong == []


def test_one_that_was_removed_or_whose_owner_was_suspended_signs_nobody_in(browser: Browser) -> None:
    browser.sign_in("sam")
    browser.add_passkey()
    browser.sign_out()
    with transaction(browser.office.engine) as session:
        session.execute(text("UPDATE accounts SET state = 'suspended' WHERE handle = 'sam'"))
    browser.page.goto(f"{browser.url}/sign-in")
    browser.page.get_by_text("That passkey is not known here").wait_for()
    with transaction(browser.office.engine) as session:
        session.execute(text("UPDATE accounts SET state = 'active' WHERE handle = 'sam'"))
        session.execute(text("DELETE FROM passkeys"))
    browser.page.goto(f"{browser.url}/sign-in")
    browser.page.get_by_text("That passkey is not known here").wait_for()
    assert browser.rows("SELECT count(*) FROM web_sessions WHERE began_by = 'passkey'") == [(0,)]


def test_an_answer_is_not_taken_twice_or_by_another_browser(browser: Browser) -> None:
    """A captured answer is worth nothing: its challenge is signed into a cookie of the browser that asked, and the
    authenticator's count of uses goes on."""
    browser.sign_in("sam")
    browser.add_passkey()
    browser.sign_out()
    sent: list[str] = []
    browser.page.on(
        "request", lambda asked: sent.append(asked.post_data or "") if asked.url.endswith("/passkey") else 0
    )
    browser.page.goto(f"{browser.url}/sign-in?to=/settings/you")
    browser.page.wait_for_url(THERE)
    form = dict(part.split("=", 1) for part in sent[0].split("&"))
    browser.sign_out()
    browser.protocol.send("WebAuthn.removeVirtualAuthenticator", {"authenticatorId": browser.authenticator})
    browser.page.goto(f"{browser.url}/sign-in")
    replayed = browser.page.evaluate(
        """async credential => {
            const csrf = document.querySelector('[name=csrf]').value;
            const body = new URLSearchParams({csrf, credential});
            await fetch('/sign-in/passkey/options', {method: 'POST', body});
            return (await fetch('/sign-in/passkey', {method: 'POST', body})).status;
        }""",
        unquote_plus(form["credential"]),
    )
    assert replayed == 422
    assert browser.rows("SELECT count(*) FROM web_sessions WHERE began_by = 'passkey'") == [(1,)]
    assert browser.rows("SELECT count(*) FROM audit WHERE action = 'passkey.wrong'") == [(1,)]


@pytest.mark.parametrize("credential", ["", "{}", "[]", "null", json.dumps({"id": "AAAA"}), "x" * 30_000])
def test_what_is_no_answer_of_a_browser_is_refused(office: Office, credential: str) -> None:
    settings = changed(office.settings, CRITTER_PUBLIC_URL="http://localhost:8000")
    with opened(office, settings) as web:
        visitor, sam = web.visitor(), web.browser("sam")
        assert visitor.press("/sign-in/passkey", {"credential": credential}).status_code == 422, "no challenge"
        visitor.press("/sign-in/passkey/options")
        assert visitor.press("/sign-in/passkey", {"credential": credential}).status_code == 422
        sam.press("/settings/passkeys/options")
        assert sam.press("/settings/passkeys", {"credential": credential}).status_code == 422
        assert web.sql("SELECT count(*) FROM passkeys") == [(0,)]


def test_where_pages_have_a_number_for_a_name_there_are_none(office: Office) -> None:
    with opened(office) as web:
        assert web.visitor().press("/sign-in/passkey/options").status_code == 404
        assert "Browsers take passkeys only where pages have a name." in web.browser("sam").words("/settings/phones")
