"""Search: only what the reader may read, by words and operators; topics, tags and tracked words."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import text

from gateway.network.feeds import feeds
from gateway.network.follows import follows, mutes
from gateway.network.posts import post_search, posts
from gateway.store.database import transaction
from gateway.store.tables import Post
from tests.doors.web.conftest import PageCompany
from tests.doors.web.test_people import bar
from tests.support.web_visitor import WebVisitor, plain


def found(visitor: WebVisitor, typed: str) -> list[int]:
    page = visitor.open("/search", query_string={"q": typed}).text
    return [int(each) for each in re.findall(r'<article class="post[^"]*" tabindex="-1" id="u(\d+)"', page)]


def test_words_find_updates_newest_first_and_are_marked(company: PageCompany) -> None:
    first, second = company.says("kim", "starting the ACME proposal"), company.says("anne", "old proposals are here")
    company.says("kim", "nothing of it")
    sam = company.open("sam")
    assert found(sam, "proposal") == [second, first]
    assert found(sam, "acme proposal") == [first]
    page = sam.open("/search?q=proposal").text
    assert "<mark>proposal</mark>" in page
    assert "<mark>proposals</mark>" in page
    assert "<mark>starting" not in page


def test_nothing_is_found_that_may_not_be_read(company: PageCompany) -> None:
    people = company.people
    company.says("kim", "zanzibar closed", to="board")
    company.says("kim", "zanzibar private", visibility="direct", recipients=[(people["anne"], people["anne"])])
    gone = company.says("kim", "zanzibar gone")
    company.says("anne", "zanzibar blocked")
    with transaction(company.engine) as session:
        posts.retract(session, session.get_one(Post, gone))
        mutes.block(session, people["anne"], people["sam"])
    sam, kim = company.open("sam"), company.open("kim")
    assert found(sam, "zanzibar") == []
    for typed in ("zanzibar", "in:board zanzibar", "from:kim", "to:me zanzibar", "from:anne zanzibar", "in:board"):
        assert "zanzibar " not in plain(sam.open("/search", query_string={"q": typed}).text).replace(
            f"“{typed}”", ""
        ).replace("zanzibar from:me", ""), typed
    assert len(found(kim, "zanzibar")) == 2  # of the closed group, and Anne's
    with transaction(company.engine) as session:
        follows.follow(session, people["sam"], people["board"], by_text=False, role="member")
    assert len(found(sam, "zanzibar")) == 1


def test_operators_narrow_it(company: PageCompany) -> None:
    kims, annes = company.says("kim", "printer works"), company.says("anne", "printer broken again")
    grouped, named = company.says("kim", "printer moved", to="acme"), company.says("anne", "@sam the printer")
    sam = company.open("sam")
    assert found(sam, "printer from:kim") == [grouped, kims]
    assert found(sam, "from:kim from:anne printer") == [named, grouped, annes, kims]
    assert found(sam, 'from:"Kim Lee"') == []
    assert found(sam, "printer in:acme") == [grouped]
    assert found(sam, "in:#acme") == [grouped]
    assert found(sam, "to:me") == [named]
    assert found(sam, "printer -works -moved") == [named, annes]
    assert found(sam, '"printer broken"') == [annes]
    assert found(sam, '"broken printer"') == []
    assert found(sam, "printer has:picture") == []
    assert found(sam, "printer before:2020-01-01") == []
    assert found(sam, "printer after:2020-01-01 before:2099-01-01") == [named, grouped, annes, kims]
    assert found(sam, "before:0001-01-01 printer") == [named, grouped, annes, kims]
    assert found(sam, "from:me printer") == []


def test_pictures_alone(company: PageCompany) -> None:
    with_one, without = company.says("kim", "printer picture"), company.says("kim", "printer words")
    with company.engine.begin() as connection:
        upload = connection.scalar(
            text("INSERT INTO uploads (account_id) VALUES (:who) RETURNING id"), {"who": company.people["kim"]}
        )
        connection.execute(
            text("INSERT INTO media (upload_id, number, content_type, sha256, state) "
                 "VALUES (:u, 1, 'image/png', sha256('x'), 'fetched')"), {"u": upload},
        )  # fmt: skip
        connection.execute(text("UPDATE posts SET upload_id = :u WHERE id = :p"), {"u": upload, "p": with_one})
    assert found(company.open("sam"), "printer has:picture") == [with_one]
    assert without


def test_nobody_of_that_name_finds_nothing_and_says_so(company: PageCompany) -> None:
    company.says("kim", "printer")
    page = company.open("sam").words("/search?q=printer+from:nobody+in:nowhere")
    assert "Nobody is called nobody, nowhere here." in page
    assert "printer</p>" not in page
    wrong = company.open("sam").words("/search?q=printer+before:soon")
    assert "Not understood, and left out: before:soon" in wrong


def test_people_and_groups_are_found_as_well(company: PageCompany) -> None:
    company.says("anne", "acme called about the offer")
    page = company.open("sam").words("/search?q=acme")
    assert "Who knows about it" in page
    assert "1 group" in page
    assert "Anne Cole" in page
    assert "Kim Lee" in company.open("sam").words("/search?q=kim")
    assert "1 group" not in company.open("sam").words("/search?q=acme+from:anne")


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "   ",
        "'",
        '"',
        "\\",
        "a & b | !c",
        "<script>",
        "():*",
        "%",
        "é\u0301",
        "x" * 199,
        "-only",
        "\x00",
        "🙂",
        "日本",
    ],
)
def test_anything_may_be_typed(company: PageCompany, typed: str) -> None:
    company.says("kim", "a & b <script>alert(1)</script> 日本語 🙂")
    answer = company.open("sam").open("/search", query_string={"q": typed})
    assert answer.status_code == 200
    assert "<script>alert" not in answer.text


def test_nothing_typed_and_nothing_found(company: PageCompany) -> None:
    sam = company.open("sam")
    assert "What do you look for?" in sam.words("/search")
    page = sam.words("/search?q=xylophone")
    assert "Nothing found" in page
    assert "Track it" in page


def test_it_goes_on_page_by_page(company: PageCompany) -> None:
    written = [company.says("kim", f"printer {number}") for number in range(feeds.PAGE + 3)]
    sam = company.open("sam")
    older = re.search(r'href="(/search\?q=printer&amp;before=\d+)"', sam.open("/search?q=printer").text)
    assert older is not None
    rest = sam.open(older[1].replace("&amp;", "&")).text
    assert re.findall(r'id="u(\d+)"', rest) == [str(each) for each in written[:3][::-1]]


def test_what_takes_too_long_is_said(company: PageCompany, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(300):
        company.says("kim", f"printer {number}")
    monkeypatch.setattr(post_search, "PATIENCE", timedelta(milliseconds=1))
    page = company.open("sam").words("/search?q=printer")
    assert "These words are in too many updates" in page or "updates" in page
    assert company.open("sam").open("/").status_code == 200


def test_tracking_what_was_not_found_and_back(company: PageCompany) -> None:
    sam = company.open("sam")
    sam.press("/track", {"words": "xylophone", "way": "digest", "key": "k", "back": "/search?q=xylophone"})
    rows = "SELECT t.phrase, r.way FROM trackers r JOIN tracks t ON t.id = r.track_id"
    assert company.all(rows) == [("xylophone", "digest")]
    assert bar(sam, "/search?q=xylophone") == ("You track “xylophone”: what everyone may read and has it comes.", True)
    assert "Stop tracking it" in sam.words("/search?q=xylophone")
    sam.press("/undo")
    assert company.all(rows) == []
    assert company.scalar("SELECT digest_every FROM attention") is None
    sam.press("/track", {"words": "xylophone", "way": "text"})
    sam.press("/untrack", {"words": "xylophone"})
    assert company.all(rows) == []
    sam.press("/undo")
    assert company.all(rows) == [("xylophone", "text")]
    assert sam.press("/track", {"words": "a", "way": "text"}).status_code == 422
    assert sam.press("/track", {"words": "xylophone", "way": ""}).status_code == 400


def test_who_knows_about_a_topic(company: PageCompany) -> None:
    company.says("anne", "acme called")
    company.says("kim", "acme secret", to="board")
    page = company.open("sam").words("/about/acme")
    assert "Anne Cole" in page
    assert "Kim Lee" not in page
    assert "Nobody yet" in company.open("sam").words("/about/xylophone")
    assert company.open("sam").open("/about/a").status_code == 422


def test_the_page_of_a_tag(company: PageCompany) -> None:
    tagged, closed = company.says("anne", "done #ACME"), company.says("kim", "secret #acme", to="board")
    sam = company.open("sam")
    page = sam.open("/tags/Acme").text
    assert f'id="u{tagged}"' in page
    assert f'id="u{closed}"' not in page
    assert 'href="/@acme"' in page  # the group of that name
    sam.press("/tags/acme/follow", {"way": "digest", "until": "1w"})
    rows = "SELECT t.tag, f.way, f.expires_at IS NOT NULL FROM topic_follows f JOIN topics t ON t.id = f.topic_id"
    assert company.all(rows) == [("acme", "digest", True)]
    sam.press("/tags/acme/follow", {"way": "text", "until": "keep"})
    assert company.all(rows) == [("acme", "text", True)]
    sam.press("/undo")
    assert company.all(rows) == [("acme", "digest", True)]
    sam.press("/tags/acme/unfollow")
    assert company.all(rows) == []
    sam.press("/undo")
    assert company.all(rows) == [("acme", "digest", True)]
    for nothing in ("/tags/a b", "/tags/-", "/tags/" + "x" * 60):
        assert sam.open(nothing).status_code == 404, nothing


def found_privately(visitor: WebVisitor, typed: str) -> list[int]:
    page = visitor.open("/search", query_string={"q": typed}).text
    return [int(each) for each in re.findall(r'<a class="entry plum" href="/updates/(\d+)"', page)]


def test_ones_own_private_words_are_found_by_oneself_alone(company: PageCompany) -> None:
    people, kim, sam, anne = company.people, company.open("kim"), company.open("sam"), company.open("anne")
    told = company.says("kim", "zanzibar margins", visibility="direct", recipients=[(people["sam"], people["sam"])])
    back = [(people["kim"], people["kim"])]
    answered = company.says("sam", "the zanzibar list", visibility="direct", recipients=back)
    grouped = company.says(
        "kim", "zanzibar for the board", visibility="direct", recipients=[(people["anne"], people["board"])]
    )
    assert found_privately(kim, "zanzibar") == [grouped, answered, told]
    assert found_privately(sam, "zanzibar") == [answered, told]
    assert found_privately(sam, "margin zanzibar") == [told]  # stemmed as updates are
    assert found_privately(sam, "zanzibar -list") == [told]
    assert found_privately(sam, "zanzibar from:me") == [answered]
    assert found_privately(sam, "zanzibar to:me") == [told]
    assert found_privately(kim, "zanzibar in:board") == [grouped]
    assert found_privately(kim, "zanzibar after:2099-01-01") == []
    assert found_privately(anne, "zanzibar") == [grouped]
    assert found(kim, "zanzibar") == []
    assert "You to Sam Ortiz" in kim.words("/search?q=zanzibar")
    assert sam.open(f"/updates/{told}").location == f"/private/kim?before={told + 1}#u{told}"
    talk = sam.open(f"/private/kim?before={told + 1}").text.partition('id="feed"')[2]
    assert "zanzibar margins" in talk
    assert "zanzibar list" not in talk
    with transaction(company.engine) as session:
        posts.retract(session, session.get_one(Post, answered))
        mutes.block(session, people["sam"], people["kim"])
    assert found_privately(kim, "zanzibar") == [grouped, told]
    assert found_privately(sam, "zanzibar") == []
