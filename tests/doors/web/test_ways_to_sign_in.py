"""Signing in by a login link, a passkey and the account of the company; sessions that nobody else begins; the first
start."""

import re
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import oidc_provider_mock
import pytest
import requests

from critter.console.first_admin_link import find_first_link, first_link
from gateway.doors.web.sign_in import company_provider
from gateway.doors.web.visits import cookies
from gateway.network.verification import codes
from gateway.store.database import transaction
from gateway.store.tables import Account
from tests.support.office import Office
from tests.support.web_office import WebOffice, opened
from tests.support.web_process import changed
from tests.support.web_visitor import WebVisitor

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture
def web(office: Office) -> Iterator[WebOffice]:
    with opened(office) as found:
        yield found


def login_link(web: WebOffice, handle: str) -> str:
    with transaction(web.office.engine) as session:
        return f"/login/{codes.login(session, web.office.registry.signer, web.id(handle))}"


def sessions(web: WebOffice) -> list[tuple]:
    return web.sql("SELECT a.handle, s.began_by FROM web_sessions s JOIN accounts a ON a.id = s.account_id "
                   "WHERE s.ended_at IS NULL ORDER BY s.id")  # fmt: skip


def test_a_login_link_signs_in_once_and_shows_the_link_code(web: WebOffice) -> None:
    visitor, path = web.visitor(), login_link(web, "sam")
    looked = [visitor.open(path) for _ in range(2)]
    assert [each.status_code for each in looked] == [200, 200]
    assert "sam" not in looked[0].text
    assert "Was that not you?" in looked[0].text
    entered = visitor.press(path)
    assert (entered.status_code, entered.headers["Cache-Control"]) == (200, "no-store")
    assert "You are signed in as @sam." in entered.text
    assert re.search(r"<kbd>link \d{6}</kbd>", entered.text)
    assert sessions(web) == [("sam", "link")]
    assert visitor.open("/settings").status_code == 200
    other = web.visitor()
    assert [other.press(path).status_code, other.open(path).status_code] == [410, 410]
    assert web.visitor().open("/login/" + "0" * 32).status_code == 404


def test_after_too_many_link_codes_a_login_still_signs_in(web: WebOffice) -> None:
    path = login_link(web, "sam")
    with transaction(web.office.engine) as session:
        for _ in range(codes.DAILY):
            codes.link(session, web.office.registry.signer, web.id("sam"))
    entered = web.visitor().press(path)
    assert "One person can get 10 codes a day" in entered.text
    assert "<kbd>link" not in entered.text
    assert sessions(web) == [("sam", "link")]


def test_the_page_after_it_is_in_the_language_of_its_owner(web: WebOffice) -> None:
    web.sql("UPDATE accounts SET language = 'es' WHERE handle = 'sam'")
    assert '<html lang="es"' in web.visitor().press(login_link(web, "sam")).text


def test_no_form_of_another_site_signs_anybody_in(web: WebOffice) -> None:
    path, visitor = login_link(web, "sam"), web.visitor()
    assert visitor.browser.post(path).status_code == 403
    assert visitor.press(path, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert visitor.press(path, headers={"Origin": "https://evil.example"}).status_code == 403
    assert sessions(web) == []


def test_a_session_that_somebody_else_put_there_is_worth_nothing(web: WebOffice) -> None:
    """Session fixation: whoever knows the cookie before does not know the one after."""
    visitor = web.visitor()
    visitor.browser.set_cookie(cookies.SESSION, "chosen-by-mallory")
    visitor.press(login_link(web, "sam"))
    after = visitor.browser.get_cookie(cookies.SESSION)
    assert after.value != "chosen-by-mallory"
    assert WebVisitor(web.app, "chosen-by-mallory").open("/settings").status_code == 303


def test_signing_in_as_another_ends_the_session_of_this_browser(web: WebOffice) -> None:
    kim = web.browser("kim")
    kim.press(login_link(web, "sam"))
    assert sessions(web) == [("sam", "link")]


def test_one_origin_has_so_many_tries(web: WebOffice) -> None:
    visitor = web.visitor()
    answers = [visitor.press("/login/" + "0" * 32).status_code for _ in range(21)]
    assert answers == [404] * 20 + [429]
    last = visitor.press("/sign-in", {"who": "+14155550102"})
    assert (last.status_code, int(last.headers["Retry-After"]) > 0) == (429, True)
    assert "Too many tries" in last.text


# The company's own sign-in.


@pytest.fixture
def provider() -> Iterator[str]:
    with oidc_provider_mock.run_server_in_thread() as server:
        company_provider._known.clear()
        yield f"http://127.0.0.1:{server.server_port}"


@pytest.fixture
def company(office: Office, provider: str) -> Iterator[WebOffice]:
    given = {"CRITTER_OIDC_ISSUER": provider, "CRITTER_OIDC_CLIENT_ID": "critter", "CRITTER_OIDC_CLIENT_SECRET": "s"}
    with opened(office, changed(office.settings, **given)) as found:
        yield found


def person(provider: str, subject: str, **claims: object) -> None:
    assert requests.put(f"{provider}/users/{subject}", json=claims, timeout=9).status_code == 204


def to_company(visitor: WebVisitor, path: str = "/sign-in/company") -> str:
    answer = visitor.open(path)
    assert answer.status_code == 303
    return str(answer.location)


def come_back(visitor: WebVisitor, there: str, subject: str):
    """As the browser does: to the company's page, and back with what it says."""
    answer = requests.post(there, data={"sub": subject}, allow_redirects=False, timeout=9)
    back = urlsplit(answer.headers["Location"])
    return visitor.open(f"{back.path}?{back.query}")


def test_the_company_signs_in_whose_mailbox_it_has_verified(company: WebOffice, provider: str) -> None:
    person(provider, "k-17", email="Kim@Demo.example", email_verified=True)
    visitor = company.visitor()
    assert "Sign in with" in visitor.open("/sign-in").text
    there = to_company(visitor, "/sign-in/company?to=/settings")
    asked = parse_qs(urlsplit(there).query)
    assert asked["code_challenge_method"] == ["S256"]
    assert {"state", "nonce", "code_challenge"} <= set(asked)
    answer = come_back(visitor, there, "k-17")
    assert (answer.status_code, answer.location) == (303, "/settings")
    assert sessions(company) == [("kim", "company")]
    assert company.sql("SELECT issuer, subject FROM company_accounts") == [(provider, "k-17")]


def test_they_are_known_by_the_companys_id_from_then_on(company: WebOffice, provider: str) -> None:
    """A mailbox that somebody else has by now opens nothing of its former owner's."""
    person(provider, "k-17", email="kim@demo.example", email_verified=True)
    visitor = company.visitor()
    come_back(visitor, to_company(visitor), "k-17")
    person(provider, "k-17", email="other@demo.example", email_verified=True)
    person(provider, "new", email="kim@demo.example", email_verified=True)
    again, stranger = company.visitor(), company.visitor()
    assert come_back(again, to_company(again), "k-17").status_code == 303
    assert come_back(stranger, to_company(stranger), "new").status_code == 403
    assert sessions(company) == [("kim", "company"), ("kim", "company")]


@pytest.mark.parametrize(
    "claims",
    [
        {"email": "kim@demo.example"},
        {"email": "kim@demo.example", "email_verified": False},
        {"email": "kim@demo.example", "email_verified": "true"},
        {"email": "nobody@demo.example", "email_verified": True},
        {"email": "not a mailbox", "email_verified": True},
        {},
    ],
)
def test_who_is_not_known_here_is_told_whom_to_ask(company: WebOffice, provider: str, claims: dict) -> None:
    person(provider, "x", **claims)
    visitor = company.visitor()
    answer = come_back(visitor, to_company(visitor), "x")
    assert (answer.status_code, "Ask an operator to add you." in answer.text) == (403, True)
    assert sessions(company) == []


@pytest.mark.parametrize("state", ["suspended", "deactivated"])
def test_the_company_signs_in_nobody_who_may_not_act(company: WebOffice, provider: str, state: str) -> None:
    person(provider, "k-17", email="kim@demo.example", email_verified=True)
    first, second = company.visitor(), company.visitor()
    come_back(first, to_company(first), "k-17")
    company.sql("UPDATE accounts SET state = :s WHERE handle = 'kim'", s=state)
    assert come_back(second, to_company(second), "k-17").status_code == 403
    assert first.open("/settings").status_code == 303


def test_only_the_browser_that_went_there_comes_back(company: WebOffice, provider: str) -> None:
    """Whoever sends somebody a link with a code of their own signs nobody in (RFC 6749, 10.12)."""
    person(provider, "k-17", email="kim@demo.example", email_verified=True)
    mallory, victim = company.visitor(), company.visitor()
    assert come_back(victim, to_company(mallory), "k-17").status_code == 403
    to_company(victim)
    assert come_back(victim, to_company(mallory), "k-17").status_code == 403
    assert sessions(company) == []


def test_a_cookie_that_is_not_ours_is_none(company: WebOffice, provider: str) -> None:
    visitor = company.visitor()
    there = to_company(visitor)
    visitor.browser.set_cookie(cookies.COMPANY, visitor.browser.get_cookie(cookies.COMPANY).value[:-4] + "AAAA")
    assert come_back(visitor, there, "k-17").status_code == 403


def test_another_nonce_is_not_believed(company: WebOffice, provider: str) -> None:
    person(provider, "k-17", email="kim@demo.example", email_verified=True)
    visitor = company.visitor()
    there = re.sub(r"nonce=[^&]+", "nonce=another", to_company(visitor))
    assert come_back(visitor, there, "k-17").status_code == 502
    assert sessions(company) == []


def test_a_provider_that_is_away_is_said_and_codes_still_work(office: Office) -> None:
    company_provider._known.clear()
    given = {
        "CRITTER_OIDC_ISSUER": "http://127.0.0.1:9",
        "CRITTER_OIDC_CLIENT_ID": "c",
        "CRITTER_OIDC_CLIENT_SECRET": "s",
    }
    with opened(office, changed(office.settings, **given)) as web:
        answer = web.visitor().open("/sign-in/company")
        assert (answer.status_code, "does not answer" in answer.text) == (502, True)
        assert web.visitor().press("/sign-in", {"who": "+14155550102"}).status_code == 303


def test_it_leads_nowhere_else_afterwards(company: WebOffice, provider: str) -> None:
    person(provider, "k-17", email="kim@demo.example", email_verified=True)
    visitor = company.visitor()
    answer = come_back(visitor, to_company(visitor, "/sign-in/company?to=https://evil.example/"), "k-17")
    assert answer.location == "/"


def test_without_its_settings_there_is_no_company_sign_in(web: WebOffice) -> None:
    assert "Sign in with" not in web.visitor().open("/sign-in").text
    assert web.visitor().open("/sign-in/company").status_code == 404
    assert web.visitor().open("/sign-in/company/back?code=1&state=1").status_code == 404


# The first start.


def test_the_console_shows_the_link_while_nobody_runs_it(office: Office) -> None:
    told = find_first_link(office.settings)
    assert told is not None
    assert f"{office.settings.public_url}/first/" in told
    with opened(office) as web:
        visitor, path = web.visitor(), "/first/" + told.partition("/first/")[2]
        assert visitor.press(path, {"name": "Ada Boss", "handle": "ada"}).location == "/settings/phones"
        assert sessions(web) == [("ada", "first")]
        assert visitor.open("/settings/phones").status_code == 200
        assert web.visitor().open(path).status_code == 404, "it opens once"
    assert first_link(office.settings, office.engine) is None


def test_no_link_is_shown_where_somebody_runs_it(office: Office) -> None:
    with transaction(office.engine) as session:
        session.query(Account).filter_by(handle="pat").update({"role": "admin"})
    assert find_first_link(office.settings) is None
