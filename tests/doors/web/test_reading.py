"""Home, one update, private talks, what is to one: what stands there, in which order, and what does not."""

import re

from gateway.doors.web.shell import assets
from gateway.doors.web.shell.page_words import words
from gateway.language import nanoformats
from gateway.network.feeds import feeds
from gateway.network.follows import mutes, tag_follows
from gateway.network.people import accounts
from gateway.store.database import transaction
from tests.doors.web.conftest import PageCompany


def shown(page: str) -> list[int]:
    return [int(each) for each in re.findall(r'<article class="post[^"]*" tabindex="-1" id="u(\d+)"', page)]


def test_home_has_whom_one_follows_and_nothing_else(company: PageCompany) -> None:
    kim, anne = company.says("kim", "from Kim"), company.says("anne", "from Anne")
    acme, board = company.says("anne", "in ACME", to="acme"), company.says("kim", "in Board", to="board")
    named, tagged = company.says("anne", "@sam look"), company.says("anne", "a #win")
    own = company.says("sam", "my own")
    with transaction(company.engine) as session:
        tag_follows.follow(session, company.people["sam"], "#win", False)
    assert shown(company.open("sam").open("/").text) == [own, tagged, named, acme, kim]
    assert {anne, board}.isdisjoint(shown(company.open("sam").open("/").text))
    with transaction(company.engine) as session:
        mutes.put(session, company.people["sam"], company.people["anne"], mutes.MuteSnapshot("mute", None))
    assert shown(company.open("sam").open("/").text) == [own, kim]


def test_home_goes_back_page_by_page_without_a_hole(company: PageCompany) -> None:
    written = [
        company.says(("kim", "sam")[number % 3 == 0], f"update {number}") for number in range(feeds.PAGE * 2 + 5)
    ]
    sam, seen, path = company.open("sam"), [], "/"
    for _ in range(9):
        page = sam.open(path).text
        seen += shown(page)
        older = re.search(r'href="(/\?before=\d+)"', page)
        if older is None:
            break
        path = older[1]
    assert seen == written[::-1]


def test_many_who_may_not_be_read_leave_no_page_empty(company: PageCompany) -> None:
    """What cannot be read is skipped, however much of it stands between."""
    first = company.says("kim", "the oldest")
    gone = [company.says("kim", f"closed {number}", to="board") for number in range(feeds.CANDIDATES + 3)]
    sam, seen, path = company.open("sam"), [], "/everyone"
    for _ in range(9):
        page = sam.open(path).text
        seen += shown(page)
        older = re.search(r'href="(/[^"]*before=\d+)"', page)
        if older is None:
            break
        path = older[1]
    assert seen == [first]
    assert gone


def test_a_line_parts_what_was_read_before(company: PageCompany) -> None:
    old = company.says("kim", "old")
    sam = company.open("sam")
    assert 'class="since"' not in sam.open("/").text
    new = company.says("kim", "new")
    page = sam.open("/").text
    assert shown(page) == [new, old]
    assert page.index(f'id="u{new}"') < page.index('class="since"') < page.index(f'id="u{old}"')
    assert 'class="since"' not in sam.open("/").text


def test_an_update_has_its_replies_in_two_levels(company: PageCompany) -> None:
    top = company.says("kim", "top")
    first = company.says("sam", "first", in_reply_to=top)
    below = company.says("kim", "below", in_reply_to=first)
    second = company.says("anne", "second", in_reply_to=top)
    deep = company.says("sam", "deep", in_reply_to=below)
    anne = company.open("anne")
    assert shown(anne.open(f"/updates/{top}").text) == [top, first, below, deep, second]
    assert shown(anne.open(f"/updates/{below}").text) == [top, first, below, deep]
    assert "2 replies" not in anne.words(f"/updates/{below}")


def test_only_its_writer_and_the_owners_see_who_got_it(company: PageCompany) -> None:
    own, grouped = company.says("sam", "own"), company.says("sam", "grouped", to="acme")
    closed = company.says("kim", "closed", to="board")
    kim, sam, anne = (company.open(each) for each in ("kim", "sam", "anne"))
    told = "Only its writer and the owners of its group see this"
    for post, who, sees in (
        (own, sam, True), (own, kim, False), (grouped, sam, True), (grouped, kim, True), (grouped, anne, False),
        (closed, sam, False), (closed, kim, True),
    ):  # fmt: skip
        assert (told in who.words(f"/updates/{post}")) is sees
        assert who.open(f"/updates/{post}/got").status_code == (200 if sees else 404)


def test_pieces_of_what_changed_are_for_who_may_read_them(company: PageCompany) -> None:
    public, closed = company.says("kim", "for all"), company.says("kim", "closed", to="board")
    asked = f"/updates/now?id={public}&id={closed}&id=x&id=1"
    assert shown(company.open("sam").open(asked).text) == [public]
    assert shown(company.open("kim").open(asked).text) == [public, closed]
    company.open("sam").press(f"/updates/{public}/like")
    assert 'aria-label="Like, 1"' in company.open("kim").open(asked).text


def test_what_is_to_somebody(company: PageCompany) -> None:
    own = company.says("kim", "mine")
    company.says("anne", "@kim look")
    company.says("sam", "an answer", in_reply_to=own)
    company.open("anne").press(f"/updates/{own}/like")
    kim = company.open("kim")
    assert "To you 2 new" in re.sub(r"\s+", " ", re.sub("<[^>]+>", "", kim.open("/").text))
    page = kim.words("/to-you")
    for told in ("@kim look", "an answer", "likes what you wrote", "follows you"):
        assert told in page, told
    assert "likes what you wrote" not in company.open("sam").words("/to-you")
    company.open("sam").press(f"/updates/{own}/like")
    assert "Sam Ortiz and 1 more like what you wrote" in kim.words("/to-you")
    assert "an answer" not in kim.words("/to-you?show=names")
    assert "@kim look" not in kim.words("/to-you?show=answers")
    assert "To you 2" not in re.sub(r"\s+", " ", re.sub("<[^>]+>", "", kim.open("/").text))


def test_markup_in_words_and_names_is_shown_as_it_is(company: PageCompany) -> None:
    nasty = (
        '<script>alert(1)</script> <img src=x onerror=alert(1)> javascript:alert(1) https://x.example/"onmouseover="a'
    )
    post = company.says("kim", nasty)
    for path in ("/", f"/updates/{post}", "/everyone"):
        page = company.open("sam").open(path).text
        assert "<script>alert" not in page
        assert "<img src=x" not in page
        assert 'onmouseover="a' not in page
        assert "&lt;script&gt;alert(1)" in page


def test_pages_are_never_stored_and_allow_nothing_inline(company: PageCompany) -> None:
    company.says("kim", "hello")
    for path in ("/", "/write", "/private", "/to-you", "/everyone"):
        answer = company.open("sam").open(path)
        assert answer.headers["Cache-Control"] == "no-store", path
        policy = answer.headers["Content-Security-Policy"]
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert not re.search(r"<[^>]+\s(?:style|on\w+)=", answer.text), path
        assert not re.search(r"<script(?![^>]*\ssrc=)", answer.text), path


def test_what_was_on_the_screen_is_not_sent_any_more(company: PageCompany) -> None:
    """Each reader's own report counts, for what waits for that reader alone."""
    kim, sam = company.open("kim"), company.open("sam")
    post = company.says("kim", "hello")
    assert sam.press("/seen", {"id": [str(post), "abc", "9" * 30, "1"]}).status_code == 204
    assert company.scalar("SELECT count(*) FROM presence WHERE account_id = :sam", sam=company.people["sam"]) == 1
    assert company.scalar("SELECT count(*) FROM presence") == 1
    assert kim.press("/seen", {}).status_code == 204


def counted(page: str) -> dict[str, str]:
    """What the navigation says is new: its link → the number."""
    links = re.findall(r'<a href="([^"]+)"[^>]*>(?:(?!</a>).)*?<span class="count[^"]*">(\d+)', page, re.S)
    return dict(links)


def test_what_is_new_is_counted_only_when_one_may_see_it(company: PageCompany) -> None:
    sam = company.open("sam")
    named = company.says("anne", "@sam look")
    assert counted(sam.open("/everyone").text) == {"/to-you": "1"}
    company.says("kim", "@sam in there", to="board")  # Sam is not in it
    company.open("kim").press("/updates", {"audience": "everyone", "text": "@sam perhaps"})  # it can still be undone
    company.open("anne").press("/updates", {"audience": f"to:{company.people['sam']}", "text": "perhaps"})
    assert counted(sam.open("/everyone").text) == {"/to-you": "1"}
    assert "look" in sam.words("/to-you")
    assert counted(sam.open("/everyone").text) == {}
    company.passes(20)
    assert counted(sam.open("/everyone").text)["/private"] == "1"
    with transaction(company.engine) as session:
        mutes.block(session, company.people["sam"], company.people["anne"])
    assert counted(sam.open("/everyone").text) == {}
    assert named


def test_a_talk_shows_nothing_of_somebody_who_is_blocked(company: PageCompany) -> None:
    """Neither in the list of talks nor in the talk; what one wrote oneself stays."""
    pair = (company.people["sam"], company.people["sam"])
    company.says("anne", "zanzibar", visibility="direct", recipients=[pair])
    sam, anne = company.open("sam"), company.open("anne")
    assert "zanzibar" in sam.open("/private").text
    with transaction(company.engine) as session:
        mutes.block(session, company.people["sam"], company.people["anne"])
    for path in ("/private", "/private/anne"):
        assert "zanzibar" not in sam.open(path).text, path
    assert "zanzibar" in anne.open("/private").text  # her own words
    with transaction(company.engine) as session:
        mutes.lift(session, company.people["sam"], company.people["anne"])
        accounts.suspend(session, company.people["anne"])
    assert "zanzibar" not in sam.open("/private").text


def test_links_names_and_tags_are_those_of_the_nanoformats(company: PageCompany) -> None:
    """The same text has the same marks on a page as when it was stored."""
    said = "see (https://x.example/a_(b)), @kim. not me@kim.example, #win! #12 not a#b or @@sam"
    found = nanoformats.parse(said)
    page = str(words(said))
    assert re.findall(r'href="(https?:[^"]+)"', page) == list(found.links)
    assert re.findall(r'href="/@(\w+)"', page) == list(found.mentions)
    assert re.findall(r'href="/tags/(\w+)"', page) == list(found.tags)


def test_what_is_asked_for_in_vain_is_not_remembered(company: PageCompany) -> None:
    company.visitor().open("/static/nothing.css")  # the page that says so has files of its own
    known = assets._read.cache_info().currsize
    for number in range(50):
        assert company.visitor().open(f"/static/nothing-{number}.css").status_code == 404
    assert assets._read.cache_info().currsize == known
