"""How one stands to others: told for many at once, and changed by what texts and pages do, too."""

import pytest
from sqlalchemy import delete

from gateway.network.follows import follows
from gateway.store.database import transaction
from gateway.store.tables import Address
from tests.doors.api.conftest import ApiCompany
from tests.support.app_user import AppUser

KEYS = {
    "id", "following", "showing_reblogs", "notifying", "languages", "followed_by", "blocking", "blocked_by", "muting",
    "muting_notifications", "requested", "requested_by", "domain_blocking", "endorsed", "note",
}  # fmt: skip


def to(asks: AppUser, account_id: int) -> dict:
    found = asks.get("/api/v1/accounts/relationships", **{"id[]": [account_id]}).json
    assert len(found) == 1
    assert set(found[0]) == KEYS
    return found[0]


def true(relationship: dict) -> set[str]:
    return {name for name, value in relationship.items() if value is True}


def does(asks: AppUser, account_id: int, what: str, status: int = 200, **given: object) -> set[str]:
    """What is true afterwards."""
    answer = asks.post(f"/api/v1/accounts/{account_id}/{what}", given)
    assert answer.status_code == status, answer.text
    if status == 200:
        assert answer.json == to(asks, account_id)
    return true(to(asks, account_id))


@pytest.fixture
def kim(company: ApiCompany) -> int:
    return company.people["kim"]


def test_following_is_only_here_unless_each_update_shall_be_a_text(company: ApiCompany, kim: int) -> None:
    anne, follows_it = company.app_of("anne"), {"following", "showing_reblogs"}
    assert does(anne, kim, "follow") == follows_it
    assert company.all("SELECT off, by_text FROM follows WHERE follower_id = :me", me=company.people["anne"]) == [
        (True, False)
    ]
    assert does(anne, kim, "follow", notify=True) == follows_it | {"notifying"}
    assert does(anne, kim, "follow") == follows_it | {"notifying"}  # nothing was said of it
    assert does(anne, kim, "follow", notify=False) == follows_it
    assert does(anne, kim, "unfollow") == set()
    assert does(anne, kim, "unfollow") == set()
    for wrong in ({"reblogs": False}, {"languages": ["de"]}):
        assert does(anne, kim, "follow", 422, **wrong) == set()
    assert does(anne, company.people["anne"], "follow", 422) == set()


def test_a_follow_that_comes_by_text_stays_so(company: ApiCompany, kim: int) -> None:
    sam = company.app_of("sam")
    assert "notifying" in does(sam, kim, "follow")
    assert "notifying" not in does(sam, kim, "follow", notify=False)
    assert true(to(company.app_of("kim"), company.people["sam"])) == {"followed_by"}


def test_texts_need_a_phone(company: ApiCompany, kim: int) -> None:
    with transaction(company.engine) as session:
        session.execute(delete(Address).where(Address.account_id == company.people["anne"]))
    answer = company.app_of("anne").post(f"/api/v1/accounts/{kim}/follow", {"notify": True})
    assert (answer.status_code, answer.json["reason"]) == (422, "no_phone")


def test_a_closed_group_is_asked_and_its_owner_decides(company: ApiCompany) -> None:
    board, anne, sam = company.people["board"], company.app_of("anne"), company.app_of("sam")
    kim = company.app_of("kim")
    for who in (anne, sam):
        assert does(who, board, "follow") == {"requested"}
    assert [each["username"] for each in kim.get("/api/v1/follow_requests").json] == ["anne", "sam"]
    assert kim.get("/api/v1/accounts/verify_credentials").json["source"]["follow_requests_count"] == 2
    assert "requested_by" in true(to(kim, company.people["anne"]))
    assert sam.get("/api/v1/follow_requests").json == []
    place = f"/api/v1/follow_requests/{company.people['anne']}"
    assert sam.post(f"{place}/authorize").status_code == 404
    assert kim.post(f"{place}/authorize").status_code == 200
    assert kim.post(f"{place}/authorize").status_code == 404
    assert kim.post(f"/api/v1/follow_requests/{company.people['sam']}/reject").status_code == 200
    assert "following" in true(to(anne, board))
    assert true(to(sam, board)) == set()
    assert does(anne, board, "unfollow") == set()
    assert does(kim, board, "unfollow", 422) >= {"following"}  # its only owner


def test_muting_and_blocking(company: ApiCompany, kim: int) -> None:
    sam, muted = company.app_of("sam"), {"muting", "muting_notifications"}
    follows_kim = {"following", "showing_reblogs", "notifying"}
    assert does(sam, kim, "mute", duration=3600) == follows_kim | muted
    hours = company.scalar("SELECT extract(epoch FROM expires_at - now()) / 3600 FROM silences")
    assert 0.9 < hours <= 1
    assert [each["username"] for each in sam.get("/api/v1/mutes").json] == ["kim"]
    assert does(sam, kim, "unblock") == follows_kim | muted
    assert does(sam, kim, "unmute") == follows_kim
    assert does(sam, kim, "block") == {"blocking"}
    assert does(sam, kim, "unmute") == {"blocking"}
    assert true(to(company.app_of("kim"), company.people["sam"])) == {"blocked_by"}
    assert [each["username"] for each in sam.get("/api/v1/blocks").json] == ["kim"]
    assert sam.get("/api/v1/mutes").json == []
    assert does(company.app_of("kim"), company.people["sam"], "follow", 422) == {"blocked_by"}
    assert does(sam, kim, "unblock") == set()
    assert does(sam, company.people["acme"], "block", 422) >= {"following"}


def test_many_are_told_in_the_order_in_which_they_were_asked_for(company: ApiCompany, kim: int) -> None:
    asked = [company.people["acme"], kim, kim, 1, company.people["anne"]]
    found = company.app_of("sam").get("/api/v1/accounts/relationships", **{"id[]": asked}).json
    assert [int(each["id"]) for each in found] == [company.people["acme"], kim, company.people["anne"]]
    assert company.app_of("sam").get("/api/v1/accounts/relationships").json == []


def test_lists_go_by_pages(company: ApiCompany, kim: int) -> None:
    with transaction(company.engine) as session:
        follows.follow(session, company.people["anne"], kim, by_text=False)
    asks, place = company.app_of("sam"), f"/api/v1/accounts/{kim}/followers"
    first = asks.get(place, limit=1)
    assert [each["username"] for each in first.json] == ["anne"]
    assert first.headers["Link"].startswith(f"<{company.settings.public_url}{place}?limit=1&max_id=")
    second = asks.get(place, limit=1, max_id=first.json[0]["id"])
    assert [each["username"] for each in second.json] == ["sam"]
    back = asks.get(place, limit=1, min_id=second.json[0]["id"])
    assert back.json == first.json
    assert asks.get(f"/api/v1/accounts/{company.people['board']}/followers").json == []
    assert company.app_of("kim").get(f"/api/v1/accounts/{company.people['board']}/followers").json
    theirs = asks.get(f"/api/v1/accounts/{kim}/following").json
    assert [each["username"] for each in theirs] == ["acme"]
    mine = company.app_of("kim").get(f"/api/v1/accounts/{kim}/following").json
    assert [each["username"] for each in mine] == ["board", "acme"]
    both = company.app_of("anne").get("/api/v1/accounts/familiar_followers", **{"id[]": [company.people["acme"]]}).json
    assert [each["username"] for each in both[0]["accounts"]] == ["kim"]
