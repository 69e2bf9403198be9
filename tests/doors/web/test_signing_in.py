"""Signing in by a code: to a phone or mailbox that is known, with few tries, into a session of one's own."""

import re

import pytest

from gateway.doors.web.visits.try_limits import UNKNOWN, TryLimits
from gateway.doors.web.visits.visit import here
from gateway.network.people import accounts
from gateway.network.verification import first_admin
from gateway.security.signed_tokens import Signer
from gateway.store.database import transaction
from tests.doors.web.conftest import PageCompany
from tests.support.web_visitor import WebVisitor, plain

PHONE = "+1 415 555 0100"
CODES = "SELECT text FROM messages WHERE kind = 'code' ORDER BY id DESC LIMIT 1"


def asked(company: PageCompany, who: str = PHONE, to: str = "/") -> WebVisitor:
    visitor = company.visitor()
    visitor.open("/sign-in")
    answer = visitor.press("/sign-in", {"who": who, "to": to})
    assert (answer.status_code, answer.location) == (303, "/sign-in/code")
    return visitor


def code(company: PageCompany) -> str:
    return str(re.search(r"\d{6}", company.scalar(CODES))[0])  # type: ignore[index]


def test_a_code_signs_in_where_one_wanted_to_go(company: PageCompany) -> None:
    visitor = company.visitor()
    assert visitor.open("/write?to=acme").location == "/sign-in?to=/write%3Fto%3Dacme"
    visitor = asked(company, to="/write?to=acme")
    answer = visitor.press("/sign-in/code", {"code": f" {code(company)[:3]} {code(company)[3:]} "})
    assert (answer.status_code, answer.location) == (303, "/write?to=acme")
    assert visitor.open("/").status_code == 200
    assert "HttpOnly" in answer.headers["Set-Cookie"]
    assert "SameSite=Lax" in answer.headers["Set-Cookie"]
    assert company.scalar("SELECT began_by FROM web_sessions") == "code"
    assert company.scalar("SELECT count(*) FROM audit WHERE action = 'web.sign_in'") == 1


def test_a_code_works_once_and_five_wrong_ones_end_it(company: PageCompany) -> None:
    visitor = asked(company)
    right = code(company)
    wrong = "000000" if right != "000000" else "111111"
    for _ in range(5):
        answer = visitor.press("/sign-in/code", {"code": wrong})
        assert (answer.status_code, "That is not the code" in plain(answer.text)) == (422, True)
    assert visitor.press("/sign-in/code", {"code": right}).status_code == 422
    visitor = asked(company)
    right = code(company)
    assert visitor.press("/sign-in/code", {"code": right}).status_code == 303
    assert visitor.press("/sign-in/code", {"code": right}).status_code != 303
    assert company.scalar("SELECT count(*) FROM lockouts") == 0  # whoever knows a number locks nobody out by this


def test_the_answer_is_the_same_for_whom_nobody_knows(company: PageCompany) -> None:
    known, unknown = asked(company), asked(company, "+1 415 555 0199")
    pages = [visitor.words("/sign-in/code").replace("0199", "0100") for visitor in (known, unknown)]
    assert pages[0] == pages[1]
    assert company.scalar("SELECT count(*) FROM messages WHERE kind = 'code'") == 1
    assert unknown.press("/sign-in/code", {"code": code(company)}).status_code == 422  # another browser's code


@pytest.mark.parametrize("who", ["", "nobody", "415", "a@b", "kim lee", "+1 415 555 0100 x"])
def test_what_is_no_phone_and_no_mailbox_is_said_at_once(company: PageCompany, who: str) -> None:
    visitor = company.visitor()
    visitor.open("/sign-in")
    answer = visitor.press("/sign-in", {"who": who})
    assert answer.status_code == 422
    assert 'aria-invalid="true"' in answer.text


def test_many_tries_from_one_place_wait(company: PageCompany) -> None:
    visitor = company.visitor()
    visitor.open("/sign-in")
    statuses = [visitor.press("/sign-in", {"who": f"+1415555{number:04}"}).status_code for number in range(25)]
    assert statuses.count(429) == 5
    last = visitor.press("/sign-in", {"who": PHONE})
    assert 0 < int(last.headers["Retry-After"]) <= 600


def test_a_session_of_before_is_worth_nothing_afterwards(company: PageCompany) -> None:
    """Session fixation: the token is new with each sign-in, and the one that stood there has ended."""
    planted = company.open("anne")
    visitor = asked(company)
    visitor.browser.set_cookie("critter", planted.token)
    visitor.token = planted.token
    answer = visitor.press("/sign-in/code", {"code": code(company)})
    assert answer.status_code == 303
    assert planted.open("/").status_code == 303 or planted.open("/everyone").location.startswith("/sign-in")
    tokens = re.findall(r"critter=([^;]+);", answer.headers["Set-Cookie"])
    assert tokens
    assert planted.token not in tokens


def test_suspended_people_are_out_at_once_and_signing_out_ends_it(company: PageCompany) -> None:
    kim, sam = company.open("kim"), company.open("sam")
    assert sam.press("/sign-out").location == "/sign-in"
    assert sam.open("/everyone").location.startswith("/sign-in")
    with transaction(company.engine) as session:
        accounts.suspend(session, company.people["kim"])
    assert kim.open("/everyone").location.startswith("/sign-in")
    visitor = company.visitor()
    visitor.open("/sign-in")
    visitor.press("/sign-in", {"who": PHONE})
    assert company.scalar("SELECT count(*) FROM messages WHERE kind = 'code'") == 0


def test_nothing_leads_away_from_here(company: PageCompany) -> None:
    for away in ("https://evil.example", "//evil.example", "/\\evil.example", "javascript:a()", "evil", "/a\nb", ""):
        assert here(away) == "/", away
    assert here("/@kim?before=1#u2") == "/@kim?before=1#u2"
    visitor = asked(company, to="//evil.example")
    assert visitor.press("/sign-in/code", {"code": code(company)}).location == "/"


def test_nobody_is_opened_as_somebody_where_no_tour_is(company: PageCompany) -> None:
    assert company.visitor().open("/as/kim").status_code == 404


def test_where_no_origin_is_known_all_share_a_larger_limit() -> None:
    """Behind a proxy that the settings do not name, everybody would else be one origin with twenty tries."""
    limits = TryLimits(lambda: 0.0)
    assert [limits.take("") for _ in range(UNKNOWN)] == [None] * UNKNOWN
    assert limits.take("") is not None
    assert [limits.take("192.0.2.1") for _ in range(20)] == [None] * 20
    assert limits.take("192.0.2.1") is not None


def test_the_first_admin_takes_no_word_that_texts_begin_with(company: PageCompany) -> None:
    signer = Signer(company.settings.secret_keys)
    with transaction(company.engine) as session:
        link = first_admin.link(session, signer, "")
    visitor = company.visitor()
    visitor.open(str(link))
    for taken in ("follow", "stop", "kim"):
        assert visitor.press(str(link), {"name": "Ada", "handle": taken}).status_code == 422, taken
    assert visitor.press(str(link), {"name": "Ada", "handle": "ada"}).status_code == 303


def test_a_cookie_that_somebody_made_up_is_none(company: PageCompany) -> None:
    for made_up in ("", "x", "e30=", "W10=", "MQ==", "bnVsbA==", "\u00e9"):
        visitor = company.visitor()
        visitor.open("/sign-in")
        visitor.browser.set_cookie("critter-code", made_up)
        visitor.browser.set_cookie("critter-said", made_up)
        assert visitor.open("/sign-in/code").location == "/sign-in", made_up
        kim = company.open("kim")
        kim.browser.set_cookie("critter-said", made_up)
        assert kim.open("/").status_code == 200, made_up
