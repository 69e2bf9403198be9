"""What reaches you, on its page: the state and pausing, the table of ways, quiet hours, the zone, the digest."""

import re
from collections.abc import Iterator

import pytest

from tests.support.office import Office
from tests.support.web_office import WebOffice, opened

PLACE = {"sam": "+14155550102"}


@pytest.fixture
def web(office: Office) -> Iterator[WebOffice]:
    with opened(office) as found:
        yield found


def address(web: WebOffice, handle: str, channel: str = "sms") -> int:
    [(found,)] = web.sql(
        "SELECT a.id FROM addresses a JOIN accounts p ON p.id = a.account_id WHERE p.handle = :h AND channel = :c",
        h=handle, c=channel,
    )  # fmt: skip
    return found


def attention(web: WebOffice, handle: str, column: str) -> object:
    rows = web.sql(
        f"SELECT w.{column} FROM attention w JOIN accounts a ON a.id = w.account_id WHERE a.handle = :h",
        h=handle,
    )
    return rows[0][0] if rows else None


def test_it_says_whether_texts_and_mails_come_and_where_to(web: WebOffice) -> None:
    words = web.browser("kim").words("/settings")
    assert "Texts and mails are on. Texts go to …01, mails to kim@demo.example. Today: 0 texts, 0 mails." in words
    assert "Texts are on. They go to …02." in web.browser("sam").words("/settings")
    assert "+14155550101" not in words


def test_a_pause_ends_by_itself_and_is_ended_on_the_page(web: WebOffice) -> None:
    kim = web.browser("kim")
    assert kim.press("/settings/pause", {"span": "1h", "key": "a"}).status_code == 303
    rows = web.sql("SELECT receiving, off_until - now() BETWEEN '59 min' AND '61 min' FROM addresses a "
                   "JOIN accounts p ON p.id = a.account_id WHERE p.handle = 'kim'")  # fmt: skip
    assert rows == [(False, True), (False, True)]
    words = kim.words("/settings")
    assert "Texts are paused till" in words
    assert "Mails are paused till" in words
    assert kim.press("/settings/resume").status_code == 303
    assert "Texts and mails are on." in kim.words("/settings")


def test_a_form_that_is_sent_twice_is_done_once(web: WebOffice) -> None:
    kim = web.browser("kim")
    for _ in range(2):
        assert kim.press("/settings/pause", {"span": "1h", "key": "same"}).status_code == 303
    assert web.sql("SELECT count(*) FROM actions WHERE door = 'web'") == [(1,)]


@pytest.mark.parametrize("span", ["", "forever", "till 9", "99999h"])
def test_only_the_three_pauses_are_taken(web: WebOffice, span: str) -> None:
    assert web.browser("kim").press("/settings/pause", {"span": span}).status_code == 400
    assert web.sql("SELECT count(*) FROM addresses WHERE NOT receiving") == [(0,)]


def test_stop_is_shown_and_no_button_undoes_it(web: WebOffice) -> None:
    web.office.says("sam", "STOP")
    web.office.work()
    sam = web.browser("sam")
    page = sam.open("/settings").text
    assert "Only START, texted from …02, brings texts back." in page
    assert "/settings/resume" not in page
    sam.press("/settings/resume")
    assert web.sql("SELECT state FROM addresses WHERE address = '+14155550102'") == [("stopped",)]


def test_a_cause_gets_a_way_by_one_choice_and_undo_takes_it_back(web: WebOffice) -> None:
    sam = web.browser("sam")
    page = sam.open("/settings").text
    assert re.search(r'name="way.cause:1" value="text"[^>]* checked', page), "private words come as texts"
    assert not re.search(r'name="way.cause:6"[^>]* checked', page), "people: as each was asked for"
    answer = sam.press("/settings/ways", {"way.cause:6": "nothing", "way.cause:1": "text", "key": "1"})
    assert answer.status_code == 303
    assert (attention(web, "sam", "person"), attention(web, "sam", "private")) == ("nothing", None)
    shown = sam.open("/settings").text
    assert re.search(r'name="way.cause:6" value="nothing"[^>]* checked', shown)
    assert 'action="/undo"' in shown
    sam.press("/undo")
    assert attention(web, "sam", "person") is None


def test_as_usual_ends_a_choice(web: WebOffice) -> None:
    sam = web.browser("sam")
    sam.press("/settings/ways", {"way.cause:2": "digest", "key": "1"})
    assert attention(web, "sam", "mention") == "digest"
    assert attention(web, "sam", "digest_every") == "day", "the first choice of a digest begins one"
    sam.press("/settings/ways", {"usual": "cause:2", "key": "2"})
    assert attention(web, "sam", "mention") is None


def test_a_follow_is_set_apart_and_gets_an_end(web: WebOffice) -> None:
    sam, kim = web.browser("sam"), web.id("kim")
    sam.press("/settings/ways", {"add": "1", "source": str(kim), "key": "1"})
    follow = "SELECT way, off, by_text, expires_at - now() FROM follows WHERE follower_id = :s AND account_id = :k"
    assert web.sql(follow, s=web.id("sam"), k=kim)[0][:3] == ("text", False, True)
    sam.press(
        "/settings/ways", {f"way.source:{kim}": "digest", f"end.source:{kim}": "1w", "confirmed": "end", "key": "2"}
    )
    way, off, _, left = web.sql(follow, s=web.id("sam"), k=kim)[0]
    assert (way, off, 6 <= left.days <= 7) == ("digest", False, True)
    sam.press("/settings/ways", {f"way.source:{kim}": "digest", f"end.source:{kim}": "never", "key": "3"})
    assert web.sql(follow, s=web.id("sam"), k=kim)[0][3] is None
    sam.press("/settings/ways", {f"way.source:{kim}": "nothing", "key": "4"})
    assert web.sql(follow, s=web.id("sam"), k=kim)[0][1] is True
    assert "nothing is sent; it stands here" in sam.words("/settings")


def test_nobody_sets_a_way_for_what_they_do_not_follow(web: WebOffice) -> None:
    """Also not for a closed group, whose id tells nothing."""
    sam, board = web.browser("sam"), web.id("board")
    for form in ({"add": "1", "source": str(board)}, {"usual": f"source:{board}"}, {"add": "1", "source": "7"}):
        assert sam.press("/settings/ways", form).status_code == 422
    looked = sam.words(f"/settings?from={board}")
    assert "You do not follow or track that." in looked
    assert "board" not in looked


@pytest.mark.parametrize(
    "form",
    [{"way.cause:1": "loud"}, {"usual": "cause:99"}, {"usual": "source:x"}, {"usual": "kim"}, {"usual": "cause:0"}],
)
def test_what_the_table_does_not_have_is_refused(web: WebOffice, form: dict[str, str]) -> None:
    assert web.browser("sam").press("/settings/ways", form).status_code == 400
    assert web.sql("SELECT count(*) FROM attention") == [(0,)]


def test_a_way_that_has_no_address_is_refused_in_words(web: WebOffice) -> None:
    answer = web.browser("sam").press("/settings/ways", {"way.cause:1": "mail"})
    assert (answer.status_code, "You have no confirmed mailbox here" in answer.text) == (422, True)


def test_the_limit_of_texts_is_set_and_ended(web: WebOffice) -> None:
    sam = web.browser("sam")
    sam.press("/settings/ways", {"limit": "20", "key": "1"})
    assert attention(web, "sam", "texts_a_day") == 20
    sam.press("/settings/ways", {"limit": "", "key": "2"})
    assert attention(web, "sam", "texts_a_day") is None
    assert sam.press("/settings/ways", {"limit": "501"}).status_code == 422
    assert sam.press("/settings/ways", {"limit": "many"}).status_code == 422


def test_mails_instead_of_texts_and_back(web: WebOffice) -> None:
    kim = web.browser("kim")
    kim.press("/settings/prefer", {"instead": "mail", "key": "1"})
    assert attention(web, "kim", "prefer") == "mail"
    assert "because you prefer mails" in kim.words("/settings")
    kim.press("/settings/prefer", {"instead": "", "key": "2"})
    assert attention(web, "kim", "prefer") is None
    kim.press("/settings/prefer", {"instead": "web", "key": "3"})
    assert attention(web, "kim", "prefer") == "web"
    assert "here alone, because you prefer the web" in kim.words("/settings")
    assert kim.press("/settings/prefer", {"instead": "fax"}).status_code == 400


def test_what_would_happen_now_is_what_happens(web: WebOffice) -> None:
    sam, kim = web.browser("sam"), web.id("kim")
    assert "A text to …02, at once." in sam.words(f"/settings?from={kim}")
    web.office.says("sam", "quiet 00:00-23:59")
    web.office.work()
    assert "It waits till" in sam.words(f"/settings?from={kim}")
    web.office.says("sam", "quiet off")
    web.office.says("sam", "off kim")
    web.office.work()
    assert "you turned it off" in sam.words(f"/settings?from={kim}")
    web.office.says("sam", "digest kim")
    web.office.work()
    assert "It comes in your digest" in sam.words(f"/settings?from={kim}")


def test_quiet_hours_are_drawn_and_saved(web: WebOffice) -> None:
    sam, phone = web.browser("sam"), address(web, "sam")
    days = {"day.0": ["0", "1", "2", "3", "4", "5", "6"]}
    form = {"address": str(phone), "from.0": "22:00", "to.0": "07:00", "key": "1", **days}
    assert sam.press("/settings/quiet", form).status_code == 303
    assert web.sql("SELECT quiet FROM addresses WHERE id = :id", id=phone) == [
        ("mo,tu,we,th,fr,sa,su 22:00-07:00",)
    ]  # fmt: skip
    page = sam.open("/settings").text
    assert 'stroke-dasharray="540 900" transform="rotate(240.0 120 120)"' in page, "one arc over midnight"
    assert page.count('class="asleep-bar"') == 14
    assert "Quiet from 22:00 to 07:00." in page
    assert "style=" not in page
    sam.press("/settings/quiet", {"address": str(phone), "off": "1", "key": "2"})
    assert web.sql("SELECT quiet FROM addresses WHERE id = :id", id=phone) == [(None,)]
    sam.press("/undo")
    assert web.sql("SELECT quiet IS NULL FROM addresses WHERE id = :id", id=phone) == [(False,)]


def test_two_spans_and_one_without_a_day(web: WebOffice) -> None:
    sam, phone = web.browser("sam"), address(web, "sam")
    assert sam.open("/settings?spans=2").text.count('name="from.') == 2
    form = {"address": str(phone), "from.0": "22:00", "to.0": "07:00", "day.0": ["0", "1"],
            "from.1": "12:00", "to.1": "13:00", "day.1": "6"}  # fmt: skip
    sam.press("/settings/quiet", form)
    assert web.sql("SELECT quiet FROM addresses WHERE id = :id", id=phone) == [
        ("mo,tu 22:00-07:00; su 12:00-13:00",)
    ]  # fmt: skip
    for wrong in ({"day.0": []}, {"to.0": ""}, {"from.0": "25:00"}, {"to.0": "22:00", "from.0": "22:00"}):
        assert sam.press("/settings/quiet", {**form, "key": str(wrong), **wrong}).status_code == 422, wrong


def test_nobody_sets_the_quiet_hours_of_another_phone(web: WebOffice) -> None:
    form = {"address": str(address(web, "kim")), "from.0": "22:00", "to.0": "07:00", "day.0": "1"}
    assert web.browser("sam").press("/settings/quiet", form).status_code == 422
    assert web.sql("SELECT count(*) FROM addresses WHERE quiet IS NOT NULL") == [(0,)]
    other = web.browser("sam").open(f"/settings?address={address(web, 'kim')}").text
    assert "kim@demo.example" not in other
    assert "…01" not in other


def test_the_zone_goes_by_the_name_of_a_place(web: WebOffice) -> None:
    sam = web.browser("sam")
    sam.press("/settings/zone", {"zone": "Tokyo", "until": "till sunday", "key": "1"})
    assert attention(web, "sam", "zone") == "Asia/Tokyo"
    assert "Till" in sam.words("/settings")
    sam.press("/settings/zone", {"home": "1", "key": "2"})
    assert attention(web, "sam", "zone") is None
    wrong = sam.press("/settings/zone", {"zone": "Nowhereville"})
    assert (wrong.status_code, "No place is called Nowhereville here" in wrong.text) == (422, True)
    assert sam.press("/settings/zone", {"zone": "Tokyo", "until": "x"}).status_code == 400


def test_the_digest_is_set_and_its_next_one_is_shown(web: WebOffice) -> None:
    sam = web.browser("sam")
    sam.press("/settings/digest", {"every": "week", "weekday": "0", "at": "09:00", "key": "1"})
    assert [attention(web, "sam", each) for each in ("digest_every", "digest_weekday")] == ["week", 0]
    web.office.says("sam", "digest kim")
    web.office.work()
    web.office.says("kim", "the printer works again")
    web.office.work()
    words = sam.words("/settings")
    assert "Your digest, 1 update: Kim Lee" in words
    assert "Kim Lee : the printer works again" in words
    assert "1 Kim Lee: the printer works again" in words, "as a text"
    assert web.sql("SELECT count(*) FROM held WHERE state = 'waiting'") == [(1,)], "looking sends nothing"
    sam.press("/settings/digest", {"now": "1", "key": "2"})
    assert web.sql("SELECT count(*) FROM held WHERE state = 'waiting' AND until > now()") == [(0,)]
    sam.press("/settings/digest", {"every": "never", "key": "3"})
    assert attention(web, "sam", "digest_every") is None


def test_the_next_digest_has_nothing_that_was_taken_back(web: WebOffice) -> None:
    for who, words in (("sam", "digest kim"), ("kim", "the margin is bad"), ("kim", "undo")):
        web.office.says(who, words)
        web.office.work()
    assert "margin" not in web.browser("sam").words("/settings")


@pytest.mark.parametrize("form", [{"every": "hour"}, {"every": "week", "weekday": "9", "at": "09:00"}])
def test_no_other_digest_is_taken(web: WebOffice, form: dict[str, str]) -> None:
    assert web.browser("sam").press("/settings/digest", form).status_code == 400


def test_a_digest_needs_a_time_of_day(web: WebOffice) -> None:
    assert web.browser("sam").press("/settings/digest", {"every": "day", "at": "soon"}).status_code == 422


def test_names_are_no_markup_in_the_table(web: WebOffice) -> None:
    web.sql("UPDATE accounts SET name = '<b>Kim</b>' WHERE handle = 'kim'")
    page = web.browser("sam").open("/settings").text
    assert "<b>Kim</b>" not in page
    assert "&lt;b&gt;Kim&lt;/b&gt;" in page
