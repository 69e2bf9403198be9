"""Deliveries, the story of one thing, and what was not delivered."""

import json

import pytest

from tests.support.operator_pages import OperatorPages
from tests.support.web_visitor import plain

CANARY = "zanzibar"


def kill(operators: OperatorPages, handle: str, reason: str = "30005", state: str = "failed") -> str:
    operators.office.says("kim", f"hello {reason}")
    operators.office.work()
    key = operators.office.delivery(handle)
    operators.office.sql(
        "UPDATE deliveries SET state = :state, reason = :reason, ended_at = now()"
        " WHERE message_id || ':' || address_id = :key",
        key=key, state=state, reason=reason,
    )  # fmt: skip
    return key


def state(operators: OperatorPages, key: str) -> object:
    return operators.office.sql("SELECT state FROM deliveries WHERE message_id || ':' || address_id = :key", key=key)[
        0
    ][0]


def test_deliveries_show_between_whom_and_no_number_and_no_word(operators: OperatorPages) -> None:
    operators.office.says("kim", f"{CANARY} to all")
    operators.office.says("kim", f"d anne {CANARY}")
    operators.office.work()
    operators.office.sql(
        "UPDATE fanouts SET not_before = now(); UPDATE deliveries SET not_before = now()"
    )  # past the hold
    operators.office.work()
    page = operators.as_whom("dana").open("/operate/deliveries").text
    words = plain(page)
    assert "Sam Ortiz …02" in words
    assert "private Kim Lee Anne Cole …08" in words
    assert CANARY not in page
    assert "+1415" not in page
    assert "@demo.example" not in page


@pytest.mark.parametrize(
    ("query", "there", "absent"),
    [
        ("?state=failed", "Sam Ortiz", "Priya"),
        ("?state=arrived", "Priya", "failed, 30005"),
        ("?q=to:priya", "Priya", "Sam Ortiz"),
        ("?q=code:30005", "Sam Ortiz", "Priya"),
        ("?q=by:mail", "Priya", "Sam Ortiz"),
        ("?q=sam", "Sam Ortiz", "Priya"),
        ("?q=from:nobody", "None of these", "Sam Ortiz"),
        ("?q=before:2020-01-01", "None of these", "Sam Ortiz"),
        ("?q=colour:red", "Nothing is known by “colour:red”", "None of these"),
        ("?q=" + "%25' OR 1=1 --", "None of these", "Sam Ortiz"),
    ],
)
def test_the_search_finds(operators: OperatorPages, query: str, there: str, absent: str) -> None:
    kill(operators, "sam")
    words = operators.as_whom("dana").words(f"/operate/deliveries{query}")
    assert there in words
    assert absent not in words


def test_an_id_in_the_search_leads_to_its_story(operators: OperatorPages) -> None:
    key = kill(operators, "sam")
    answer = operators.as_whom("dana").open(f"/operate/deliveries?q={key}")
    assert (answer.status_code, answer.location) == (303, f"/operate/trace/{key}")


def test_pages_go_on_by_key(operators: OperatorPages) -> None:
    for number in range(22):  # each goes to two
        operators.office.says("kim", f"update {number}")
    operators.office.work()
    first = operators.as_whom("dana").open("/operate/deliveries").text
    older = first.partition("before=")[2].partition('"')[0]
    second = operators.as_whom("dana").open(f"/operate/deliveries?before={older}").text
    seen = [set(page.split('href="/operate/trace/')[1:]) for page in (first, second)]
    ids = [{each.partition('"')[0] for each in page} for page in seen]
    assert len(ids[0]) == 40
    assert len(ids[1]) == 4
    assert not ids[0] & ids[1]
    assert operators.as_whom("dana").open("/operate/deliveries?before=x:y").status_code == 200


def test_a_story_tells_all_but_the_words(operators: OperatorPages) -> None:
    row = operators.office.says("kim", f"#acme {CANARY} is up")
    operators.office.work()
    page = operators.as_whom("dana").open(f"/operate/trace/{row}").text
    words = plain(page)
    assert "1 have it" not in words
    assert "1 has it" in words
    assert "Read as group" in words
    assert "An update of @kim in #acme." in words
    assert "@sam has it" in words
    assert CANARY not in page
    assert "+1415" not in page


def test_words_are_shown_when_asked_for_and_that_is_written_down(operators: OperatorPages) -> None:
    row = operators.office.says("kim", f"{CANARY} is up")
    operators.office.work()
    answer = operators.as_whom("dana").press(f"/operate/trace/{row}/words")
    assert f"{CANARY} is up" in answer.text
    assert operators.audited("trace.words") == [("dana", row, {"posts": 1})]


@pytest.mark.parametrize("by", ["dana", "pat"])
@pytest.mark.parametrize(("who", "said"), [("kim", "d anne {}"), ("anne", "#board {}"), ("kim", "d acne {}")])
def test_private_words_are_never_shown(operators: OperatorPages, by: str, who: str, said: str) -> None:
    """A private message, what is said in a closed group, and what was kept because it looks private; by the input, the
    post, the message and the delivery."""
    row = operators.office.says(who, said.format(CANARY))
    operators.office.work()
    ids = [str(row), *(str(each[0]) for each in operators.office.sql(
        "SELECT id FROM posts UNION SELECT id FROM messages WHERE post_id IS NOT NULL"))]  # fmt: skip
    visitor = operators.as_whom(by)
    for each in ids:
        assert CANARY not in visitor.open(f"/operate/trace/{each}").text
        assert CANARY not in visitor.open(f"/operate/trace/{each}/json").text
        answer = visitor.press(f"/operate/trace/{each}/words")
        assert CANARY not in answer.text
        assert "private, or not there any more" in plain(answer.text)
    assert "acne" not in plain(visitor.open(f"/operate/trace/{row}").text)


def test_what_was_taken_back_or_repeats_something_closed_is_not_shown(operators: OperatorPages) -> None:
    row = operators.office.says("kim", f"{CANARY} is up")
    operators.office.work()
    operators.office.sql("UPDATE posts SET deleted_at = now()")
    assert CANARY not in operators.as_whom("dana").press(f"/operate/trace/{row}/words").text
    closed = operators.office.says("anne", f"#board {CANARY}")
    operators.office.work()
    operators.office.sql(
        "INSERT INTO posts (author_id, visibility, text, via, repeat_of, inbound_id)"
        " SELECT author_id, 'company', text, via, id, inbound_id FROM posts WHERE inbound_id = :row",
        row=closed,
    )
    assert CANARY not in operators.as_whom("dana").press(f"/operate/trace/{closed}/words").text


def test_a_message_of_critters_own_shows_nobodys_words(operators: OperatorPages) -> None:
    """Nothing came in for it and it carries no post; updates from a page have no input either."""
    operators.office.sql(
        "INSERT INTO posts (author_id, visibility, text, via) SELECT id, 'company', :words, 'web' FROM accounts"
        " WHERE handle = 'kim'",
        words=CANARY,
    )
    row = operators.office.sql(
        "INSERT INTO messages (kind, text, subject, body) VALUES ('notice', 'x', 'x', 'x') RETURNING id"
    )[0][0]
    answer = operators.as_whom("dana").press(f"/operate/trace/{row}/words")
    assert answer.status_code == 200
    assert CANARY not in answer.text


def test_the_file_of_a_story_is_the_trace_without_numbers(operators: OperatorPages) -> None:
    key = kill(operators, "sam")
    answer = operators.as_whom("dana").open(f"/operate/trace/{key}/json")
    traced = json.loads(answer.text)
    assert traced["deliveries"][0]["id"] == key
    assert traced["deliveries"][0]["to"] == "…02"
    assert "text" not in traced["messages"][0]


@pytest.mark.parametrize("given", ["1", "nonsense", "5:6", "%3Ca%40b%3E"])
def test_a_story_of_nothing_is_refused_in_a_sentence(operators: OperatorPages, given: str) -> None:
    answer = operators.as_whom("dana").open(f"/operate/trace/{given}")
    assert answer.status_code == 422
    assert "There is nothing with the id" in plain(answer.text)


def test_one_is_tried_again_from_its_story(operators: OperatorPages) -> None:
    key = kill(operators, "sam")
    visitor = operators.as_whom("dana")
    answer = visitor.press(f"/operate/deliveries/{key}/retry", {"back": f"/operate/trace/{key}"})
    assert (answer.status_code, answer.location) == (303, f"/operate/trace/{key}")
    assert "Put back: 1." in visitor.open(f"/operate/trace/{key}").text
    assert state(operators, key) == "retry"
    assert [row[0] for row in operators.audited("delivery.retry")] == ["dana"]
    assert visitor.press(f"/operate/deliveries/{key}/retry").status_code == 422  # it is no dead letter any more


def test_one_is_put_away(operators: OperatorPages) -> None:
    key = kill(operators, "sam")
    operators.as_whom("dana").press(f"/operate/deliveries/{key}/drop")
    assert state(operators, key) == "cancelled"
    assert [row[0] for row in operators.audited("dead.drop")] == ["dana"]


def test_the_undelivered_stand_by_reason_with_what_to_do(operators: OperatorPages) -> None:
    kill(operators, "sam")
    kill(operators, "sam")
    kill(operators, "priya", "5.1.1")
    words = operators.as_whom("dana").words("/operate/undelivered")
    assert (
        "30005 2 texts The number is not in service Ask its owner for a number that works. Try 2 again Put 2 away"
        in words
    )
    assert "1 mail" in words


@pytest.mark.parametrize(
    ("act", "becomes", "action"), [("retry", "retry", "dead.retry"), ("drop", "cancelled", "dead.drop")]
)
def test_all_of_one_reason_after_saying_how_many(operators: OperatorPages, act: str, becomes: str, action: str) -> None:
    keys = [kill(operators, "sam"), kill(operators, "sam")]
    other = kill(operators, "sam", "30008")
    visitor = operators.as_whom("dana")
    asked = visitor.open(f"/operate/undelivered/{act}?reason=30005&channel=sms").text
    assert "2 that ended with 30005" in plain(asked)
    assert [state(operators, key) for key in keys] == ["failed", "failed"]
    until = asked.partition('name="until" value="')[2].partition('"')[0]
    later = kill(operators, "sam")  # it was not among those that were counted
    answer = visitor.press(f"/operate/undelivered/{act}", {"reason": "30005", "channel": "sms", "until": until})
    assert answer.status_code == 303
    assert [state(operators, key) for key in keys] == [becomes, becomes]
    assert (state(operators, other), state(operators, later)) == ("failed", "failed")
    [(who, subject, detail)] = operators.audited(action)
    assert (who, subject) == ("dana", None)
    assert detail["rows"] == 2


@pytest.mark.parametrize("form", [{}, {"reason": "30005", "channel": "fax"}, {"reason": "30005", "until": "soon"}])
def test_nothing_is_done_to_all_at_once(operators: OperatorPages, form: dict[str, str]) -> None:
    key = kill(operators, "sam")
    assert operators.as_whom("dana").press("/operate/undelivered/drop", form).status_code == 422
    assert state(operators, key) == "failed"
    assert operators.as_whom("dana").press("/operate/undelivered/erase", {"reason": "30005"}).status_code == 404
