"""The pages of a group by its roles: who sees what, who changes what; questions and urgent calls."""

import re
from typing import Any

import pytest
from sqlalchemy import text

from gateway.network.follows import follows
from gateway.network.people import accounts
from gateway.network.verification import pins
from gateway.store.database import transaction
from tests.doors.web.conftest import PageCompany
from tests.doors.web.test_people import bar, follow_of
from tests.support.web_visitor import plain

TABS = ("people", "posters", "requests", "about")


@pytest.fixture
def news(company: PageCompany) -> PageCompany:
    """A broadcast group of Kim's, which Sam and Anne follow, and which may send urgent calls."""
    with transaction(company.engine) as session:
        group = accounts.create_group(session, "news", "News", "broadcast", company.people["kim"])
        company.people["news"] = group.id
        group.may_urge = True
        for who in ("sam", "anne"):
            follows.follow(session, company.people[who], group.id, by_text=True)
    return company


def test_a_closed_group_tells_that_it_is_there_and_nothing_more(company: PageCompany) -> None:
    """As `whois` by text does."""
    company.says("kim", "zanzibar", to="board")
    sam = company.open("sam")
    page = sam.open("/@board")
    assert page.status_code == 200
    assert "Ask to join" in page.text
    assert "zanzibar" not in page.text
    assert "Kim" not in plain(page.text)
    assert "1 person" not in plain(page.text)
    assert {tab: sam.open(f"/@board/{tab}").status_code for tab in TABS} == {
        "people": 403, "posters": 403, "requests": 403, "about": 200,
    }  # fmt: skip
    assert "Kim" not in sam.words("/@board/about")
    assert sam.press("/@board/write", {"kind": "update", "audience": f"in:{company.people['board']}", "text": "x"}
                     ).status_code == 422  # fmt: skip
    kim = company.open("kim")
    assert "zanzibar" in kim.words("/@board")
    assert {tab: kim.open(f"/@board/{tab}").status_code for tab in TABS} == dict.fromkeys(TABS, 200)


def test_asking_to_join_and_the_owners_answer(company: PageCompany) -> None:
    sam, kim = company.open("sam"), company.open("kim")
    sam.press("/@board/follow", {"way": "digest"})
    assert follow_of(company, "sam", "board")[1] == "requested"
    assert bar(sam)[0] == "You have asked to join Board. You hear when an owner lets you in."
    assert "You have asked to join" in sam.words("/@board")
    assert "Sam Ortiz" in kim.words("/@board/requests")
    assert sam.press("/@board/requests/sam/let-in").status_code == 422
    assert follow_of(company, "sam", "board")[1] == "requested"
    kim.press("/@board/requests/sam/let-in", {"back": "/to-you"})
    assert follow_of(company, "sam", "board")[1:5] == ("active", False, False, "digest")
    assert bar(kim, "/to-you") == ("Sam Ortiz is in Board now and has been told.", True)
    kim.press("/@board/requests/sam/let-in")
    assert bar(kim)[0] == "That is decided already: Sam Ortiz is in Board."


def test_a_request_is_refused_or_withdrawn(company: PageCompany) -> None:
    sam, kim = company.open("sam"), company.open("kim")
    sam.press("/@board/follow", {"way": "text"})
    sam.press("/@board/unfollow")
    assert follow_of(company, "sam", "board") is None
    sam.press("/@board/follow", {"way": "text"})
    kim.press("/@board/requests/sam/refuse")
    assert follow_of(company, "sam", "board") is None
    assert bar(kim)[0] == "We told Sam Ortiz that Board says no."
    kim.press("/@board/requests/sam/refuse")
    assert bar(kim)[0] == "That is decided already: Sam Ortiz is not in Board."
    assert company.scalar("SELECT count(*) FROM messages WHERE text LIKE 'Sorry, you were not let into Board%'") == 1


def test_the_owner_changes_who_is_in_it_and_undo_takes_it_back(news: PageCompany) -> None:
    kim = news.open("kim")
    kim.press("/@news/people/anne/poster")
    assert follow_of(news, "anne", "news")[0] == "poster"
    assert "Anne Cole" in kim.words("/@news/posters")
    kim.press("/undo")
    assert follow_of(news, "anne", "news")[0] == "follower"
    kim.press("/@news/people/anne/owner")
    assert follow_of(news, "anne", "news")[0] == "owner"
    kim.press("/undo")
    kim.press("/@news/people/sam/remove")
    assert follow_of(news, "sam", "news") is None
    kim.press("/undo")
    assert follow_of(news, "sam", "news")[0] == "follower"
    kim.press("/@news/people/add", {"who": "Sam Ortiz", "role": "poster"})
    assert follow_of(news, "sam", "news")[0] == "poster"
    kim.press("/@news/people/sam/reader")
    assert follow_of(news, "sam", "news")[0] == "follower"
    assert kim.press("/@news/people/add", {"who": "nobody at all"}).status_code == 422
    assert kim.press("/@news/people/add", {"who": "acme"}).status_code == 422
    assert kim.press("/@news/people/acme/owner").status_code == 404


def test_the_only_owner_cannot_leave(company: PageCompany) -> None:
    assert company.open("kim").press("/@board/unfollow").status_code == 422
    assert follow_of(company, "kim", "board")[0] == "owner"


@pytest.mark.parametrize(
    "path", ["people/add", "people/anne/owner", "people/anne/remove", "people/anne/poster", "people/anne/reader"]
)
def test_nobody_else_changes_who_is_in_it(news: PageCompany, path: str) -> None:
    answer = news.open("sam").press(f"/@news/{path}", {"who": "sam", "role": "poster"})
    assert answer.status_code == 422
    assert "@kim" in plain(answer.text)
    assert (follow_of(news, "anne", "news")[0], follow_of(news, "sam", "news")[0]) == ("follower", "follower")


def test_making_a_group_is_asked_first(company: PageCompany) -> None:
    sam = company.open("sam")
    form = {"name": "Garden <club>", "handle": "#Garden", "access": "closed", "key": "k1"}
    asked = sam.press("/groups/new", form)
    assert asked.status_code == 409
    assert "Everyone will see the new group #garden." in plain(asked.text)
    assert company.scalar("SELECT count(*) FROM accounts WHERE handle = 'garden'") == 0
    made = sam.press("/groups/new", {**form, "confirmed": "ok"})
    assert (made.status_code, made.location) == (303, "/@garden")
    assert company.all("SELECT name, access FROM accounts WHERE handle = 'garden'") == [("Garden <club>", "closed")]
    assert "Garden <club>" not in sam.open("/@garden").text
    sam.press("/undo")
    assert company.scalar("SELECT count(*) FROM accounts WHERE handle = 'garden'") == 0
    for wrong in ({"handle": "follow"}, {"handle": "kim"}, {"handle": "a"}, {"handle": "stop"}):
        assert sam.press("/groups/new", {**form, **wrong, "key": "k2"}).status_code == 422, wrong
    assert sam.press("/groups/new", {**form, "access": "secret"}).status_code == 400


def test_what_was_read_is_no_news_in_the_navigation(company: PageCompany) -> None:
    company.says("kim", "new there", to="acme")
    sam = company.open("sam")
    assert re.search(r'href="/@acme"[^>]*>.*?<span class="count">1', sam.open("/").text, re.DOTALL)
    sam.open("/@acme")
    assert not re.search(r'href="/@acme"[^>]*>[^\n]*<span class="count">', sam.open("/").text)


def test_an_update_to_the_group(company: PageCompany) -> None:
    sam = company.open("sam")
    form = {"kind": "update", "audience": f"in:{company.people['acme']}", "text": "hello there", "back": "/@acme"}
    answer = sam.press("/@acme/write", form)
    assert (answer.status_code, answer.location) == (303, "/@acme")
    assert company.all("SELECT visibility, group_id FROM posts") == [("group", company.people["acme"])]
    assert sam.press("/@acme/write", {**form, "kind": "shout"}).status_code == 400


def test_a_question_its_answers_and_its_end(news: PageCompany) -> None:
    kim, sam = news.open("kim"), news.open("sam")
    kim.press("/@news/write", {"kind": "ask", "text": "who takes the late run?"})
    post = news.scalar("SELECT post_id FROM calls")
    assert "0 of 2 answered" in kim.words("/@news")
    sam.press("/updates", {"audience": f"re:{post}", "text": "I do"})
    page = kim.words("/@news")
    assert "1 of 2 answered" in page
    assert "Sam Ortiz I do" in page
    assert "I do" not in sam.words("/@news")
    assert "A question runs" in sam.words("/@news")
    assert sam.press("/@news/end").status_code == 422
    kim.press("/@news/end", {"key": "end", "back": "/@news"})
    assert bar(kim, "/@news")[0] == "Your question is over, and its summary goes out."
    assert news.all("SELECT ending FROM calls") == [("time",)]
    kim.press("/@news/end", {"key": "end"})  # pressed twice, done once
    assert news.scalar("SELECT count(*) FROM messages WHERE text LIKE '%1 answer of 2 asked%'") == 1
    assert kim.press("/@news/end").status_code == 422
    assert "answered" not in kim.words("/@news")


URGENT = {"kind": "urgent", "text": "gate 4 is closed"}
SURE = {**URGENT, "confirmed": ["secret", "price"]}


def calls(company: PageCompany) -> int:
    return int(company.scalar("SELECT count(*) FROM calls"))


def test_an_urgent_call_says_whom_it_wakes_first(news: PageCompany) -> None:
    kim = news.open("kim")
    asked = kim.press("/@news/write", URGENT)
    assert asked.status_code == 409
    assert "Urgent to 2 people in #news." in plain(asked.text)
    assert 'name="pin"' not in asked.text
    assert calls(news) == 0
    assert kim.press("/@news/write", SURE).status_code == 303
    assert calls(news) == 1
    assert "0 of 2 answered" in kim.words("/@news")
    assert news.open("sam").press("/@news/write", SURE).status_code == 422


def test_who_has_a_pin_is_asked_for_it(news: PageCompany) -> None:
    """Signing in is no proof that its owner still sits there (R39)."""
    with transaction(news.engine) as session:
        pins.set_pin(session, news.people["kim"], "4826")
    kim = news.open("kim")
    asked = kim.press("/@news/write", URGENT)
    assert 'name="pin" type="password"' in asked.text
    for wrong in ({}, {"pin": ""}, {"pin": "4827"}):
        answer = kim.press("/@news/write", {**SURE, **wrong})
        assert answer.status_code == 422
        assert "That is not your PIN." in plain(answer.text)
        assert "4827" not in answer.text
    assert calls(news) == 0
    assert kim.press("/@news/write", {**SURE, "pin": "4826"}).status_code == 303
    assert calls(news) == 1
    assert "4826" not in str(news.all("SELECT CAST(detail AS text) FROM audit"))
    assert "4826" not in str(news.all("SELECT CAST(result AS text) FROM actions"))


def test_five_wrong_pins_lock(news: PageCompany) -> None:
    with transaction(news.engine) as session:
        pins.set_pin(session, news.people["kim"], "4826")
    kim = news.open("kim")
    for _ in range(5):
        kim.press("/@news/write", {**SURE, "pin": "1111"})
    answer = kim.press("/@news/write", {**SURE, "pin": "4826"})
    assert answer.status_code == 422
    assert "not your PIN" not in plain(answer.text)
    assert calls(news) == 0
    assert news.scalar("SELECT count(*) FROM audit WHERE action = 'pin.wrong'") == 5


def test_a_pin_is_asked_once_more_when_the_words_were_private(news: PageCompany) -> None:
    """The page that asks about the words keeps no PIN."""
    with transaction(news.engine) as session:
        pins.set_pin(session, news.people["kim"], "4826")
    kim = news.open("kim")
    secret = "the vault code is 4711 since this very morning"
    news.says("kim", secret, visibility="direct", recipients=[(news.people["sam"], news.people["sam"])])
    asked = kim.press("/@news/write", {**SURE, "text": secret, "pin": "4826"})
    assert asked.status_code == 409
    assert 'value="4826"' not in asked.text
    assert 'name="pin"' in asked.text
    again: dict[str, Any] = {**SURE, "text": secret, "confirmed": ["secret", "price", "repeat"], "pin": "4826"}
    assert kim.press("/@news/write", again).status_code == 303
    assert calls(news) == 1


def test_a_group_that_may_not_urge_offers_no_urgent_call(news: PageCompany) -> None:
    with news.engine.begin() as connection:
        connection.execute(text("UPDATE accounts SET may_urge = false"))
    kim = news.open("kim")
    assert 'value="urgent"' not in kim.open("/@news").text
    assert kim.press("/@news/write", SURE).status_code == 422
    assert calls(news) == 0


def test_an_owner_gives_the_group_another_name(company: PageCompany) -> None:
    kim, sam = company.open("kim"), company.open("sam")
    named = {"name": "ACME proposal", "handle": "proposal", "key": "one"}
    assert sam.press("/@acme/rename", named).status_code == 422
    asked = kim.press("/@acme/rename", named)
    assert asked.status_code == 409
    assert "Texts and mails to #acme still arrive." in plain(asked.text)
    yes = re.search(r'name="confirmed" value="([^"]+)"', asked.text)
    assert yes
    assert kim.press("/@acme/rename", {**named, "confirmed": yes[1]}).location == "/@proposal/about"
    assert "The group is called ACME proposal now, #proposal." in kim.words("/@proposal/about")
    assert sam.open("/@proposal").status_code == 200
    assert company.scalar("SELECT alias FROM aliases WHERE account_id = :id", id=company.people["acme"]) == "acme"
    assert kim.press("/@proposal/rename", {**named, "handle": "board", "key": "two"}).status_code in (409, 422)
    assert kim.press("/undo", {"of": "one"}).status_code == 303
    assert sam.open("/@acme").status_code == 200
    assert company.scalar("SELECT count(*) FROM aliases") == 0
    assert len(company.all("SELECT 1 FROM audit WHERE action = 'groups.rename'")) == 2
