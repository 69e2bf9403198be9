"""Lists: of one's own, and the groups that one is in."""

from gateway.network.follows import follows
from gateway.store.database import transaction
from tests.doors.api.conftest import ApiCompany
from tests.doors.api.test_timelines import words

LISTS = "/api/v1/lists"


def test_a_list_has_whom_one_follows(company: ApiCompany) -> None:
    sam, kim, anne = company.app_of("sam"), str(company.people["kim"]), str(company.people["anne"])
    made = sam.post(LISTS, {"title": " My \n team "}).json
    assert (made["title"], made["exclusive"]) == ("My team", False)
    members, timeline = f"{LISTS}/{made['id']}/accounts", f"/api/v1/timelines/list/{made['id']}"
    assert sam.post(members, {"account_ids": [kim, anne]}).status_code == 404  # Sam does not follow Anne
    assert sam.get(members).json == []
    for _ in range(2):
        assert sam.post(members, {"account_ids": [kim]}).json == {}
    assert [each["acct"] for each in sam.get(members).json] == ["kim"]
    assert [each["title"] for each in sam.get(f"/api/v1/accounts/{kim}/lists").json] == ["My team"]
    for said in ("one", "two", "three"):
        company.says("kim", said)
        company.says("anne", f"not {said}")
    company.says("kim", "closed", to="board")
    assert words(sam.get(timeline)) == ["three", "two", "one"]
    assert words(sam.get(timeline, min_id=sam.get(timeline).json[2]["id"], limit=1)) == ["two"]
    assert sam.ask("PUT", f"{LISTS}/{made['id']}", json={"title": "Others"}).json["title"] == "Others"
    with transaction(company.engine) as session:
        follows.unfollow(session, company.people["sam"], company.people["kim"])
    assert sam.get(timeline).json == sam.get(members).json == []
    with transaction(company.engine) as session:
        follows.follow(session, company.people["sam"], company.people["kim"], by_text=False)
    sam.ask("DELETE", members, json={"account_ids": [kim]})
    assert sam.get(members).json == []
    assert sam.ask("DELETE", f"{LISTS}/{made['id']}").json == {}
    assert sam.get(timeline).status_code == sam.get(members).status_code == 404
    for title in ("", " ", "x" * 101):
        assert sam.post(LISTS, {"title": title}).status_code == 422


def test_groups_are_lists_that_nobody_changes(company: ApiCompany) -> None:
    sam, acme = company.app_of("sam"), company.people["acme"]
    company.says("anne", "from anne", to="acme")
    assert sam.get(LISTS).json == [{"id": str(acme), "title": "ACME", "replies_policy": "followed", "exclusive": False}]
    assert words(sam.get(f"/api/v1/timelines/list/{acme}")) == ["@acme from anne"]
    assert {each["acct"] for each in sam.get(f"{LISTS}/{acme}/accounts").json} == {"kim", "sam"}
    for method, path in (("PUT", ""), ("DELETE", ""), ("POST", "/accounts"), ("DELETE", "/accounts")):
        given = {"title": "x", "account_ids": [str(company.people["kim"])]}
        assert sam.ask(method, f"{LISTS}/{acme}{path}", json=given).status_code == 422
    for path in ("", "/accounts"):
        assert sam.get(f"{LISTS}/{company.people['board']}{path}").status_code == 404
    assert sam.get(f"/api/v1/timelines/list/{company.people['board']}").status_code == 404


def test_lists_are_for_their_owner_alone(company: ApiCompany) -> None:
    kim, sam = company.app_of("kim"), company.app_of("sam")
    made = sam.post(LISTS, {"title": "Mine"}).json["id"]
    for method, path in (
        ("GET", f"{LISTS}/{made}"), ("GET", f"{LISTS}/{made}/accounts"), ("GET", f"/api/v1/timelines/list/{made}"),
        ("PUT", f"{LISTS}/{made}"), ("DELETE", f"{LISTS}/{made}"), ("POST", f"{LISTS}/{made}/accounts"),
        ("DELETE", f"{LISTS}/{made}/accounts"),
    ):  # fmt: skip
        assert kim.ask(method, path, **({"json": {"title": "x"}} if method != "GET" else {})).status_code == 404, path
    assert [each["title"] for each in sam.get(LISTS).json] == ["Mine", "ACME"]
