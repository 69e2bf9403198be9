"""What waits for its reader: held in quiet hours and while a phone is off, then sent by itself or in one digest. The
real workers and statements; only the carriers are played."""

from datetime import UTC, datetime, timedelta

from gateway.ledger.outbox import held
from gateway.store.database import transaction
from tests.support.desk import SLEEP, Desk, asleep


def test_one_item_waits_and_then_comes_by_itself(desk: Desk) -> None:
    asleep(desk, "starting the ACME proposal")
    assert desk.heard("sam") == []
    assert desk.states() == [("waiting", "quiet", None)]
    desk.says("sam", "quiet")
    assert "1 update waits." in desk.heard("sam")[0]
    desk.says("sam", "quiet off")
    answer, update = desk.heard("sam")
    assert "1 update waited and comes now." in answer
    assert update.startswith("Kim Lee: starting the ACME proposal")
    assert desk.states() == [("sent", "quiet", None)]
    desk.clean()


def test_several_become_one_digest_what_was_addressed_first(desk: Desk) -> None:
    asleep(desk, "first thing", "second thing", "d sam can you open at six")
    assert desk.heard("sam") == []
    desk.says("sam", "quiet off")
    answer, digest = desk.heard("sam")
    assert "3 updates waited and come now." in answer
    assert digest.split("\n") == [
        "While you were quiet, 3 updates came:",
        "1 Kim Lee (private): can you open at six",
        "2 Kim Lee: second thing",
        "3 Kim Lee: first thing",
        "A digit gives it whole.",
    ]
    assert desk.states() == [("sent", "quiet", None)] * 3
    sent = desk.office.sql("SELECT state, reason FROM deliveries WHERE reason = 'digest'")
    assert [tuple(row) for row in sent] == [("sent", "digest")] * 3
    desk.clean()


def test_two_workers_wake_different_people(desk: Desk) -> None:
    """Whoever another worker has in hand is passed by, and somebody else is taken."""
    desk.says("bob", "follow kim")
    desk.says("bob", SLEEP)
    asleep(desk, "first thing", "second thing")
    desk.office.sql("UPDATE held SET until = now()")
    with transaction(desk.office.engine) as one, transaction(desk.office.engine) as other:
        first, second, none = held.due(one, 1), held.due(other, 1), held.due(other, 1)
        assert [len(first), len(second)] == [2, 2]
        assert {item.account_id for item in first} != {item.account_id for item in second}
        assert [item.account_id for item in none] == [item.account_id for item in second]  # its own


def test_a_number_gives_one_whole_and_a_reply_then_answers_it(desk: Desk) -> None:
    asleep(desk, "first thing", "d sam can you open at six")
    desk.says("sam", "quiet off")
    desk.heard("sam")
    desk.says("sam", "r yes I can")
    assert desk.heard("sam")[0].startswith("Which one do you answer?")
    desk.says("sam", "DROP")
    desk.says("sam", "yes I can")
    assert desk.heard("sam")[-1].startswith("Which one do you answer?")
    desk.says("sam", "DROP")
    desk.heard("sam")
    desk.says("sam", "1")
    assert desk.heard("sam") == ["Kim Lee (private): can you open at six"]
    desk.says("sam", "r yes I can")
    assert desk.heard("kim")[-1].startswith("Sam Ortiz (private): yes I can")
    desk.says("sam", "9")
    desk.clean()


def test_what_waits_for_two_reasons_comes_when_both_have_ended(desk: Desk) -> None:
    asleep(desk, "first thing", "second thing")
    desk.says("sam", "off till 9")
    assert "What comes is kept for you till then." in desk.heard("sam")[0]
    assert [reason for _, reason, _ in desk.states()] == ["off_till"] * 2
    desk.says("sam", "on")
    assert desk.heard("sam") == ["Texts are on."]
    assert [reason for _, reason, _ in desk.states()] == ["quiet"] * 2
    desk.says("sam", "quiet off")
    assert desk.heard("sam")[1].startswith("While you were quiet, 2 updates came:")
    desk.clean()


def test_after_an_off_with_an_end_comes_one_digest(desk: Desk) -> None:
    desk.says("sam", "off till 9")
    desk.says("kim", "first thing")
    desk.says("kim", "second thing")
    desk.heard("sam")
    desk.says("sam", "on")
    answer, digest = desk.heard("sam")
    assert "2 updates waited and come now." in answer
    assert digest.startswith("While it was off, 2 updates came:")


def test_an_off_without_an_end_keeps_nothing(desk: Desk) -> None:
    desk.says("sam", "off")
    desk.says("kim", "first thing")
    desk.heard("sam")
    desk.says("sam", "on")
    assert desk.heard("sam") == ["Texts are on."]
    assert desk.states() == []


def test_an_end_that_is_far_away_is_said_with_its_date(desk: Desk) -> None:
    day = datetime.now(UTC) + timedelta(days=20)
    desk.says("sam", "off 20d")
    assert f", {day:%b} {day.day}. What comes is kept" in desk.heard("sam")[0]
    desk.says("sam", "off 2h")
    assert "," not in desk.heard("sam")[0]
