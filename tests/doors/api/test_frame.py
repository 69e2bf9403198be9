"""What all endpoints do alike: errors, headers for browsers, request ids, limits of calls."""

from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import text
from werkzeug.exceptions import NotFound

from critter.processes import app as web
from gateway.actions.model.confirmation import OK, ConfirmationRequired
from gateway.doors.api.frame import errors, serving
from gateway.doors.api.frame.addresses import IdConverter
from gateway.doors.api.frame.call import ApiCall, ApiResources
from gateway.doors.api.frame.fields import Entity, Parameters
from gateway.doors.api.frame.rate_limits import MOST, SPAN, RateLimits
from gateway.doors.api.frame.router import ApiRouter
from gateway.doors.web import headers
from gateway.i18n.refusals import refusal
from gateway.network.people import accounts
from gateway.security.signed_tokens import Signer
from gateway.store.database import transaction
from tests.doors.api.conftest import ApiCompany
from tests.support.app_user import ALL, AppUser

VERIFY = "/api/v1/apps/verify_credentials"


def test_errors_are_json_everywhere(company: ApiCompany) -> None:
    asks = company.stranger()
    for method, path, status in (
        ("GET", "/api/v1/nothing", 404), ("GET", "/api/", 404), ("DELETE", "/api/v1/apps", 405),
        ("GET", "/oauth/token", 405), ("GET", VERIFY, 401), ("POST", "/oauth/token", 400),
        ("GET", "/.well-known/x", 404), ("POST", "/api/v1/apps", 422),
    ):  # fmt: skip
        answer = asks.ask(method, path)
        assert answer.status_code == status, path
        assert answer.is_json, path
        assert answer.json
        assert answer.json["error"]
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert answer.headers["X-Request-Id"]
    assert asks.get("/api/v1/nothing").json == {"error": "Record not found"}
    assert "text/html" in asks.get("/nothing").content_type


def test_a_body_that_cannot_be_read_is_refused(company: ApiCompany) -> None:
    asks = company.stranger()
    for status, sent in (
        (400, {"data": "{", "content_type": "application/json"}),
        (413, {"data": b"x" * 100_000, "content_type": "application/json"}),
        (413, {"data": {"client_name": "x" * 100_000}}),
        (422, {"json": {"client_name": ["x"]}}),
    ):
        answer = asks.ask("POST", "/api/v1/apps", **sent)
        assert (answer.status_code, answer.is_json) == (status, True), sent


def test_a_browser_under_another_address_may_ask(company: ApiCompany) -> None:
    for path in ("/api/v1/apps", "/oauth/token", "/oauth/revoke", "/api/v1/anything"):
        answer = company.stranger().ask("OPTIONS", path, headers={"Origin": "https://phanpy.example"})
        assert answer.status_code == 204
        assert "Idempotency-Key" in answer.headers["Access-Control-Allow-Headers"]
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert "Link" in answer.headers["Access-Control-Expose-Headers"]
    page = company.visitor().open("/sign-in")
    assert "Access-Control-Allow-Origin" not in page.headers


TOYS = ApiRouter("toys")


class Ball(Parameters):
    size: int = 1


class Thrown(Entity):
    by: str
    size: int


@TOYS.post("/api/toys/anyone", "write:media", who="anyone")
def by_anyone(call: ApiCall, given: Ball) -> Thrown:
    return Thrown(by=call.viewer.handle if call.viewer else "", size=given.size)


@TOYS.post("/api/toys/app", "write:media", "write:lists", who="app")
def by_app(call: ApiCall, given: Ball) -> Thrown:
    return by_anyone(call, given)


@TOYS.post("/api/toys/person", "write:media")
def by_person(call: ApiCall, given: Ball) -> Thrown:
    return by_anyone(call, given)


@TOYS.post("/api/toys/operator", "admin:write", who="operator")
def by_operator(call: ApiCall, given: Ball) -> Thrown:
    return by_anyone(call, given)


@TOYS.get("/api/toys/<id:toy>")
def broken(call: ApiCall, toy: int) -> Thrown:
    return Thrown(by=call.account.handle, size=1 // toy)


@TOYS.post("/api/toys/refuse/<id:number>")
def refuse(call: ApiCall, number: int) -> Thrown:
    call.session.execute(text("UPDATE accounts SET title = 'changed'"))
    match number:
        case 1:
            raise refusal("self")
        case 2:
            raise refusal("account_gone")
        case 3:
            raise NotFound
        case 4 if OK not in call.confirmed:
            raise ConfirmationRequired("new_group", OK, handle="toys")
    return Thrown(by=call.account.handle, size=number)


@pytest.fixture
def toys(company: ApiCompany) -> Iterator[ApiCompany]:
    """The company before endpoints that do hardly anything."""
    parts = web.build(company.settings)
    api = ApiResources(
        company.settings, Signer(company.settings.secret_keys), parts.engine, parts.notifier, RateLimits(on=False)
    )
    company.app = Flask("toys")
    company.app.url_map.converters["id"] = IdConverter
    for each in serving.blueprints([TOYS], api):
        company.app.register_blueprint(each)
    headers.install(company.app, company.settings, errors.of_uncaught)
    try:
        yield company
    finally:
        parts.close()


def test_who_may_ask(toys: ApiCompany) -> None:
    """By who asks: what is answered for anyone, an app, a person, an operator."""
    with transaction(toys.engine) as session:
        accounts.set_role(session, toys.people["anne"], "operator")
    ops = (*ALL, "admin:write")
    dead = AppUser(toys.app, "dead")
    for asks, statuses in (
        (toys.stranger(), (200, 401, 401, 401)),
        (dead, (401, 401, 401, 401)),
        (toys.app_alone(), (200, 200, 422, 422)),
        (toys.app_alone(("read",)), (403, 403, 422, 422)),
        (toys.app_alone(("write:lists",)), (403, 200, 422, 422)),
        (toys.app_of("kim"), (200, 200, 200, 403)),
        (toys.app_of("kim", ("write:media",)), (200, 200, 200, 403)),
        (toys.app_of("kim", ("read", "follow")), (403, 403, 403, 403)),
        (toys.app_of("kim", ops), (200, 200, 200, 403)),
        (toys.app_of("anne", ops), (200, 200, 200, 200)),
        (toys.app_of("anne"), (200, 200, 200, 403)),
    ):
        places = ("anyone", "app", "person", "operator")
        assert tuple(asks.post(f"/api/toys/{each}").status_code for each in places) == statuses
    assert toys.app_of("kim").post("/api/toys/person", {"size": "3"}).json == {"by": "kim", "size": 3}


def test_a_fault_of_ours_shows_nothing_of_it(toys: ApiCompany) -> None:
    kim = toys.app_of("kim")
    answer = kim.get("/api/toys/0")
    assert (answer.status_code, set(answer.json)) == (500, {"error", "number"})
    assert kim.get("/api/toys/1").status_code == 200
    for wrong in ("-1", "x", str(2**63), "1e3"):
        assert kim.get(f"/api/toys/{wrong}").json == {"error": "Record not found"}


def test_what_is_refused_leaves_nothing_behind(toys: ApiCompany) -> None:
    kim = toys.app_of("kim")
    answers = [kim.post(f"/api/toys/refuse/{number}") for number in (1, 2, 3, 4)]
    assert [each.status_code for each in answers] == [422, 404, 404, 422]
    assert answers[0].json["reason"] == "self"
    assert answers[3].json["confirmation"] == {"kind": "new_group", "confirm": ["ok"], "facts": {"handle": "toys"}}
    assert "#toys" in answers[3].json["error"]
    assert toys.scalar("SELECT count(title) FROM accounts") == 0
    assert kim.post("/api/toys/refuse/4", {"confirm": ["ok"]}).status_code == 200
    assert kim.post("/api/toys/refuse/4", {"confirm": "ok"}).status_code == 200


def test_calls_are_counted_and_limited(company: ApiCompany) -> None:
    asks, other = company.app_alone(), company.app_alone()
    first = asks.get(VERIFY)
    assert first.headers["X-RateLimit-Limit"] == str(MOST)
    assert first.headers["X-RateLimit-Remaining"] == str(MOST - 1)
    assert first.headers["X-RateLimit-Reset"].endswith(".000Z")
    for _ in range(MOST - 1):
        last = asks.get(VERIFY)
    assert (last.status_code, last.headers["X-RateLimit-Remaining"]) == (200, "0")
    refused = asks.get(VERIFY)
    assert (refused.status_code, refused.json) == (429, {"error": "Too many requests"})
    assert other.get(VERIFY).status_code == 200


def test_a_share_comes_back_with_the_next_window() -> None:
    now = [1_000_000.0]
    limits = RateLimits(lambda: now[0])
    for _ in range(3):
        taken = limits.take("a", 2)
    assert taken
    assert taken.used_up
    now[0] = taken.resets
    fresh = limits.take("a", 2)
    assert fresh
    assert (fresh.left, fresh.resets) == (1, taken.resets + SPAN)
    assert RateLimits(on=False).take("a", 0) is None


def test_no_limits_in_a_conformance_run(conformance: ApiCompany) -> None:
    answer = conformance.app_alone().get(VERIFY)
    assert answer.status_code == 200
    assert "X-RateLimit-Limit" not in answer.headers
