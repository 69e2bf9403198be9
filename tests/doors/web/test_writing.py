"""What is written on pages: who hears it, that it waits, and that it can be taken back; drafts, reach, names."""

import io
import re

import pytest

from tests.doors.web.conftest import PageCompany
from tests.support import sample_files
from tests.support.web_visitor import plain

EVERYONE = {"audience": "everyone", "key": "one"}
POSTS = "SELECT text, visibility, via, author_id, group_id FROM posts WHERE deleted_at IS NULL ORDER BY id"


def test_an_update_waits_and_only_its_writer_sees_it(company: PageCompany) -> None:
    kim, sam = company.open("kim"), company.open("sam")
    answer = kim.press("/updates", {**EVERYONE, "text": "starting the proposal"})
    assert (answer.status_code, answer.location) == (303, "/")
    assert [row[:3] for row in company.all(POSTS)] == [("starting the proposal", "company", "web")]
    assert company.scalar("SELECT bool_and(not_before > now()) FROM fanouts")
    assert company.scalar("SELECT count(*) FROM deliveries") == 0
    page = kim.open("/").text
    assert "starting the proposal" in page
    assert re.search(r"Leaves in \d+ s", page)
    for path in ("/", "/everyone", f"/updates/{company.scalar('SELECT id FROM posts')}"):
        assert "starting the proposal" not in sam.open(path).text, path
    company.passes(20)
    assert "starting the proposal" in sam.open("/").text
    assert "Leaves in" not in kim.open("/").text


def test_a_form_that_is_sent_twice_posts_once(company: PageCompany) -> None:
    kim = company.open("kim")
    for _ in range(2):
        assert kim.press("/updates", {**EVERYONE, "text": "only once"}).status_code == 303
    assert kim.press("/updates", {**EVERYONE, "text": "other words"}).status_code == 422
    assert [row.text for row in company.all(POSTS)] == ["only once"]


def test_taking_back_within_the_hold_reaches_nobody(company: PageCompany) -> None:
    kim, sam = company.open("kim"), company.open("sam")
    kim.press("/updates", {**EVERYONE, "text": "a mistake"})
    post = company.scalar("SELECT id FROM posts")
    assert sam.press(f"/updates/{post}/take-back").status_code == 422
    kim.press(f"/updates/{post}/take-back", {"back": "/"})
    assert "Taken back. Nobody got it." in kim.words("/")
    assert "Taken back" not in kim.words("/")  # said once
    assert company.all(POSTS) == []
    assert company.scalar("SELECT state FROM fanouts") == "cancelled"
    assert "a mistake" not in kim.open("/everyone").text


def test_undo_takes_back_the_last_thing_by_any_door(company: PageCompany) -> None:
    kim, post = company.open("kim"), company.says("sam", "hello")
    kim.press(f"/updates/{post}/like", {"back": "/everyone"})
    assert company.scalar("SELECT count(*) FROM reactions") == 1
    kim.press("/undo")
    assert company.scalar("SELECT count(*) FROM reactions") == 0
    again = kim.press("/undo")
    assert again.status_code == 422


def test_likes_and_repeats_count_once_and_lead_back_to_the_update(company: PageCompany) -> None:
    kim, post = company.open("kim"), company.says("sam", "hello")
    answer = kim.press(f"/updates/{post}/like", {"back": "/everyone"})
    assert answer.location == f"/everyone#u{post}"
    assert 'aria-pressed="true"' in kim.open("/everyone").text
    kim.press(f"/updates/{post}/unlike")
    assert company.scalar("SELECT count(*) FROM reactions") == 0
    kim.press(f"/updates/{post}/repeat")
    kim.press(f"/updates/{post}/repeat")
    assert "You repeated it already." in kim.words("/")
    assert company.scalar("SELECT count(*) FROM posts WHERE repeat_of = :post", post=post) == 1


def test_a_reply_is_as_private_as_what_it_answers(company: PageCompany) -> None:
    kim, sam = company.open("kim"), company.open("sam")
    public, closed = company.says("sam", "who has the keys?"), company.says("kim", "the margin is 12", to="board")
    kim.press("/updates", {"audience": f"re:{public}", "text": "I have"})
    assert company.all(POSTS)[-1][:2] == ("I have", "company")
    assert sam.press("/updates", {"audience": f"re:{closed}", "text": "let me see"}).status_code == 422
    kim.press("/updates", {"audience": f"re:{closed}", "text": "13 now"})
    assert company.all(POSTS)[-1][:2] == ("13 now", "group")
    company.passes(20)
    assert "13 now" not in sam.open("/everyone").text
    assert "1 reply" in sam.words(f"/updates/{public}")


def test_private_words_reach_one_person_alone(company: PageCompany) -> None:
    kim, sam, anne = (company.open(each) for each in ("kim", "sam", "anne"))
    form = {"audience": f"to:{company.people['sam']}", "text": "between us two"}
    assert kim.press("/updates", form).location == "/private/sam"
    assert "between us two" not in sam.open("/private").text  # it can still be taken back
    company.passes(20)
    assert "between us two" in sam.open("/private/kim").text
    for path in ("/", "/everyone", "/private", "/private/kim", "/private/sam"):
        assert "between us two" not in anne.open(path).text, path
    assert anne.open(f"/updates/{company.scalar('SELECT max(id) FROM posts')}").status_code == 404


def test_a_typed_name_must_be_somebodys(company: PageCompany) -> None:
    kim = company.open("kim")
    for person, status in (("nobody", 422), ("", 422), ("Sam Ortiz", 303), ("@anne", 303), ("board", 303)):
        form = {"audience": "private", "person": person, "text": "psst"}
        if person != "board":  # nobody but Kim is in it
            assert kim.press("/updates", form).status_code == status, person
    assert {row.visibility for row in company.all(POSTS)} == {"direct"}


def test_an_audience_that_means_nobody_is_never_everyone(company: PageCompany) -> None:
    kim = company.open("kim")
    person = f"in:{company.people['sam']}"
    for wrong in ("", "everybody", "to:", "to:1", "in:1", person, "re:abc", "re:99999999999999999999"):
        assert kim.press("/updates", {"audience": wrong, "text": "secret"}).status_code == 422, wrong
    assert company.all(POSTS) == []


def test_words_that_look_private_are_asked_about(company: PageCompany) -> None:
    kim = company.open("kim")
    private = ("d sam the margin is 12", "@sam: privately, the margin is 12", "DM sam my pay", "private sam: hi")
    for number, words in enumerate(private):
        asked = kim.press("/updates", {"audience": "everyone", "key": f"k{number}", "text": words})
        assert asked.status_code == 409, words
        assert "Nothing was sent." in plain(asked.text)
    assert company.all(POSTS) == []
    chosen = re.search(r'name="audience" value="(to:\d+)"', asked.text)
    assert chosen is not None
    assert kim.press("/updates", {"audience": chosen[1], "text": "hi"}).status_code == 303
    assert kim.press("/updates", {"audience": "everyone", "text": words, "confirmed": "addressed"}).status_code == 303
    assert [row.visibility for row in company.all(POSTS)] == ["direct", "company"]


def test_many_phones_are_asked_about_and_nothing_goes_by_itself(company: PageCompany) -> None:
    kim = company.open("kim")
    object.__setattr__(company.settings, "ask_phones", 0)
    asked = kim.press("/updates", {**EVERYONE, "text": "to all"})
    assert (asked.status_code, company.all(POSTS)) == (409, [])
    assert "To 1 phone, about 1 part" in plain(asked.text)
    assert kim.press("/updates", {**EVERYONE, "text": "to all", "confirmed": "price"}).status_code == 303
    assert len(company.all(POSTS)) == 1


def test_pictures_keep_their_description_through_a_question(company: PageCompany) -> None:
    kim = company.open("kim")
    picture = (io.BytesIO(sample_files.MADE["png"]), "wall.png")
    form = {"audience": "everyone", "text": "d sam look", "file": picture, "description": "Six sheets on a wall"}
    asked = kim.press("/updates", form, content_type="multipart/form-data")
    kept = re.findall(r'name="upload" value="(\d+)"', asked.text)
    assert len(kept) >= 1
    kim.press("/updates", {"audience": "everyone", "text": "d sam look", "upload": kept[0], "confirmed": "addressed"})
    assert company.all("SELECT m.description, p.attached FROM posts p JOIN media m ON m.upload_id = p.upload_id") == [
        ("Six sheets on a wall", "photo")
    ]
    broken = {"audience": "everyone", "text": "x", "file": (io.BytesIO(b"MZ\x90\x00" * 9), "a.exe")}
    assert kim.press("/updates", broken, content_type="multipart/form-data").status_code == 422


def test_drafts_are_kept_for_each_audience_and_never_sent(company: PageCompany) -> None:
    kim, sam = company.open("kim"), company.open("sam")
    assert kim.press("/drafts", {"audience": "everyone", "text": "half a thou"}).status_code == 204
    kim.press("/drafts", {"audience": f"to:{company.people['sam']}", "text": "only for Sam"})
    assert "half a thou" in kim.open("/").text
    assert "only for Sam" in kim.open("/private/sam").text
    assert "only for Sam" not in kim.open("/").text
    assert "half a thou" not in sam.open("/").text
    assert company.all(POSTS) == []
    kim.press("/updates", {**EVERYONE, "text": "half a thought"})
    assert company.scalar("SELECT count(*) FROM web_drafts") == 1
    kim.press("/drafts", {"audience": f"to:{company.people['sam']}", "text": " "})
    assert company.scalar("SELECT count(*) FROM web_drafts") == 0


def test_reach_says_who_hears_and_what_costs_more(company: PageCompany) -> None:
    kim = company.open("kim")
    shown = plain(kim.press("/write/reach", {"audience": "everyone", "text": "hello"}).text)
    assert "Now 1 person" in shown
    assert "On a phone, 1 part" in shown
    assert "☂ is no letter" in plain(kim.press("/write/reach", {"audience": "everyone", "text": "rain ☂"}).text)
    assert "Only those who are named" in plain(kim.press("/write/reach", {"audience": "private", "text": "x"}).text)
    page = plain(kim.press("/write/preview", {"audience": "everyone", "text": "without a script"}).text)
    assert "without a script" in page
    assert "Who it reaches" in page


def test_names_complete_without_closed_groups_and_blocked_people(company: PageCompany) -> None:
    sam, kim = company.open("sam"), company.open("kim")
    assert sam.open("/write/names?q=%23ac").json == [["#", "acme", "ACME"]]
    assert sam.open("/write/names?q=%23bo").json == []
    assert kim.open("/write/names?q=%23bo").json == [["#", "board", "Board"]]
    assert sam.open("/write/names?q=@ki").json == [["@", "kim", "Kim Lee"]]
    assert sam.open("/write/names?q=@lee").json == [["@", "kim", "Kim Lee"]]
    for nothing in ("", "@", "@k", "kim", "@%25%25", "@__"):
        assert sam.open(f"/write/names?q={nothing}").json == [], nothing


@pytest.mark.parametrize("where", ["everyone", "group", "reply", "reply in a group", "question"])
def test_wherever_many_read_it_what_looks_private_is_asked_about(company: PageCompany, where: str) -> None:
    kim, public = company.open("kim"), company.says("sam", "who has it?")
    grouped = company.says("sam", "and here?", to="acme")
    forms = {
        "everyone": ("/updates", {"audience": "everyone"}),
        "group": ("/updates", {"audience": f"in:{company.people['acme']}"}),
        "reply": ("/updates", {"audience": f"re:{public}"}),
        "reply in a group": ("/updates", {"audience": f"re:{grouped}"}),
        "question": ("/@acme/write", {"kind": "ask"}),
    }
    path, form = forms[where]
    before = len(company.all(POSTS))
    asked = kim.press(path, {**form, "text": "d sam the margin is 12"})
    assert (asked.status_code, len(company.all(POSTS))) == (409, before)
    instead = re.search(r'action="(/[^"]*)">(?:(?!</form>).)*name="audience" value="to:', asked.text, re.S)
    assert instead is not None
    assert instead[1] == "/updates"  # the other button sends it privately, whatever page asked
    assert kim.press(path, {**form, "text": "d sam the margin is 12", "confirmed": "addressed"}).status_code == 303
    assert len(company.all(POSTS)) == before + 1


def test_private_words_are_private_also_as_an_answer(company: PageCompany) -> None:
    """What goes to one person needs no question, however it begins."""
    pair = (company.people["kim"], company.people["kim"])
    private = company.says("sam", "between us", visibility="direct", recipients=[pair])
    assert company.open("kim").press("/updates", {"audience": f"re:{private}", "text": "d sam yes"}).status_code == 303


def test_a_draft_for_somebody_who_was_typed_ends_when_it_is_sent(company: PageCompany) -> None:
    kim = company.open("kim")
    kim.press("/drafts", {"audience": "private", "text": "psst"})
    assert "psst" in kim.open("/write?to=private").text
    kim.press("/updates", {"audience": "private", "person": "sam", "text": "psst, Sam"})
    assert company.scalar("SELECT count(*) FROM web_drafts") == 0


def test_undo_takes_back_what_it_stands_beside(company: PageCompany) -> None:
    """Also when something else was done since, from the phone or in another window."""
    kim, other = company.open("kim"), company.open("kim")
    kim.press("/@anne/follow", {"way": "nothing", "key": "follow-anne"})
    other.press("/updates", {"audience": "everyone", "key": "posted", "text": "meanwhile"})
    page = kim.open("/").text
    of = re.search(r'name="of" value="([^"]+)"', page)
    assert of is not None
    assert of[1] == "follow-anne"
    kim.press("/undo", {"of": of[1]})
    assert len(company.all(POSTS)) == 1
    assert company.scalar("SELECT count(*) FROM follows WHERE account_id = :anne", anne=company.people["anne"]) == 0
    assert company.open("sam").press("/undo", {"of": "posted"}).status_code == 422  # another person's key
    assert len(company.all(POSTS)) == 1
    kim.press("/undo", {"of": "posted"})
    assert company.all(POSTS) == []


def test_words_that_were_asked_about_are_kept_and_end_when_they_are_sent_privately(company: PageCompany) -> None:
    """What was meant for one person must not stand ready in the box that goes to everyone."""
    kim = company.open("kim")
    assert kim.press("/updates", {"audience": "to:1", "text": "the margin is 12"}).status_code == 422
    assert company.all("SELECT audience, words FROM web_drafts") == [("to:1", "the margin is 12")]
    asked = kim.press("/updates", {"audience": "everyone", "text": "d sam the margin is 12", "key": "one"})
    assert asked.status_code == 409
    assert "the margin is 12" in kim.open("/").text
    assert 'name="drafted" value="everyone"' in asked.text
    form = {"audience": f"to:{company.people['sam']}", "text": "the margin is 12", "drafted": "everyone", "key": "two"}
    assert kim.press("/updates", form).status_code == 303
    assert company.all("SELECT 1 FROM web_drafts") == []
