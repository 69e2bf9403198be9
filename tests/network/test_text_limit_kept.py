"""What operators see of the texts of a reader's day, and that an export has it, an erasure leaves nothing of it, and a
restore sends nothing of it."""

import json
import zipfile
from pathlib import Path

from gateway.ledger.audit.invariants import prove
from gateway.ledger.operations import restore_hold
from gateway.store.database import transaction
from tests.support.desk import Desk


def over(desk: Desk) -> None:
    """Sam has had the one text of this day, and two updates wait."""
    desk.says("sam", "limit 1")
    desk.says("kim", "first thing")
    desk.says("kim", "second thing")
    desk.heard("sam")


def test_a_trace_says_what_it_waits_for(desk: Desk) -> None:
    over(desk)
    [[post]] = desk.office.sql("SELECT max(id) FROM posts")
    assert "(for a digest, over the texts of a day)" in desk.office.critter("trace", str(post)).output


def test_an_export_has_the_limit_and_the_days(desk: Desk, tmp_path: Path) -> None:
    over(desk)
    out = tmp_path / "sam.zip"
    assert desk.office.critter("export", "sam", "--out", str(out)).exit_code == 0
    with zipfile.ZipFile(out) as packed:
        data = json.loads(packed.read("data.json"))
    assert data["attention"][0]["texts_a_day"] == 1
    assert [(one["used"], one["allowed"]) for one in data["texts_a_day"]] == [(1, 1)]
    assert {one["reason"] for one in data["waiting"]} == {"over"}


def test_an_erasure_leaves_nothing_of_it(desk: Desk) -> None:
    over(desk)
    assert desk.office.critter("erase", "sam", "--yes").exit_code == 0
    for each in ("budgets WHERE scope = 'reader'", "charges WHERE reader_id IS NOT NULL", "attention", "held"):
        assert desk.office.sql(f"SELECT count(*) FROM {each}") == [(0,)], each
    desk.clean()


def test_a_restore_holds_it_whatever_the_limit_becomes(desk: Desk) -> None:
    over(desk)
    with transaction(desk.office.engine) as session:
        restore_hold.hold(session)
    desk.says("sam", "limit off")
    desk.says("sam", "digest now")
    assert " thing" not in "".join(desk.heard("sam"))
    with transaction(desk.office.engine) as session:
        restore_hold.release(session)
    desk.send()
    assert "first thing" in "".join(desk.heard("sam"))


def test_the_audit_sees_one_update_too_many_and_a_text_that_is_not_counted(desk: Desk) -> None:
    desk.says("sam", "limit 20")
    desk.says("kim", "first thing")
    desk.says("kim", "second thing")
    desk.clean()
    desk.office.sql("UPDATE budgets SET allowed = 1 WHERE scope = 'reader'")
    with transaction(desk.office.engine) as session:
        [broken] = prove(session).broken
    assert (broken.invariant, broken.why) == ("I6", "2 updates of 1")
    desk.office.sql("UPDATE budgets SET allowed = 20, used = 1 WHERE scope = 'reader'")
    with transaction(desk.office.engine) as session:
        [broken] = prove(session).broken
    assert broken.invariant == "I6"
    assert "1 counted, and its texts took" in broken.why


def test_a_budget_of_money_is_asked_only_about_what_does_not_wait(desk: Desk) -> None:
    """What is over its reader's limit costs nobody's budget, and its author misses nobody."""
    over(desk)
    desk.office.sql("UPDATE budgets SET used = 1000000 WHERE scope = 'person'")
    desk.says("kim", "third thing")
    assert desk.office.sql("SELECT count(*) FROM shortfalls") == [(0,)]
    assert desk.office.sql("SELECT DISTINCT reason FROM held") == [("over",)]
