"""The line beside one's name, from a page."""

import pytest
from sqlalchemy import text

from gateway.network.follows import mutes
from gateway.store.database import transaction
from tests.doors.web.conftest import PageCompany
from tests.doors.web.test_people import bar


def test_it_is_set_shown_ended_and_taken_back(company: PageCompany) -> None:
    sam, kim = company.open("sam"), company.open("kim")
    sam.press("/status", {"words": " in the <b>workshop</b> ", "until": "2h", "key": "one", "back": "/@sam"})
    assert bar(sam, "/@sam")[0].startswith("Your status: in the &lt;b&gt;workshop&lt;/b&gt;, till ")
    for path in ("/@sam", "/people", "/search?q=sam"):
        page = kim.open(path).text
        assert "in the &lt;b&gt;workshop&lt;/b&gt; till " in page, path
        assert "<b>workshop" not in page
    assert "in the &lt;b&gt;workshop" in sam.open("/menu").text
    sam.press("/status/off")
    assert "workshop" not in kim.open("/@sam").text
    sam.press("/undo")
    assert "workshop" in kim.open("/@sam").text


def test_saving_the_form_as_it_stands_keeps_the_end(company: PageCompany) -> None:
    sam = company.open("sam")
    sam.press("/status", {"words": "away", "until": "friday"})
    until = company.scalar("SELECT until FROM statuses")
    assert until is not None
    sam.press("/status", {"words": "away", "until": ""})
    assert bar(sam, "/@sam")[0] == "That is your status already."
    sam.press("/status", {"words": "here", "until": ""})
    assert company.all("SELECT words, until FROM statuses") == [("here", None)]
    sam.press("/status", {"words": "", "until": ""})
    assert company.scalar("SELECT count(*) FROM statuses") == 0


def test_one_that_is_over_is_shown_to_nobody(company: PageCompany) -> None:
    sam = company.open("sam")
    sam.press("/status", {"words": "zanzibar", "until": "1h"})
    with company.engine.begin() as connection:
        connection.execute(text("UPDATE statuses SET until = now() - interval '1 second'"))
    sam.open("/")  # whose bar said it
    for path in ("/@sam", "/people", "/menu"):
        assert "zanzibar" not in sam.open(path).text, path


def test_whom_a_block_separates_does_not_see_it(company: PageCompany) -> None:
    company.open("sam").press("/status", {"words": "zanzibar"})
    with transaction(company.engine) as session:
        mutes.block(session, company.people["sam"], company.people["anne"])
    for path in ("/@sam", "/people"):
        assert "zanzibar" not in company.open("anne").open(path).text, path


@pytest.mark.parametrize(
    ("words", "until"), [("x" * 61, ""), ("away", "whenever"), ("away", "9999w"), ("\u200b\u200b", "")]
)
def test_what_cannot_be_a_status(company: PageCompany, words: str, until: str) -> None:
    answer = company.open("sam").press("/status", {"words": words, "until": until})
    assert answer.status_code in (303, 422)
    assert company.scalar("SELECT count(*) FROM statuses") == 0


def test_words_that_were_private_are_asked_about(company: PageCompany) -> None:
    secret = "the vault code is 4711 since this very morning"
    company.says("kim", secret, visibility="direct", recipients=[(company.people["sam"], company.people["sam"])])
    sam = company.open("sam")
    assert sam.press("/status", {"words": secret}).status_code == 409
    assert company.scalar("SELECT count(*) FROM statuses") == 0
    sam.press("/status", {"words": secret, "confirmed": "repeat"})
    assert company.scalar("SELECT count(*) FROM statuses") == 1
