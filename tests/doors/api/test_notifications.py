"""What is to somebody, and private talks, as apps show them."""

import re

from gateway.network.follows import follows, mutes
from gateway.store.database import transaction
from tests.doors.api.conftest import ApiCompany
from tests.doors.api.test_timelines import page_of

PLACE = "/api/v1/notifications"
STATUSES = "/api/v1/statuses"


def filled(company: ApiCompany) -> str:
    """Sam likes, repeats, answers, writes to and follows Kim; Anne names Kim."""
    sam, kim = company.app_of("sam"), company.people["kim"]
    post = company.app_of("kim").post(STATUSES, {"status": "hello"}).json["id"]
    sam.post(f"{STATUSES}/{post}/favourite")
    sam.post(f"{STATUSES}/{post}/reblog")
    sam.post(STATUSES, {"status": "@kim hi", "in_reply_to_id": post})
    company.says("sam", "psst", visibility="direct", recipients=[(kim, kim)])
    company.app_of("anne").post(STATUSES, {"status": "with @kim"})
    return str(post)


def test_each_kind_has_its_type_and_status(company: ApiCompany) -> None:
    post, kim = filled(company), company.app_of("kim")
    found = kim.get(PLACE).json
    assert [(each["type"], each["account"]["acct"]) for each in found] == [
        ("mention", "anne"), ("mention", "sam"), ("mention", "sam"), ("reblog", "sam"), ("favourite", "sam"),
        ("follow", "sam"),
    ]  # fmt: skip
    assert [re.sub("<[^>]+>", "", each["status"]["content"]) for each in found[:5]] == [
        "with @kim", "@kim psst", "@kim hi", "hello", "hello",
    ]  # fmt: skip
    assert found[4]["status"]["id"] == post
    assert found[1]["status"]["visibility"] == "direct"
    assert found[5]["status"] is None
    assert len({each["id"] for each in found}) == 6
    for each in found:
        assert kim.get(f"{PLACE}/{each['id']}").json == each
        assert company.app_of("sam").get(f"{PLACE}/{each['id']}").status_code == 404


def test_paging_types_and_dismissing(company: ApiCompany) -> None:
    filled(company)
    kim = company.app_of("kim")
    ids = [each["id"] for each in kim.get(PLACE).json]
    first = kim.get(PLACE, limit=2)
    second = page_of(kim, first.headers["Link"], "next")
    third = page_of(kim, second.headers["Link"], "next")
    assert [each["id"] for page in (first, second, third) for each in page.json] == ids
    assert [each["id"] for each in page_of(kim, third.headers["Link"], "prev").json] == ids[2:4]
    assert [each["id"] for each in kim.get(PLACE, since_id=ids[4]).json] == ids[:4]
    assert {each["type"] for each in kim.get(PLACE, **{"types[]": ["reblog", "follow"]}).json} == {"reblog", "follow"}
    assert {each["type"] for each in kim.get(PLACE, **{"exclude_types[]": ["mention"]}).json} == {
        "reblog", "follow", "favourite",
    }  # fmt: skip
    assert kim.get(PLACE, **{"types[]": ["poll"]}).json == []
    assert kim.get(f"{PLACE}/unread_count").json == {"count": 6}
    assert kim.post(f"{PLACE}/{ids[1]}/dismiss").json == {}
    assert ids[1] not in [each["id"] for each in kim.get(PLACE).json]
    assert kim.get(f"{PLACE}/{ids[1]}").status_code == 404
    assert kim.post(f"{PLACE}/clear").json == {}
    assert kim.get(PLACE).json == []
    assert kim.get(f"{PLACE}/unread_count").json == {"count": 0}
    company.says("anne", "again @kim")
    assert len(kim.get(PLACE).json) == 1


def test_nothing_of_whom_they_muted_or_what_they_may_not_read(company: ApiCompany) -> None:
    filled(company)
    with transaction(company.engine) as session:
        follows.follow(session, company.people["anne"], company.people["board"], by_text=False, role="member")
    company.says("kim", "for @anne", to="board")
    kim, anne = company.app_of("kim"), company.app_of("anne")
    assert len(anne.get(PLACE).json) == 1
    with transaction(company.engine) as session:
        follows.unfollow(session, company.people["anne"], company.people["board"])
        mutes.block(session, company.people["sam"], company.people["kim"])
    assert anne.get(PLACE).json == []
    assert [each["account"]["acct"] for each in kim.get(PLACE).json] == ["anne"]
    with transaction(company.engine) as session:
        mutes.block(session, company.people["kim"], company.people["anne"])
    assert kim.get(PLACE).json == []


def test_private_talks(company: ApiCompany) -> None:
    kim, sam, place = company.app_of("kim"), company.app_of("sam"), "/api/v1/conversations"
    to_kim = [(company.people["kim"], company.people["kim"])]
    company.says("sam", "one", visibility="direct", recipients=to_kim)
    last = company.says("sam", "two", visibility="direct", recipients=to_kim)
    of_anne = company.says("anne", "three", visibility="direct", recipients=to_kim)
    found = kim.get(place).json
    assert [(each["accounts"][0]["acct"], each["unread"], each["last_status"]["id"]) for each in found] == [
        ("anne", True, str(of_anne)), ("sam", True, str(last)),
    ]  # fmt: skip
    older = page_of(kim, kim.get(place, limit=1).headers["Link"], "next")
    assert [each["id"] for each in older.json] == [found[1]["id"]]
    assert [each["id"] for each in kim.get(place, min_id=last - 1, limit=1).json] == [found[1]["id"]]
    read = kim.post(f"{place}/{found[1]['id']}/read").json
    assert (read["unread"], kim.get(place).json[1]["unread"]) == (False, False)
    assert kim.ask("DELETE", f"{place}/{found[0]['id']}").json == {}
    assert [each["id"] for each in kim.get(place).json] == [found[1]["id"]]
    company.says("anne", "four", visibility="direct", recipients=to_kim)
    assert len(kim.get(place).json) == 2
    for other in (company.people["acme"], 7):
        assert kim.post(f"{place}/{other}/read").status_code == 404
        assert kim.ask("DELETE", f"{place}/{other}").status_code == 404
    assert [each["accounts"][0]["acct"] for each in sam.get(place).json] == ["kim"]
    assert sam.get(place).json[0]["unread"] is False
