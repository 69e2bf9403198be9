"""People and groups as apps see them."""

import io

from PIL import Image
from sqlalchemy import event

from gateway.doors.api.accounts import entities
from gateway.doors.api.frame.call import ApiCall, ApiResources
from gateway.doors.api.frame.rate_limits import RateLimits
from gateway.network.apps.app_tokens import AppAccess
from gateway.network.follows import account_summaries, follows, mutes
from gateway.network.people import accounts, statuses
from gateway.network.people.statuses import SetStatus
from gateway.queue.worker_notifier import WorkerNotifier
from gateway.security.signed_tokens import Signer
from gateway.store.database import transaction
from gateway.store.tables import Account, Post
from tests.doors.api.conftest import ApiCompany


def seen_by(company: ApiCompany, reader: str, *handles: str) -> tuple[dict[str, entities.Account], int]:
    """Handle → the account as the reader sees it, and how many statements that took."""
    statements: list[str] = []
    event.listen(company.engine, "before_cursor_execute", lambda *given: statements.append(given[2]))
    api = ApiResources(
        company.settings, Signer(company.settings.secret_keys), company.engine,
        WorkerNotifier(company.settings.redis_url), RateLimits(on=False),
    )  # fmt: skip
    with transaction(company.engine) as session:
        access = AppAccess(1, 1, session.get_one(Account, company.people[reader]), frozenset({"read"}))
        statements.clear()
        found = entities.listed(ApiCall(api, session, access, {}), [company.people[each] for each in handles])
        return {each.username: each for each in found}, len(statements)


def test_all_are_made_with_a_few_statements(company: ApiCompany) -> None:
    everybody = ("kim", "sam", "anne", "acme", "board")
    _, few = seen_by(company, "kim", "kim", "acme")
    found, many = seen_by(company, "kim", *everybody)
    assert tuple(found) == everybody
    assert many == few <= 4


def test_what_an_account_says(company: ApiCompany) -> None:
    company.says("kim", "hello")
    company.says("kim", "to the group", to="acme")
    company.says("kim", "a secret", visibility="direct", recipients=[(company.people["sam"], company.people["sam"])])
    with transaction(company.engine) as session:
        session.get_one(Account, company.people["kim"]).title = "R&D <lead>"
        statuses.put(session, company.people["kim"], SetStatus("<b>in</b> Boston"))
    found, _ = seen_by(company, "anne", "kim", "acme")
    kim, acme = found["kim"], found["acme"]
    assert (kim.followers_count, kim.following_count, kim.statuses_count) == (1, 1, 2)
    assert (kim.note, kim.fields[0].value) == ("<p>&lt;b&gt;in&lt;/b&gt; Boston</p>", "R&amp;D &lt;lead&gt;")
    assert (kim.group, kim.locked, kim.display_name) == (False, False, "Kim Lee")
    assert (acme.group, acme.locked, acme.statuses_count, acme.followers_count) == (True, False, 1, 2)
    written = kim.model_dump(mode="json")
    assert written["id"] == str(company.people["kim"])
    assert written["created_at"].endswith("Z")
    assert written["last_status_at"].count("-") == 2
    assert not [name for name, value in written.items() if value is None]


def test_a_list_counts_no_further_than_it_says(company: ApiCompany) -> None:
    """Whoever is asked for alone is counted whole."""
    last = [company.says("kim", f"number {number}", to="acme") for number in range(3)][-1]
    kim, acme, sam = (company.people[each] for each in ("kim", "acme", "sam"))
    with transaction(company.engine) as session:
        few = account_summaries.find(session, sam, [kim, acme], most=2)
        whole = account_summaries.find(session, sam, [kim, acme], most=account_summaries.ALL)
        newest = session.get_one(Post, last).created_at
    assert [(few[each].updates.count, whole[each].updates.count) for each in (kim, acme)] == [(2, 3), (2, 3)]
    assert few[kim].updates.last == whole[acme].updates.last == newest
    assert few[acme].followers == whole[acme].followers == 2
    assert company.app_of("sam").get(f"/api/v1/accounts/{kim}").json["statuses_count"] == 3


def test_what_is_in_a_closed_group_is_for_its_members(company: ApiCompany) -> None:
    company.says("kim", "closed", to="board")
    outside, inside = (seen_by(company, reader, "board", "kim")[0] for reader in ("sam", "kim"))
    assert (outside["board"].locked, inside["board"].locked) == (True, True)
    assert (outside["board"].followers_count, outside["board"].statuses_count) == (0, 0)
    assert outside["board"].last_status_at is None
    assert (inside["board"].followers_count, inside["board"].statuses_count) == (1, 1)
    assert (outside["kim"].following_count, inside["kim"].following_count) == (1, 2)
    assert (outside["kim"].statuses_count, inside["kim"].statuses_count) == (0, 1)


def test_between_two_with_a_block_there_is_the_name_alone(company: ApiCompany) -> None:
    company.says("kim", "hello")
    with transaction(company.engine) as session:
        session.get_one(Account, company.people["kim"]).title = "Lead"
        statuses.put(session, company.people["kim"], SetStatus("in Boston"))
        mutes.block(session, company.people["kim"], company.people["anne"])
    kim = seen_by(company, "anne", "kim")[0]["kim"]
    assert (kim.display_name, kim.note, kim.fields, kim.statuses_count) == ("Kim Lee", "", [], 0)
    assert (kim.followers_count, kim.following_count, kim.last_status_at) == (0, 0, None)
    assert seen_by(company, "kim", "kim")[0]["kim"].note


def test_suspended_people_are_left_out_and_those_who_left_are_not(company: ApiCompany) -> None:
    with transaction(company.engine) as session:
        follows.follow(session, company.people["anne"], company.people["kim"], by_text=False)
        accounts.suspend(session, company.people["sam"])
        accounts.deactivate(session, company.people["anne"])
    found, _ = seen_by(company, "kim", "sam", "anne", "kim")
    assert set(found) == {"anne", "kim"}
    assert found["kim"].followers_count == 0


def test_portraits_are_pictures_that_say_nothing(company: ApiCompany) -> None:
    found, _ = seen_by(company, "kim", "kim", "sam", "acme")
    drawn = {}
    for account in found.values():
        for address in (account.avatar, account.header):
            assert address.startswith(company.settings.public_url)
            answer = company.stranger().get(address.removeprefix(company.settings.public_url))
            assert answer.status_code == 200, address
            assert Image.open(io.BytesIO(answer.data)).format == "PNG"
            assert "immutable" in answer.headers["Cache-Control"]
            assert answer.headers["Access-Control-Allow-Origin"] == "*"
            drawn[address] = answer.data
    assert drawn[found["kim"].avatar] != drawn[found["sam"].avatar]
    assert company.stranger().get("/portraits/people/123.png").status_code == 200
    assert company.stranger().get("/portraits/people/kim.png").status_code == 404


def test_finding_people_and_groups(company: ApiCompany) -> None:
    asks, host = company.app_of("sam"), company.settings.public_url.partition("://")[2]
    for written in ("kim", "@kim", f"kim@{host}", f"@Kim@{host}"):
        assert asks.get("/api/v1/accounts/lookup", acct=written).json["id"] == str(company.people["kim"]), written
    for nobody in ("nobody", "kim@other.example", "", "@"):
        assert asks.get("/api/v1/accounts/lookup", acct=nobody).status_code in (404, 422), nobody

    def found(q: str, **more: object) -> list[str]:
        return [each["username"] for each in asks.get("/api/v1/accounts/search", q=q, **more).json]

    assert found("Lee") == ["kim"]
    assert found("@acme") == ["acme"]
    assert found("a", limit=2) == ["acme", "anne"]
    assert found("a", limit=2, offset=2) == ["board", "sam"]
    assert found("a", following=True) == ["acme"]
    assert found("") == found("zzz") == []
    one = asks.get(f"/api/v1/accounts/{company.people['acme']}")
    several = asks.get("/api/v1/accounts", **{"id[]": [company.people["acme"], 1]})
    assert [one.json] == several.json


def test_changing_oneself(company: ApiCompany) -> None:
    asks, place = company.app_of("kim"), "/api/v1/accounts/update_credentials"
    sent = {"display_name": "Kim L.", "note": "in Boston", "locked": "false", "source[privacy]": "public",
            "fields_attributes[0][name]": "", "fields_attributes[0][value]": ""}  # fmt: skip
    changed = asks.ask("PATCH", place, data=sent, content_type="multipart/form-data")
    assert changed.status_code == 200, changed.text
    assert (changed.json["display_name"], changed.json["note"]) == ("Kim L.", "<p>in Boston</p>")
    assert changed.json["source"]["note"] == "in Boston"
    assert changed.json == asks.get("/api/v1/accounts/verify_credentials").json
    for wrong in (
        {"locked": True}, {"bot": "1"}, {"source": {"privacy": "private"}}, {"source": {"language": "de"}},
        {"fields_attributes": [{"name": "Web", "value": "https://kim.example"}]}, {"note": "x" * 61},
        {"display_name": " "},
    ):  # fmt: skip
        answer = asks.ask("PATCH", place, json={"display_name": "Other", **wrong})
        assert answer.status_code == 422, wrong
        assert asks.get("/api/v1/accounts/verify_credentials").json == changed.json
    picture = {"avatar": (io.BytesIO(b"x" * 100_000), "me.png")}
    refused = asks.ask("PATCH", place, data=picture, content_type="multipart/form-data")
    assert (refused.status_code, "avatar" in refused.json["error"]) == (422, True)
    assert asks.ask("PATCH", place, json={"note": ""}).json["note"] == ""
    assert asks.get("/api/v1/preferences").json["posting:default:language"] == "en"


def test_tags_that_one_follows(company: ApiCompany) -> None:
    asks = company.app_of("anne")
    assert asks.get("/api/v1/tags/Win").json["following"] is False
    for tag in ("Win", "lunch", "win"):
        assert asks.post(f"/api/v1/tags/{tag}/follow").json["following"] is True
    assert [each["name"] for each in asks.get("/api/v1/followed_tags").json] == ["lunch", "win"]
    page = asks.get("/api/v1/followed_tags", limit=1)
    assert ([each["name"] for each in page.json], 'rel="next"' in page.headers["Link"]) == (["lunch"], True)
    assert company.all("SELECT DISTINCT way, by_text FROM topic_follows") == [("nothing", False)]
    assert asks.post("/api/v1/tags/WIN/unfollow").json["following"] is False
    assert asks.get("/api/v1/tags/win").json["following"] is False
    for none in ("2024", "a b", "x" * 51):
        assert asks.post(f"/api/v1/tags/{none}/follow").status_code == 404


def test_marks_move_forward_and_are_those_of_the_pages(company: ApiCompany) -> None:
    asks, place = company.app_of("sam"), "/api/v1/markers"
    post = company.says("kim", "hello")
    assert asks.get(place, **{"timeline[]": ["home", "notifications"]}).json == {}
    marked = asks.post(place, {"home": {"last_read_id": str(post)}, "notifications": {"last_read_id": "9"}}).json
    assert (marked["home"]["last_read_id"], marked["notifications"]["last_read_id"]) == (str(post), "9")
    assert asks.post(place, {"home": {"last_read_id": "5"}}).json == {"home": marked["home"]}
    assert company.scalar("SELECT upto FROM read_marks WHERE place = 'home'") == post
    ahead = asks.ask("POST", place, data={"home[last_read_id]": str(2**63 - 1)}).json
    assert int(ahead["home"]["last_read_id"]) < 2**62
    assert asks.get(place, **{"timeline[]": ["other"]}).status_code == 422
