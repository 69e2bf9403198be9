"""Writing by an app: to whom each visibility goes, what is refused, and that it is done once."""

import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from gateway.actions import group_questions
from gateway.actions.model.actor import Actor
from gateway.actions.model.idempotency import once
from gateway.network.follows import follows
from gateway.network.people.directory import find_named
from gateway.security.signed_tokens import Signer
from gateway.store.database import transaction
from gateway.store.tables import Account
from tests.doors.api.conftest import ApiCompany

STATUSES = "/api/v1/statuses"
RECIPIENTS = (
    "SELECT a.handle FROM post_recipients r JOIN accounts a ON a.id = r.account_id WHERE r.post_id = :id ORDER BY 1"
)


def post_of(company: ApiCompany, answer: Any) -> Any:
    assert answer.status_code == 200, answer.text
    [row] = company.all("SELECT * FROM posts WHERE id = :id", id=int(answer.json["id"]))
    return row


def test_an_update_a_reply_and_a_warning(company: ApiCompany) -> None:
    kim, sam = company.app_of("kim"), company.app_of("sam")
    first = kim.post(STATUSES, {"status": "hello #Lunch", "language": "de", "visibility": "unlisted"})
    row = post_of(company, first)
    assert (row.visibility, row.text, row.lang, row.via) == ("company", "hello #Lunch", "de", "api")
    assert (first.json["visibility"], first.json["application"], first.json["language"]) == ("public", None, "de")
    answer = sam.post(STATUSES, {"status": "@kim hi", "in_reply_to_id": first.json["id"], "language": "xx-nonsense"})
    assert post_of(company, answer).in_reply_to == row.id
    assert answer.json["in_reply_to_account_id"] == str(company.people["kim"])
    assert [each["acct"] for each in answer.json["mentions"]] == ["kim"]
    warned = post_of(company, kim.post(STATUSES, {"status": "I won", "spoiler_text": "The end", "sensitive": True}))
    assert warned.text == "The end\n\nI won"
    context = kim.get(f"{STATUSES}/{row.id}/context").json
    assert [each["id"] for each in context["descendants"]] == [answer.json["id"]]
    assert [each["id"] for each in kim.get(f"{STATUSES}/{answer.json['id']}/context").json["ancestors"]] == [
        str(row.id)
    ]
    assert kim.get(f"{STATUSES}/{row.id}/source").json["text"] == "hello #Lunch"
    assert len(kim.get(f"{STATUSES}/{row.id}/history").json) == 1
    assert len(kim.get(STATUSES, **{"id[]": [row.id, answer.json["id"], 7]}).json) == 2


def test_private_words_go_to_whom_they_name(company: ApiCompany) -> None:
    kim = company.app_of("kim")
    sent = kim.post(STATUSES, {"status": "@sam @Anne: see you", "visibility": "direct"})
    row = post_of(company, sent)
    assert (row.visibility, row.text) == ("direct", "see you")
    assert [each.handle for each in company.all(RECIPIENTS, id=row.id)] == ["anne", "sam"]
    assert re.sub("<[^>]+>", "", sent.json["content"]) == "@anne @sam see you"
    assert [each["acct"] for each in sent.json["mentions"]] == ["anne", "sam"]
    assert company.app_of("sam").get(f"{STATUSES}/{row.id}").status_code == 404  # it waits, and can be taken back
    company.passes(120)
    seen = company.app_of("sam").get(f"{STATUSES}/{row.id}").json
    assert [each["acct"] for each in seen["mentions"]] == ["sam"]  # who else got it is its writer's business
    answer = company.app_of("sam").post(STATUSES, {"status": "yes", "in_reply_to_id": row.id, "visibility": "public"})
    mine = post_of(company, answer)
    assert (mine.visibility, answer.json["visibility"]) == ("direct", "direct")
    assert [each.handle for each in company.all(RECIPIENTS, id=mine.id)] == ["kim"]
    assert [each["id"] for each in kim.get(f"{STATUSES}/{row.id}/context").json["descendants"]] == [str(mine.id)]
    assert company.app_of("anne").get(f"{STATUSES}/{row.id}/context").json["descendants"] == []
    assert company.app_of("anne").get(f"{STATUSES}/{mine.id}").status_code == 404
    to_anne = company.app_of("sam").post(STATUSES, {"status": "x", "visibility": "direct", "in_reply_to_id": mine.id})
    assert to_anne.status_code == 422


@pytest.mark.parametrize("given", [
    {"status": "hello", "visibility": "direct"}, {"status": "@kim hello", "visibility": "direct"},
    {"status": "@sam @nobody hello", "visibility": "direct"}, {"status": "hello", "visibility": "private"},
    {"status": "@acme hello", "visibility": "private"}, {"status": "@board @acme hello", "visibility": "private"},
    {"status": ""}, {"status": " "}, {"status": "x" * 20_001}, {"status": "hello", "visibility": "everyone"},
    {"status": "d sam my salary"}, {"status": "hello", "media_ids": ["7"]}, {"media_ids": ["7"]},
    {"status": "hello", "poll": {"options": ["a", "b"]}}, {"status": "hello", "scheduled_at": "2030-01-01T00:00:00Z"},
])  # fmt: skip
def test_in_doubt_nothing_is_sent(company: ApiCompany, given: dict[str, Any]) -> None:
    answer = company.app_of("kim").post(STATUSES, given)
    assert (answer.status_code, bool(answer.json["error"])) == (422, True), answer.text
    assert company.scalar("SELECT count(*) FROM posts") == 0


def test_groups_are_named_in_the_words(company: ApiCompany) -> None:
    kim, sam = company.app_of("kim"), company.app_of("sam")
    open_ = sam.post(STATUSES, {"status": "@acme the build is done"})
    row = post_of(company, open_)
    assert (row.group_id, row.text, open_.json["visibility"]) == (company.people["acme"], "the build is done", "public")
    closed = kim.post(STATUSES, {"status": "plans for @board", "visibility": "private"})
    assert post_of(company, closed).group_id == company.people["board"]
    assert closed.json["visibility"] == "private"
    assert (
        post_of(company, sam.post(STATUSES, {"status": "@board hello"})).group_id is None
    )  # no member: it only names it
    assert sam.post(STATUSES, {"status": "x", "in_reply_to_id": closed.json["id"]}).status_code == 404
    answer = kim.post(STATUSES, {"status": "more", "in_reply_to_id": closed.json["id"], "visibility": "public"})
    assert post_of(company, answer).group_id == company.people["board"]
    assert sam.post(STATUSES, {"status": "x", "in_reply_to_id": row.id, "visibility": "private"}).status_code == 422


def test_a_private_message_to_a_group_goes_to_who_is_in_it_now(company: ApiCompany) -> None:
    with transaction(company.engine) as session:
        follows.follow(session, company.people["anne"], company.people["board"], by_text=False, role="member")
    sent = company.app_of("kim").post(STATUSES, {"status": "@board meet at 4", "visibility": "direct"})
    assert [each.handle for each in company.all(RECIPIENTS, id=int(sent.json["id"]))] == ["anne"]
    assert [each["acct"] for each in sent.json["mentions"]] == ["board"]
    company.passes(120)
    assert company.app_of("anne").get(f"{STATUSES}/{sent.json['id']}").json["mentions"][0]["acct"] == "board"
    assert company.app_of("anne").post(f"{STATUSES}/{sent.json['id']}/reblog").status_code == 422


def test_the_same_key_posts_once(company: ApiCompany) -> None:
    kim, key = company.app_of("kim"), {"Idempotency-Key": "one"}
    with ThreadPoolExecutor(4) as pool:
        asked = [pool.submit(company.app_of("kim").post, STATUSES, {"status": "hello"}, headers=key) for _ in range(4)]
    assert len({each.result().json["id"] for each in asked}) == 1
    assert company.scalar("SELECT count(*) FROM posts") == 1
    assert kim.post(STATUSES, {"status": "other words"}, headers=key).status_code == 422
    assert company.app_of("sam").post(STATUSES, {"status": "hello"}, headers=key).status_code == 200
    assert kim.post(STATUSES, {"status": "hello"}).status_code == 200
    assert company.scalar("SELECT count(*) FROM posts") == 3


def test_marks_can_be_set_twice_and_taken_back(company: ApiCompany) -> None:
    kim, sam = company.app_of("kim"), company.app_of("sam")
    post = kim.post(STATUSES, {"status": "hello"}).json["id"]
    place = f"{STATUSES}/{post}"
    for do, undo, name, counted in (
        ("favourite", "unfavourite", "favourited", "favourites_count"),
        ("bookmark", "unbookmark", "bookmarked", None), ("reblog", "unreblog", "reblogged", "reblogs_count"),
    ):  # fmt: skip
        for _ in range(2):
            done = sam.post(f"{place}/{do}").json
            shown = done["reblog"] or done
            assert (shown["id"], shown[name]) == (post, True), do
            assert counted is None or shown[counted] == 1
        assert (done["reblog"] is not None) == (do == "reblog")
        assert kim.get(place).json[name] is False
        for _ in range(2):
            assert sam.post(f"{place}/{undo}").json[name] is False, undo
    for path, do in (("/api/v1/favourites", "favourite"), ("/api/v1/bookmarks", "bookmark")):
        assert sam.get(path).json == []
        sam.post(f"{place}/{do}")
        assert [each["id"] for each in sam.get(path).json] == [post]
        assert kim.get(path).json == []
    sam.post(f"{place}/reblog")
    assert [each["acct"] for each in kim.get(f"{place}/favourited_by").json] == ["sam"]
    assert [each["acct"] for each in kim.get(f"{place}/reblogged_by").json] == ["sam"]
    assert kim.post(f"{place}/reblog").status_code == 422  # their followers have it already
    assert kim.ask("DELETE", place).status_code == 200
    for path in ("/api/v1/favourites", "/api/v1/bookmarks"):
        assert sam.get(path).json == []


def test_pinned_ones_are_the_own(company: ApiCompany) -> None:
    kim, ids = company.app_of("kim"), [company.says("kim", f"update {number}") for number in range(6)]
    assert company.app_of("sam").post(f"{STATUSES}/{ids[0]}/pin").status_code == 422
    asked = [kim.post(f"{STATUSES}/{each}/pin") for each in ids]
    assert [each.status_code for each in asked] == [200] * 5 + [422]
    assert asked[0].json["pinned"]
    kim.post(f"{STATUSES}/{ids[0]}/unpin")
    found = company.app_of("sam").get(f"/api/v1/accounts/{company.people['kim']}/statuses", pinned="true").json
    assert [each["id"] for each in found] == [str(each) for each in reversed(ids[1:5])]


def test_what_was_deleted_is_gone_and_its_words_are_told(company: ApiCompany) -> None:
    kim, sam = company.app_of("kim"), company.app_of("sam")
    made = kim.post(STATUSES, {"status": "@sam hello", "visibility": "direct"}).json
    assert sam.ask("DELETE", f"{STATUSES}/{made['id']}").status_code == 404
    assert kim.ask("PUT", f"{STATUSES}/{made['id']}", json={"status": "other"}).status_code == 422
    gone = kim.ask("DELETE", f"{STATUSES}/{made['id']}")
    assert (gone.status_code, gone.json["text"]) == (200, "@sam hello")
    for asks in (kim, sam):
        assert asks.get(f"{STATUSES}/{made['id']}").status_code == 404
    assert kim.ask("DELETE", f"{STATUSES}/{made['id']}").status_code == 404


def test_an_answer_to_a_question_is_for_its_asker(company: ApiCompany) -> None:
    """It is no post: the app is shown the question."""
    with transaction(company.engine) as session:
        kim, group = (session.get_one(Account, company.people[each]) for each in ("kim", "acme"))
        actor = Actor(kim, "api", company.settings, Signer(company.settings.secret_keys))
        asked = once(session, actor, "k", group_questions.ask_group, find_named(group), "lunch at 12 or 1?").post_id
    answer = company.app_of("sam").post(
        STATUSES, {"status": "@kim at 12", "in_reply_to_id": str(asked), "language": "en", "visibility": "unlisted"}
    )
    assert (answer.status_code, answer.json["id"]) == (200, str(asked))
    assert company.all("SELECT text FROM call_people WHERE text IS NOT NULL") == [("at 12",)]
    assert company.scalar("SELECT count(*) FROM posts") == 1


def test_many_phones_are_confirmed_by_the_same_words_again(careful: ApiCompany) -> None:
    """That says yes to the price alone, once, for ten minutes, and for these words by this person."""
    kim, given = careful.app_of("kim"), {"status": "hello"}
    first = kim.post(STATUSES, given)
    assert (first.status_code, first.json["confirmation"]["kind"]) == (422, "reach")
    assert "again within ten minutes" in first.json["error"]
    assert kim.post(STATUSES, {"status": "hello!"}).status_code == 422
    assert kim.post(STATUSES, given).status_code == 200
    assert kim.post(STATUSES, given).status_code == 422
    with transaction(careful.engine) as session:
        session.connection().exec_driver_sql("UPDATE reach_questions SET asked_at = now() - interval '11 minutes'")
    assert kim.post(STATUSES, given).status_code == 422
    private = {"status": "d sam my salary"}
    assert [kim.post(STATUSES, private).status_code for _ in range(3)] == [422, 422, 422]
    assert "again within" not in kim.post(STATUSES, private).json["error"]
    assert careful.scalar("SELECT count(*) FROM posts") == 1
    assert kim.post(STATUSES, {**given, "confirm": ["price"]}).status_code == 200
