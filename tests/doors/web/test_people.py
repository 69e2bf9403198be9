"""The directory, somebody's page, and the buttons about them: what they do, what `undo` takes back, what is hidden."""

import re
from typing import Any

import pytest
from sqlalchemy import text

from gateway.network.follows import directory_pages, follows, mutes
from gateway.network.people import accounts, addresses
from gateway.store.database import transaction
from tests.doors.web.conftest import PageCompany
from tests.support.web_visitor import WebVisitor, plain


def follow_of(company: PageCompany, who: str, whom: str) -> Any:
    """(role, state, by_text, off, way, whether it has an end); None when there is no such follow."""
    rows = company.all(
        "SELECT role, state, by_text, off, way, expires_at IS NOT NULL FROM follows "
        "WHERE follower_id = :who AND account_id = :whom",
        who=company.people[who], whom=company.people[whom],
    )  # fmt: skip
    return tuple(rows[0]) if rows else None


def bar(visitor: WebVisitor, path: str = "/people") -> tuple[str, bool]:
    """What the bar of the next page says, and whether it offers to undo."""
    found = re.search(r'<div class="undo[^>]*>(.*?)</div>', visitor.open(path).text, re.DOTALL)
    if found is None:
        return "", False
    words = re.search(r"<p>(.*?)</p>", found[1], re.DOTALL)
    return (words[1] if words else "", "/undo" in found[1])


def hire(company: PageCompany, number: int) -> None:
    with transaction(company.engine) as session:
        for each in range(number):
            person = accounts.create_person(session, f"temp{each:03}", f"Temp {each:03}", title="Helper")
            company.people[f"temp{each:03}"] = person.id


def test_the_directory_has_everybody_by_name_and_what_they_do(company: PageCompany) -> None:
    page = company.open("sam").words("/people")
    assert page.index("Anne Cole") < page.index("Kim Lee") < page.index("Sam Ortiz")
    assert "runs #acme" in page
    assert "1 follower" in page
    assert "415555" not in company.open("sam").open("/people").text


def test_it_goes_on_page_by_page_without_a_hole(company: PageCompany) -> None:
    hire(company, directory_pages.PAGE + 7)
    sam, path, found = company.open("sam"), "/people", []
    for _ in range(4):
        page = sam.open(path).text
        found += re.findall(r'<li class="person"><a class="face[^>]*href="/@([a-z0-9]+)"', page)
        more = re.search(r'href="(/people\?[^"]*after=\d+)"', page)
        if more is None:
            break
        path = more[1].replace("&amp;", "&")
    assert len(found) == len(set(found)) == directory_pages.PAGE + 10
    assert found[0] == "anne"


@pytest.mark.parametrize(
    ("typed", "found"),
    [("ann", ["anne"]), ("ORTIZ", ["sam"]), ("@kim", ["kim"]), ("driver", ["anne"]), ("%", []), ("zzz", [])],
)
def test_it_finds_by_a_part_of_name_handle_or_title(company: PageCompany, typed: str, found: list[str]) -> None:
    with transaction(company.engine) as session:
        session.get_one(accounts.Account, company.people["anne"]).title = "Driver"
    page = company.open("sam").open("/people", query_string={"q": typed}).text
    assert re.findall(r'<li class="person"><a class="face[^>]*href="/@([a-z0-9]+)"', page) == found
    if not found:
        assert "Nobody is called" in page


def test_tabs_and_their_counts(company: PageCompany) -> None:
    sam = company.open("sam")
    following = sam.words("/people?show=following")
    assert "Kim Lee" in following
    assert "ACME" in following
    assert "Anne Cole" not in following
    assert "Nobody follows you yet" in sam.words("/people?show=followers")
    assert "Sam Ortiz" in company.open("kim").words("/people?show=followers")
    assert "Board" in sam.words("/groups")


def test_a_name_with_markup_is_text(company: PageCompany) -> None:
    with transaction(company.engine) as session:
        session.get_one(accounts.Account, company.people["anne"]).name = "<b>Anne</b>"
    for path in ("/people", "/@anne", "/@anne/followers", "/@anne/report"):
        page = company.open("sam").open(path).text
        assert "<b>Anne" not in page, path
        assert "&lt;b&gt;Anne" in page


@pytest.mark.parametrize(
    ("way", "row", "said"),
    [
        ("text", ("follower", "active", False, False, "text", False), "You follow Anne Cole by text."),
        ("digest", ("follower", "active", False, False, "digest", False), "You follow Anne Cole, in your digest."),
        ("nothing", ("follower", "active", False, True, None, False),
         "You follow Anne Cole only here: nothing is sent."),
    ],
)  # fmt: skip
def test_one_press_follows_in_its_way_and_undo_takes_all_of_it_back(
    company: PageCompany, way: str, row: tuple[Any, ...], said: str
) -> None:
    sam = company.open("sam")
    answer = sam.press(f"/@anne/follow?way={way}", {"key": "one", "back": "/people"})
    assert (answer.status_code, answer.location) == (303, "/people")
    assert follow_of(company, "sam", "anne") == row
    assert bar(sam) == (said, True)
    sam.press(f"/@anne/follow?way={way}", {"key": "one", "back": "/people"})  # pressed twice, done once
    assert company.scalar("SELECT count(*) FROM effects WHERE kind = 'follow'") == 1
    sam.press("/undo")
    assert follow_of(company, "sam", "anne") is None
    assert company.scalar("SELECT digest_every FROM attention WHERE account_id = :me", me=company.people["sam"]) is None


def test_a_way_that_the_person_has_not_is_refused(company: PageCompany) -> None:
    sam = company.open("sam")
    assert 'value="mail"' not in sam.open("/@anne").text
    answer = sam.press("/@anne/follow", {"way": "mail"})
    assert answer.status_code == 422
    assert follow_of(company, "sam", "anne") is None
    assert sam.press("/@anne/follow", {"way": "pigeon"}).status_code == 400
    assert sam.press("/@anne/follow", {}).status_code == 400


def test_the_form_of_a_page_changes_way_and_end(company: PageCompany) -> None:
    sam = company.open("sam")
    was = follow_of(company, "sam", "kim")
    asked = sam.press("/@kim/follow", {"way": "digest", "until": "1w"})
    assert asked.status_code == 409  # it had no end
    assert "You follow Kim Lee with no end." in plain(asked.text)
    assert follow_of(company, "sam", "kim") == was
    sam.press("/@kim/follow", {"way": "digest", "until": "1w", "confirmed": "end"})
    assert follow_of(company, "sam", "kim") == ("follower", "active", True, False, "digest", True)
    sam.press("/@kim/follow", {"way": "text", "until": "keep"})
    assert follow_of(company, "sam", "kim") == ("follower", "active", True, False, "text", True)
    sam.press("/undo")
    assert follow_of(company, "sam", "kim") == ("follower", "active", True, False, "digest", True)


@pytest.mark.parametrize("until", ["yesterday", "9999w", "1w; DROP", "till"])
def test_an_end_that_is_none_is_refused(company: PageCompany, until: str) -> None:
    assert company.open("sam").press("/@anne/follow", {"way": "text", "until": until}).status_code == 400
    assert follow_of(company, "sam", "anne") is None


def test_unfollow_and_back(company: PageCompany) -> None:
    sam = company.open("sam")
    was = follow_of(company, "sam", "kim")
    sam.press("/@kim/unfollow", {"back": "/@kim"})
    assert follow_of(company, "sam", "kim") is None
    assert bar(sam, "/@kim") == ("You no longer follow Kim Lee.", True)
    sam.press("/undo")
    assert follow_of(company, "sam", "kim") == was
    sam.press("/@anne/unfollow")
    assert bar(sam) == ("You do not follow Anne Cole. Nothing was changed.", False)


def test_following_oneself_is_refused(company: PageCompany) -> None:
    assert company.open("sam").press("/@sam/follow", {"way": "text"}).status_code == 422
    assert "Follow Sam" not in company.open("sam").words("/@sam")


def test_mute_and_block_with_their_ends(company: PageCompany) -> None:
    sam = company.open("sam")
    sam.press("/@kim/mute?until=1h", {"back": "/@kim"})
    said, offers = bar(sam, "/@kim")
    assert said.startswith("Kim Lee is muted till ")
    assert offers
    assert "Muted till" in sam.words("/@kim")
    sam.press("/@kim/mute")
    assert company.scalar("SELECT count(*) FROM silences WHERE kind = 'mute' AND expires_at IS NULL") == 1
    asked = sam.press("/@kim/mute?until=1h")
    assert asked.status_code == 409
    assert 'name="until" value="1h"' in asked.text  # what the address said is asked about as well
    sam.press("/@kim/unmute")
    assert company.scalar("SELECT count(*) FROM silences") == 0
    sam.press("/@kim/block")
    assert follow_of(company, "sam", "kim") is None
    assert "You blocked Kim Lee" in sam.words("/@kim")
    sam.press("/undo")
    assert company.scalar("SELECT count(*) FROM silences") == 0
    assert follow_of(company, "sam", "kim") is not None


def test_a_block_hides_all_but_the_name_from_both(company: PageCompany) -> None:
    secret = company.says("kim", "zanzibar")
    with transaction(company.engine) as session:
        session.get_one(accounts.Account, company.people["kim"]).title = "Quartermaster"
        follows.follow(session, company.people["anne"], company.people["kim"], by_text=False)
        mutes.block(session, company.people["kim"], company.people["sam"])
    sam = company.open("sam")
    for path in ("/@kim", "/people", "/search?q=zanzibar", "/people?q=quarter", "/@anne/following"):
        page = sam.words(path)
        assert "Quartermaster" not in page, path
        assert "zanzibar" not in page.replace("/search?q=zanzibar", "").replace("“zanzibar”", ""), path
    assert "Anne" not in sam.words("/@kim")
    assert sam.open("/@kim/followers").status_code == 403
    assert sam.open(f"/updates/{secret}/report").status_code == 404
    assert "You blocked" not in sam.words("/@kim")
    assert "You do not hear each other." in sam.words("/@kim")


def test_followers_and_following_hide_blocks_and_closed_groups(company: PageCompany) -> None:
    with transaction(company.engine) as session:
        follows.follow(session, company.people["anne"], company.people["board"], by_text=False, role="member")
        follows.follow(session, company.people["anne"], company.people["kim"], by_text=False)
        mutes.block(session, company.people["sam"], company.people["anne"])
    assert "Anne" not in company.open("sam").words("/@kim/followers")
    assert "Anne" in company.open("kim").words("/@kim/followers")
    assert "Board" in company.open("kim").words("/@anne/following")
    outside = company.open("sam")
    with transaction(company.engine) as session:
        mutes.lift(session, company.people["sam"], company.people["anne"])
    assert "Board" not in outside.words("/@anne/following")
    assert "#board" not in outside.words("/@anne")


def test_nobody_and_who_has_left_are_404(company: PageCompany) -> None:
    with transaction(company.engine) as session:
        accounts.deactivate(session, company.people["anne"])
    sam = company.open("sam")
    for path in ("/@anne", "/@nobody", "/@anne/followers", "/@anne/report", "/@acme/followers", "/@kim/people"):
        assert sam.open(path).status_code == 404, path
    for path in ("/@nobody/follow", "/@anne/mute", "/@anne/nudge", "/@anne/report"):
        assert sam.press(path, {"way": "text"}).status_code == 404, path


def test_what_is_not_there_looks_like_what_one_may_not_see(company: PageCompany) -> None:
    """One page for all of it, whoever asks: nothing in it tells which it is."""
    gone, private = company.says("kim", "secret", to="board"), company.says("kim", "x", visibility="direct")
    sam = company.open("sam")
    pages = [sam.open(path) for path in ("/@nobody", f"/updates/{gone}", f"/updates/{private}", "/updates/99")]
    assert {page.status_code for page in pages} == {404}
    assert len({page.text for page in pages}) == 1
    assert "Nothing here" in pages[0].text
    assert "Sam" not in pages[0].text
    assert "This page is for others" in sam.words("/@board/people")


def test_a_nudge_is_sent_once_a_day(company: PageCompany) -> None:
    sam = company.open("sam")
    sam.press("/@kim/nudge")
    assert bar(sam) == ("Kim Lee is asked what they are doing.", False)
    sam.press("/@kim/nudge")
    assert bar(sam) == ("You asked Kim Lee today already.", False)
    assert company.scalar("SELECT count(*) FROM nudges") == 1


def test_inviting_a_colleague(company: PageCompany) -> None:
    sam = company.open("sam")
    answer = sam.press("/invite", {"address": "+1 415 555 0177"})
    assert answer.status_code == 303
    assert company.scalar("SELECT count(*) FROM invitations") == 1
    assert "0177" not in sam.open("/people").text
    assert sam.press("/invite", {"address": "+14155550101"}).status_code == 422  # is here already
    assert sam.press("/invite", {"address": "nonsense"}).status_code == 422


def test_the_pages_of_a_person(company: PageCompany) -> None:
    top = company.says("kim", "zebra #win")
    company.says("kim", "an answer", in_reply_to=top)
    sam = company.open("sam")
    assert "an answer" not in sam.words("/@kim")
    assert "an answer" in sam.words("/@kim?show=replies")
    assert "zebra" not in sam.words("/@kim?show=pictures")
    assert "#win 1" in plain(sam.open("/@kim").text) or "#win 1" in sam.open("/@kim").text
    assert sam.open("/@KIM").status_code == 200
    assert sam.open("/@me").location == "/@sam"


def test_what_reaches_somebody_is_told_and_their_numbers_are_not(company: PageCompany) -> None:
    page = company.open("sam").open("/@kim").text
    assert "Reached by text." in page
    assert not re.search(r"\+1415|555010", page)


def test_reports_go_to_the_operators_with_a_reason(company: PageCompany) -> None:
    post, closed = company.says("kim", "rude"), company.says("kim", "secret", to="board")
    with transaction(company.engine) as session:
        accounts.set_role(session, company.people["anne"], "operator")
    sam = company.open("sam")
    assert "rude" in sam.words(f"/updates/{post}/report")
    assert sam.open(f"/updates/{closed}/report").status_code == 404
    assert sam.press(f"/updates/{closed}/report", {"reason": "x"}).status_code == 404
    assert sam.press("/updates/99/report", {"reason": "x"}).status_code == 404
    sam.press(f"/updates/{post}/report", {"reason": "  it is\x07 rude  "})
    assert company.all("SELECT reason, closed_at FROM reports") == [("it is rude", None)]
    sam.press(f"/updates/{post}/report", {"reason": "again"})
    assert bar(sam) == ("You already reported that. The people who run Critter will look at it.", False)
    sam.press("/@kim/report")
    assert bar(sam)[1]
    sam.press("/undo")
    assert company.scalar("SELECT count(*) FROM reports WHERE closed_at IS NOT NULL AND post_id IS NULL") == 1
    assert sam.press("/@sam/report").status_code == 422
    assert "rude" not in str(company.all("SELECT text FROM messages WHERE kind = 'notice'"))


def test_why_one_sees_an_update(company: PageCompany) -> None:
    own, kims, annes = company.says("sam", "mine"), company.says("kim", "a thing #win"), company.says("anne", "@sam hi")
    grouped, closed = company.says("anne", "in there", to="acme"), company.says("kim", "secret", to="board")
    sam = company.open("sam")
    assert "You wrote it." in sam.words(f"/updates/{own}/why")
    assert "You follow Kim Lee." in sam.words(f"/updates/{kims}/why")
    assert "Anybody in the company may read it." in sam.words(f"/updates/{kims}/why")
    assert "It names you." in sam.words(f"/updates/{annes}/why")
    assert "You are in ACME." in sam.words(f"/updates/{grouped}/why")
    assert "It was not sent to you" in sam.words(f"/updates/{grouped}/why")
    assert sam.open(f"/updates/{closed}/why").status_code == 404
    assert "The members of Board may read it." in company.open("kim").words(f"/updates/{closed}/why")


DELIVERED = """
    INSERT INTO deliveries
        (message_id, address_id, channel, state, source_id, priority, give_up_at, sent_at, ended_at)
    SELECT id, :at, 'sms', 'delivered', :source, 1, now(), now(), now() FROM messages WHERE post_id = :post
"""


def test_why_tells_what_was_sent(company: PageCompany) -> None:
    post = company.says("kim", "news")
    with transaction(company.engine) as session:
        address = addresses.primary(session, company.people["sam"], "sms")
        assert address
        where, source = address.id, company.people["kim"]
    with transaction(company.engine) as session:
        session.execute(text(DELIVERED), {"at": where, "source": source, "post": post})
    assert "You have followed Kim Lee since" in company.open("sam").words(f"/updates/{post}/why")


def test_the_menu_has_what_is_not_in_the_bar(company: PageCompany) -> None:
    page = company.open("sam").open("/menu").text
    for path in ("/@sam", "/everyone", "/people", "/groups", "/search", "/settings", "/sign-out", "/@acme"):
        assert f'"{path}"' in page, path
    assert '"/operate"' not in page
    with transaction(company.engine) as session:
        accounts.set_role(session, company.people["sam"], "operator")
    assert '"/operate"' in company.open("sam").open("/menu").text
