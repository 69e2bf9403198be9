"""An app registers, is let in on a page, gets its token, and is put out again."""

import re
from base64 import b64encode, urlsafe_b64encode
from hashlib import sha256
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from werkzeug.test import TestResponse

from gateway.network.people import accounts
from gateway.store.database import transaction
from tests.doors.api.conftest import ApiCompany
from tests.support.app_user import AppUser

OOB = "urn:ietf:wg:oauth:2.0:oob"
TUBA = "tuba://auth_code"
WEB_APP = "https://phanpy.example/back?x=1"
VERIFY = "/api/v1/apps/verify_credentials"


class NewApp:
    """An app that has registered."""

    def __init__(
        self, company: ApiCompany, redirect_uris: Any = (TUBA, OOB, WEB_APP), scopes: str = "read write"
    ) -> None:
        self.company = company
        answer = company.stranger().post(
            "/api/v1/apps", {"client_name": "Tuba", "redirect_uris": redirect_uris, "scopes": scopes, "website": ""}
        )
        assert answer.status_code == 200, answer.text
        self.told = answer.json
        self.id, self.secret = self.told["client_id"], self.told["client_secret"]

    def asks(self, redirect_uri: str = TUBA, **more: str) -> dict[str, str]:
        return {"response_type": "code", "client_id": self.id, "redirect_uri": redirect_uri, "scope": "read", **more}

    def consent(self, handle: str, decision: str = "yes", **asked: str) -> TestResponse:
        """What somebody's browser gets after they have pressed yes or no on the page."""
        browser = self.company.open(handle)
        page = browser.open(f"/oauth/authorize?{urlencode(self.asks(**asked))}")
        assert page.status_code == 200, page.text
        fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page.text))
        del fields["csrf"]
        given = {name: unescape(value) for name, value in fields.items()}
        return browser.press("/oauth/authorize", {**given, "decision": decision})

    def code(self, handle: str = "kim", **asked: str) -> str:
        return parse_qs(urlsplit(self.consent(handle, **asked).headers["Location"]).query)["code"][0]

    def exchange(self, code: str, redirect_uri: str = TUBA, **more: Any) -> TestResponse:
        given = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri,
                 "client_id": self.id, "client_secret": self.secret, **more}  # fmt: skip
        return self.company.stranger().client.post("/oauth/token", data=given)

    def user(self, handle: str = "kim") -> AppUser:
        return AppUser(self.company.app, self.exchange(self.code(handle)).json["access_token"])


def test_an_app_registers_however_it_writes(company: ApiCompany) -> None:
    told = NewApp(company).told
    assert told["redirect_uris"] == [TUBA, OOB, WEB_APP]
    assert told["redirect_uri"] == f"{TUBA}\n{OOB}\n{WEB_APP}"
    assert (told["name"], told["scopes"], told["website"], told["client_secret_expires_at"]) == (
        "Tuba", ["read", "write"], None, 0,
    )  # fmt: skip
    assert isinstance(told["id"], str)
    assert len(told["vapid_key"]) == 87
    by_lines = company.stranger().client.post(
        "/api/v1/apps", data={"client_name": "T", "redirect_uris": f"{OOB}\n{TUBA}"}
    )
    assert by_lines.json["redirect_uris"] == [OOB, TUBA]
    assert by_lines.json["scopes"] == ["read"]
    by_list = company.stranger().client.post("/api/v1/apps", data={"client_name": "T", "redirect_uris[]": [OOB, TUBA]})
    assert by_list.json["redirect_uris"] == [OOB, TUBA]


@pytest.mark.parametrize("wrong", [
    {"client_name": ""}, {"redirect_uris": ""}, {"redirect_uris": "javascript:alert(1)"}, {"redirect_uris": "/back"},
    {"redirect_uris": "https://a.example/#x"}, {"scopes": "everything"}, {"website": "javascript:alert(1)"},
    {"redirect_uris": "data:text/html,x"}, {"redirect_uris": "https:"}, {"client_name": "x" * 101},
])  # fmt: skip
def test_what_an_app_may_not_say_of_itself(company: ApiCompany, wrong: dict[str, str]) -> None:
    answer = company.stranger().post("/api/v1/apps", {"client_name": "T", "redirect_uris": OOB, **wrong})
    assert answer.status_code == 422
    assert answer.json["error"].startswith(f"Validation failed: {next(iter(wrong))}")


def test_a_code_becomes_a_token_once(company: ApiCompany) -> None:
    app = NewApp(company)
    code = app.code("kim", state="a b&c", scope="read write:statuses")
    answer = app.exchange(code)
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    token = answer.json
    assert (token["token_type"], token["scope"], set(token)) == (
        "Bearer", "read write:statuses", {"access_token", "token_type", "scope", "created_at"},
    )  # fmt: skip
    assert isinstance(token["created_at"], int)
    user = AppUser(company.app, token["access_token"])
    assert user.get(VERIFY).json["name"] == "Tuba"
    again = app.exchange(code)
    assert (again.status_code, again.json["error"]) == (400, "invalid_grant")
    assert user.get(VERIFY).status_code == 401  # whoever has the code may have stolen it, so its token is dead, too
    assert company.scalar("SELECT count(*) FROM app_tokens WHERE digest = :d", d=token["access_token"].encode()) == 0


def test_the_browser_is_led_back_with_state(company: ApiCompany) -> None:
    app = NewApp(company)
    yes, no = app.consent("kim", state="a b&c"), app.consent("kim", "no", state="a b&c", redirect_uri=WEB_APP)
    assert (yes.status_code, no.status_code) == (303, 303)
    assert yes.headers["Location"].startswith(TUBA + "?code=")
    assert parse_qs(urlsplit(yes.headers["Location"]).query)["state"] == ["a b&c"]
    assert no.headers["Location"].startswith(WEB_APP + "&error=access_denied")
    assert parse_qs(urlsplit(no.headers["Location"]).query)["state"] == ["a b&c"]
    assert "code" not in parse_qs(urlsplit(no.headers["Location"]).query)


def test_the_page_lets_its_form_lead_to_the_app(company: ApiCompany) -> None:
    app = NewApp(company)
    for uri, place in ((TUBA, "tuba:"), (WEB_APP, "https://phanpy.example")):
        page = company.open("kim").open(f"/oauth/authorize?{urlencode(app.asks(uri))}")
        assert f"form-action 'self' {place};" in page.headers["Content-Security-Policy"]
        assert "Let Tuba in?" in page.text
        assert "Kim Lee" in page.text


def test_a_code_may_be_copied(company: ApiCompany) -> None:
    app = NewApp(company)
    page = app.consent("kim", redirect_uri=OOB).text
    code = re.search(r'value="([\w-]{40,})" readonly', page)
    assert code
    assert app.exchange(code[1], OOB).status_code == 200
    assert "gets nothing" in app.consent("kim", "no", redirect_uri=OOB).text


@pytest.mark.parametrize("method", ["S256", "wrong", "none given", "plain", "no method"])
def test_proof_key(company: ApiCompany, method: str) -> None:
    app, verifier = NewApp(company), "v" * 50
    challenge = urlsafe_b64encode(sha256(verifier.encode()).digest()).decode().rstrip("=")
    if method in ("plain", "no method"):
        asked = app.asks(code_challenge=challenge, **({"code_challenge_method": "plain"} if method == "plain" else {}))
        refused = company.open("kim").open(f"/oauth/authorize?{urlencode(asked)}")
        assert "error=invalid_request" in refused.headers["Location"]
        return
    code = app.code(code_challenge=challenge, code_challenge_method="S256")
    more = {"S256": {"code_verifier": verifier}, "wrong": {"code_verifier": "w" * 50}}.get(method, {})
    answer = app.exchange(code, **more)
    assert answer.status_code == (200 if method == "S256" else 400)
    assert app.exchange(app.code(), code_verifier=verifier).status_code == 400  # nothing was said of one before


def test_nobody_is_led_where_no_app_has_registered(company: ApiCompany) -> None:
    app, browser = NewApp(company), company.open("kim")
    for asked in (
        app.asks("https://evil.example/"), app.asks(TUBA + "/x"), {**app.asks(), "client_id": "x"},
        {**app.asks(), "client_id": ""}, app.asks(OOB, scope="write:media admin:write"),
        {name: value for name, value in app.asks().items() if name != "redirect_uri"},
    ):  # fmt: skip
        for answer in (
            browser.open(f"/oauth/authorize?{urlencode(asked)}"),
            browser.press("/oauth/authorize", {**asked, "decision": "yes"}),
        ):
            assert answer.status_code == 400, asked
            assert "Location" not in answer.headers
    wide = browser.open(f"/oauth/authorize?{urlencode(app.asks(scope='read push'))}")
    assert wide.headers["Location"].startswith(TUBA + "?error=invalid_scope")
    token = browser.open(f"/oauth/authorize?{urlencode(app.asks(response_type='token'))}")
    assert "unsupported_response_type" in token.headers["Location"]
    assert company.scalar("SELECT count(*) FROM app_codes") == 0


def test_a_form_of_another_site_lets_nobody_in(company: ApiCompany) -> None:
    app, browser = NewApp(company), company.open("kim")
    forged = browser.browser.post("/oauth/authorize", data={**app.asks(), "decision": "yes"})
    foreign = browser.press("/oauth/authorize", {**app.asks(), "decision": "yes"},
                            headers={"Sec-Fetch-Site": "cross-site"})  # fmt: skip
    assert (forged.status_code, foreign.status_code) == (403, 403)
    assert company.scalar("SELECT count(*) FROM app_codes") == 0


def test_who_is_not_signed_in_signs_in_and_comes_back(company: ApiCompany) -> None:
    app = NewApp(company)
    path = f"/oauth/authorize?{urlencode(app.asks(state='s' * 800))}"
    led = company.visitor().open(path)
    assert parse_qs(urlsplit(led.headers["Location"]).query)["to"] == [path]
    browser = company.open("kim")
    assert browser.open(led.headers["Location"]).headers["Location"] == path
    forced = browser.open(f"{path}&force_login=true").headers["Location"]
    assert parse_qs(urlsplit(forced).query)["to"] == [path]
    assert "Send me a code" in browser.open(forced).text


def test_only_the_app_itself_gets_the_token(company: ApiCompany) -> None:
    app, other = NewApp(company), NewApp(company)
    code = app.code()
    for wrong in (
        {"client_secret": "x"}, {"client_secret": ""}, {"client_secret": other.secret}, {"client_id": other.id},
        {"client_id": other.id, "client_secret": other.secret}, {"client_id": ""}, {"code": "x"}, {"grant_type": "x"},
        {"code": ""},
    ):  # fmt: skip
        answer = app.exchange(**{"code": code, **wrong})
        assert answer.status_code in (400, 401), wrong
        assert answer.json["error"].isidentifier()
    assert app.exchange(code, TUBA).status_code == 200
    assert app.exchange(app.code(), OOB).json["error"] == "invalid_grant"


def test_json_and_basic_prove_an_app_too(company: ApiCompany) -> None:
    app, asks = NewApp(company), company.stranger()
    given = {"grant_type": "client_credentials", "scope": "read"}
    basic = {"Authorization": "Basic " + b64encode(f"{app.id}:{app.secret}".encode()).decode()}
    by_json = asks.post("/oauth/token", {**given, "client_id": app.id, "client_secret": app.secret})
    by_basic = asks.ask("POST", "/oauth/token", data=given, headers=basic)
    for answer in (by_json, by_basic):
        alone = AppUser(company.app, answer.json["access_token"])
        assert alone.get(VERIFY).json["name"] == "Tuba"
    wide = asks.post("/oauth/token", {**given, "client_id": app.id, "client_secret": app.secret, "scope": "push"})
    assert wide.json["error"] == "invalid_scope"


def test_old_codes_are_good_for_nothing(company: ApiCompany) -> None:
    app = NewApp(company)
    code = app.code()
    with transaction(company.engine) as session:
        session.connection().exec_driver_sql("UPDATE app_codes SET expires_at = now() - interval '1 second'")
    assert app.exchange(code).json["error"] == "invalid_grant"


def test_an_app_gives_its_token_back(company: ApiCompany) -> None:
    app, other = NewApp(company), NewApp(company)
    user = app.user()
    for given, status in (
        ({}, 200), ({"client_id": other.id, "client_secret": other.secret}, 200),
        ({"client_id": app.id, "client_secret": "x"}, 200), ({"client_id": app.id, "client_secret": app.secret}, 401),
    ):  # fmt: skip
        answer = company.stranger().client.post("/oauth/revoke", data={"token": user.token, **given})
        assert (answer.status_code, answer.json) == (200, {})
        assert user.get(VERIFY).status_code == status


def test_the_person_puts_an_app_out(company: ApiCompany) -> None:
    app = NewApp(company)
    user, second, of_sam, kim = app.user(), app.user(), app.user("sam"), company.open("kim")
    listed = kim.words("/settings/apps")
    assert listed.count("Let in") == 2
    assert "Tuba" in listed
    mine, theirs = (
        company.scalar("SELECT max(id) FROM app_tokens WHERE account_id = :id", id=company.people[each])
        for each in ("kim", "sam")
    )
    assert kim.press(f"/settings/apps/{theirs}/put-out").status_code == 404
    assert kim.press(f"/settings/apps/{mine}/put-out").status_code == 303
    assert [each.get(VERIFY).status_code for each in (user, second, of_sam)] == [200, 401, 200]
    kim.press("/settings/apps/put-all-out")
    assert [each.get(VERIFY).status_code for each in (user, second, of_sam)] == [401, 401, 200]


def test_signing_out_everywhere_puts_apps_out(company: ApiCompany) -> None:
    user, kim = NewApp(company).user(), company.open("kim")
    assert "Sign out in all 2 other places" in kim.words(
        "/settings/signed-in"
    )  # the session that let the app in, the app
    kim.press("/settings/signed-in/end-others")
    assert user.get(VERIFY).status_code == 401
    assert kim.open("/settings/apps").status_code == 200


@pytest.mark.parametrize("away", [accounts.suspend, accounts.deactivate])
def test_who_may_not_act_has_no_apps(company: ApiCompany, away) -> None:
    app = NewApp(company)
    user, code = app.user(), app.code()
    with transaction(company.engine) as session:
        away(session, company.people["kim"])
    assert user.get(VERIFY).status_code == 401
    assert app.exchange(code).status_code == 400


def test_where_the_server_is_described(company: ApiCompany) -> None:
    told = company.stranger().get("/.well-known/oauth-authorization-server").json
    assert told["token_endpoint"] == f"{company.settings.public_url}/oauth/token"
    assert told["code_challenge_methods_supported"] == ["S256"]
    assert told["grant_types_supported"] == ["authorization_code", "client_credentials"]
    assert {"read", "write:statuses", "push"} <= set(told["scopes_supported"])
