"""`critter trace`: what happened to one text, post or delivery, by any id, without numbers and without its words."""

import json
import re
from typing import Any

import pytest

from gateway.network.inspect.trace import summary
from gateway.store.database import transaction
from tests.support import personas
from tests.support.office import Office

SECRET = "the margin is 12%"


def traced(office: Office, row_id: object, *arguments: str) -> dict[str, Any]:
    result = office.critter("trace", str(row_id), "--json", *arguments)
    assert result.exit_code == 0, result.output
    return dict(json.loads(result.output))


def test_the_whole_way_of_an_update(office: Office) -> None:
    inbound_id = office.says("kim", SECRET)
    office.work()
    told = traced(office, inbound_id)
    assert (told["read_as"], told["texts"], told["mails"], told["open"]) == ("update", 1, 1, False)
    assert told["cost"] == float(office.settings.sms_price)
    assert told["inbound"]["by"] == "kim"
    assert [post["author"] for post in told["posts"]] == ["kim"]
    assert {delivery["reader"] for delivery in told["deliveries"]} == {"sam", "priya"}
    assert all(delivery["attempts"][0]["state"] == "sent" for delivery in told["deliveries"])


def test_neither_numbers_nor_words_are_shown(office: Office) -> None:
    inbound_id = office.says("kim", SECRET)
    office.work()
    for output in (office.critter("trace", str(inbound_id)).output, json.dumps(traced(office, inbound_id))):
        assert SECRET not in output
        assert not any(person.phone in output for person in personas.PEOPLE if person.phone)
        assert not any(person.mailbox in output for person in personas.PEOPLE if person.mailbox)
    assert SECRET in office.critter("trace", str(inbound_id), "--bodies").output


def test_the_same_is_found_by_every_id_of_it(office: Office) -> None:
    inbound_id = office.says("kim", SECRET)
    office.work()
    told = traced(office, inbound_id)
    sid = office.sql("SELECT message_id FROM inbound")[0][0]
    delivery = told["deliveries"][0]
    attempt = delivery["attempts"][0]
    ids = [sid, told["posts"][0]["id"], told["messages"][0]["id"]]
    ids += [delivery["id"], attempt["id"], attempt["carrier_id"]]
    for row_id in ids:
        assert traced(office, row_id)["inbound"]["id"] == str(inbound_id)
    alone = traced(office, delivery["id"])
    assert [one["id"] for one in alone["deliveries"]] == [delivery["id"]]
    assert alone["asked"] == "delivery"


def test_people_read_it_in_the_order_of_time(office: Office) -> None:
    inbound_id = office.says("sam", "follow sales")
    office.work()
    output = office.critter("trace", str(inbound_id)).output
    first, *lines = output.splitlines()
    assert re.fullmatch(r"read as follow · 1 text, 0 mails · \d+ ms · \$0.01", first)
    told = ["accepted by text", "read as follow", "try 1 begun", "text to @sam: sent"]
    places = [next(number for number, line in enumerate(lines) if words in line) for words in told]
    assert places == sorted(places)


def test_callbacks_stand_with_their_attempt(office: Office) -> None:
    inbound_id = office.says("sam", "follow sales")
    office.work()
    office.sql(
        "INSERT INTO callbacks (attempt_id, carrier_id, status, reason)"
        " SELECT id, carrier_id, 'undelivered', '30003' FROM attempts"
    )
    called = traced(office, inbound_id)["deliveries"][0]["attempts"][0]["callbacks"]
    assert [(one["status"], one["reason"]) for one in called] == [("undelivered", "30003")]
    assert "the carrier says undelivered (30003)" in office.critter("trace", str(inbound_id)).output


def test_a_post_of_nobodys_text_has_only_itself(office: Office) -> None:
    office.says("kim", "one")
    office.says("kim", "two")
    office.work()
    office.sql("UPDATE posts SET inbound_id = NULL")
    told = traced(office, office.sql("SELECT min(id) FROM posts")[0][0])
    assert told["inbound"] is None
    assert (len(told["posts"]), len(told["deliveries"])) == (1, 2)
    assert office.critter("trace", told["posts"][0]["id"]).exit_code == 0


def test_the_summary_says_whether_more_may_come(office: Office) -> None:
    inbound_id = office.says("kim", "d acme the price stays")
    office.work()
    with transaction(office.engine) as session:
        told = summary(session, inbound_id, office.settings.sms_price)
    assert (told["read_as"], told["open"], told["texts"]) == ("direct", True, 1)  # the answer; the rest is held


@pytest.mark.parametrize("row_id", ["12", "9" * 30, "1:2", "SM0", "nothing", "99999999999999999999:1"])
def test_what_is_nothing_is_told_in_a_line(office: Office, row_id: str) -> None:
    result = office.critter("trace", row_id)
    assert result.exit_code == 2
    assert result.output.startswith("There is nothing with the id ")
    assert len(result.output.splitlines()) == 1
