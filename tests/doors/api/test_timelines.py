"""Lists of updates: who finds what in each, and paging in both directions."""

import re
from typing import Any

import pytest

from gateway.network.follows import follows, mutes
from gateway.network.follows.mutes import MuteSnapshot
from gateway.network.people import accounts
from gateway.network.posts import posts
from gateway.store.database import transaction
from gateway.store.tables import Post
from tests.doors.api.conftest import ApiCompany
from tests.support.app_user import AppUser

HOME = "/api/v1/timelines/home"
PUBLIC = "/api/v1/timelines/public"


def words(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [re.sub("<[^>]+>", "", each["content"]) for each in answer.json]


def page_of(asks: AppUser, link: str, rel: str) -> Any:
    """The page beside this one, at the address that the header names."""
    found = re.search(rf'<([^>]+)>; rel="{rel}"', link)
    assert found, link
    assert "://" in found[1]
    return asks.ask("GET", "/" + found[1].split("/", 3)[3])


def test_paging_both_ways(company: ApiCompany) -> None:
    ids = [company.says("kim", f"update {number}") for number in range(7)]
    company.says("sam", "my own")
    sam = company.app_of("sam")
    for path in (PUBLIC, HOME, f"/api/v1/accounts/{company.people['kim']}/statuses"):
        newest = sam.get(path, limit=3, max_id=ids[-1] + 1)
        assert [each["id"] for each in newest.json] == [str(each) for each in reversed(ids[4:])], path
        assert newest.headers["Link"].index('rel="next"') < newest.headers["Link"].index('rel="prev"')
        older = page_of(sam, newest.headers["Link"], "next")
        assert words(older) == ["update 3", "update 2", "update 1"], path
        last = page_of(sam, older.headers["Link"], "next")
        assert words(last) == ["update 0"]
        assert 'rel="next"' not in last.headers["Link"]
        assert words(page_of(sam, last.headers["Link"], "prev"))[-3:] == ["update 3", "update 2", "update 1"], path
        assert words(sam.get(path, since_id=ids[1], max_id=ids[6], limit=2)) == ["update 5", "update 4"], path
        assert words(sam.get(path, min_id=ids[1], limit=2)) == ["update 3", "update 2"], path
        assert words(sam.get(path, min_id=ids[1], max_id=ids[3], limit=5)) == ["update 2"], path
        assert sam.get(path, max_id="x").status_code == 422


def test_a_status_has_every_key_that_clients_take_for_granted(company: ApiCompany) -> None:
    first = company.says("sam", "who <is> here?\nI & you\n\nsee https://x.example/a?b=1&c.")
    company.says("kim", "hello @sam and @nobody #Lunch lang:de", in_reply_to=first)
    status, other = company.app_of("sam").get(PUBLIC).json
    site = company.settings.public_url
    assert status["content"] == (
        f'<p>hello <span class="h-card"><a href="{site}/@sam" class="u-url mention">@<span>sam</span></a></span> and'
        f' @nobody <a href="{site}/tags/lunch" class="mention hashtag" rel="tag">#<span>Lunch</span></a></p>'
    )
    assert other["content"] == (
        '<p>who &lt;is&gt; here?<br />I &amp; you</p><p>see <a href="https://x.example/a?b=1&amp;c"'
        ' rel="nofollow noopener noreferrer" target="_blank">https://x.example/a?b=1&amp;c</a>.</p>'
    )
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", status["created_at"])
    assert status["mentions"] == [{
        "id": str(company.people["sam"]), "username": "sam", "acct": "sam",
        "url": f"{company.settings.public_url}/@sam",
    }]  # fmt: skip
    assert (status["language"], status["visibility"], status["application"]) == (
        "de", "public", {"name": "SMS", "website": None},
    )  # fmt: skip
    assert (status["in_reply_to_id"], status["in_reply_to_account_id"]) == (str(first), str(company.people["sam"]))
    assert (status["tags"][0]["name"], status["account"]["acct"]) == ("lunch", "kim")
    assert other["replies_count"] == 1
    for name in ("emojis", "media_attachments", "filtered"):
        assert status[name] == []
    for name in ("favourited", "reblogged", "muted", "bookmarked", "pinned", "sensitive"):
        assert status[name] is False
    assert status["poll"] is status["card"] is status["edited_at"] is status["reblog"] is None


def test_home_has_groups_as_boosts(company: ApiCompany) -> None:
    """What somebody wrote whom one does not follow is passed on by the group; else it stands by itself, once."""
    company.says("anne", "from anne", to="acme")
    company.says("kim", "from kim", to="acme")
    by_kim, by_anne = company.app_of("sam").get(HOME).json
    assert (by_kim["account"]["acct"], by_kim["reblog"]) == ("kim", None)
    assert (by_anne["account"]["acct"], by_anne["account"]["group"]) == ("acme", True)
    assert by_anne["reblog"]["account"]["acct"] == "anne"
    assert by_anne["reblog"]["mentions"][0]["acct"] == "acme"
    assert re.sub("<[^>]+>", "", by_anne["reblog"]["content"]) == "@acme from anne"
    assert by_anne["reblog"]["visibility"] == "public"
    mine = company.app_of("anne").get(HOME).json
    assert [each["reblog"] for each in mine] == [None]
    group = company.app_of("sam").get(f"/api/v1/accounts/{company.people['acme']}/statuses").json
    assert len(group) == 2


def test_nobody_finds_what_they_may_not_read(company: ApiCompany) -> None:
    """In each list: what is private or in a closed group of others, held, taken back, or of somebody muted, blocked or
    suspended."""
    company.says("kim", "for all #x")
    company.says("kim", "closed #x", to="board")
    company.says(
        "kim", "to anne #x", visibility="direct", recipients=[(company.people["anne"], company.people["anne"])]
    )
    gone = company.says("kim", "gone #x")
    company.open("kim").press("/updates", {"text": "held #x", "audience": "everyone", "key": "k"})
    with transaction(company.engine) as session:
        posts.retract(session, session.get_one(Post, gone))
    sam, kim = company.app_of("sam"), company.app_of("kim")
    lists = (HOME, PUBLIC, "/api/v1/timelines/tag/x", f"/api/v1/accounts/{company.people['kim']}/statuses")
    closed = f"/api/v1/accounts/{company.people['board']}/statuses"
    for path in lists:
        assert words(sam.get(path)) == ["for all #x"], path
    assert words(sam.get(closed)) == []
    assert words(kim.get(closed)) == ["@board closed #x"]
    assert words(kim.get(HOME)) == ["held #x", "@board closed #x", "for all #x"]  # what waits is seen by its writer
    assert [each["visibility"] for each in kim.get(HOME).json] == ["public", "private", "public"]
    with transaction(company.engine) as session:
        mutes.put(session, company.people["sam"], company.people["kim"], MuteSnapshot("mute", None))
    for path in lists[:3]:
        assert words(sam.get(path)) == [], path
    assert words(sam.get(lists[3])) == ["for all #x"]  # whoever looks at somebody sees what they write
    with transaction(company.engine) as session:
        mutes.lift(session, company.people["sam"], company.people["kim"])
        mutes.block(session, company.people["kim"], company.people["sam"])
    for path in lists:
        assert words(sam.get(path)) == [], path
    anne = company.app_of("anne")
    assert words(anne.get(PUBLIC)) == ["for all #x"]
    with transaction(company.engine) as session:
        accounts.suspend(session, company.people["kim"])
    assert words(anne.get(PUBLIC)) == []
    assert anne.get(lists[3]).status_code == 404


def test_tags_and_what_else_narrows(company: ApiCompany) -> None:
    for said in ("one #a", "two #a #b", "three #b", "four #A #b #c"):
        company.says("kim", said)
    reply = company.says("kim", "five #a", in_reply_to=company.says("sam", "six"))
    sam, of_kim = company.app_of("sam"), f"/api/v1/accounts/{company.people['kim']}/statuses"
    tag = "/api/v1/timelines/tag/"
    assert words(sam.get(tag + "A")) == ["five #a", "four #A #b #c", "two #a #b", "one #a"]
    assert words(sam.get(tag + "a", **{"all[]": ["b"]})) == ["four #A #b #c", "two #a #b"]
    assert words(sam.get(tag + "a", **{"all[]": ["b"], "none[]": ["#C"]})) == ["two #a #b"]
    assert words(sam.get(tag + "c", **{"any[]": ["b"]})) == ["four #A #b #c", "three #b", "two #a #b"]
    assert sam.get(tag + "a", remote="true").json == sam.get(PUBLIC, remote="true").json == []
    assert len(words(sam.get(tag + "a", local="true"))) == 4
    assert words(sam.get(tag + "a", only_media="true")) == words(sam.get(of_kim, only_media="1")) == []
    assert str(reply) not in [each["id"] for each in sam.get(of_kim, exclude_replies="true").json]
    assert words(sam.get(of_kim, tagged="c")) == ["four #A #b #c"]
    with transaction(company.engine) as session:
        original = session.get_one(Post, company.says("anne", "seven"))
    company.says("kim", "seven", repeats=original)
    found = sam.get(of_kim, limit=1).json[0]
    assert (found["account"]["acct"], found["reblog"]["account"]["acct"]) == ("kim", "anne")
    assert "seven" not in words(sam.get(of_kim, exclude_reblogs="true"))
    assert words(sam.get(PUBLIC, limit=2))[0] == "seven"
    assert sam.get(PUBLIC, limit=1).json[0]["reblog"] is None


def test_who_joins_and_leaves_a_closed_group(company: ApiCompany) -> None:
    company.says("kim", "closed", to="board")
    sam = company.app_of("sam")
    with transaction(company.engine) as session:
        follows.follow(session, company.people["sam"], company.people["board"], by_text=False, role="member")
    assert words(sam.get(HOME)) == ["@board closed"]
    assert sam.get(HOME).json[0]["reblog"] is None
    with transaction(company.engine) as session:
        follows.unfollow(session, company.people["sam"], company.people["board"])
    assert words(sam.get(HOME)) == []


@pytest.mark.parametrize("path", [HOME, PUBLIC])
def test_limits_are_kept(company: ApiCompany, path: str) -> None:
    for number in range(45):
        company.says("kim", f"update {number}")
    assert [len(company.app_of("sam").get(path, limit=each).json) for each in (80, 0, 1)] == [40, 1, 1]
