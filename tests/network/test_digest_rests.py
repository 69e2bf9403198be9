"""Digests that meet quiet hours or an `off`: each comes once, when it may, and none is tried without end."""

from datetime import timedelta

from sqlalchemy import text

from gateway.ledger.outbox import claims
from gateway.ledger.outbox.in_doubt import give_up, record_absent
from gateway.ledger.outbox.settlements import Settlement, settle
from gateway.store.database import transaction
from tests.support.desk import SLEEP, Desk


def wanted(desk: Desk, *words: str) -> None:
    """Sam has these in a digest."""
    desk.says("sam", "digest kim")
    for each in words:
        desk.says("kim", each)
    desk.heard("sam")


def made(desk: Desk) -> int:
    return len(desk.office.sql("SELECT FROM digests"))


def test_one_asked_for_in_quiet_hours_comes_when_they_end(desk: Desk) -> None:
    wanted(desk, "first thing", "second thing")
    desk.says("sam", SLEEP)
    desk.heard("sam")
    desk.says("sam", "digest now")
    for _ in range(3):
        desk.send()
    assert desk.heard("sam") == ["Your digest of 2 updates comes when your quiet hours end."]
    assert made(desk) == 0
    desk.says("sam", "quiet off")
    assert desk.heard("sam")[1].startswith("Your digest, 2 updates:")
    assert made(desk) == 1
    desk.clean()


def test_one_that_is_due_in_quiet_hours_comes_when_they_end(desk: Desk) -> None:
    wanted(desk, "first thing")
    desk.says("sam", SLEEP)
    desk.heard("sam")
    desk.office.sql("UPDATE held SET until = now()")
    desk.send()
    desk.send()
    assert (desk.heard("sam"), made(desk)) == ([], 0)
    [[rests]] = desk.office.sql("SELECT until > now() FROM held")
    assert rests
    desk.says("sam", "quiet off")
    assert desk.heard("sam")[1].startswith("Your digest, 1 update:")
    desk.clean()


def test_one_that_was_made_just_before_quiet_hours_comes_after_them(desk: Desk) -> None:
    wanted(desk, "first thing")
    desk.office.sql("UPDATE held SET until = now()")
    desk.fold()
    desk.says("sam", SLEEP)
    desk.send()
    assert len(desk.heard("sam")) == 1
    desk.says("sam", "quiet off")
    assert desk.heard("sam")[1].startswith("Your digest, 1 update:")
    assert made(desk) == 2


def test_one_that_could_not_leave_on_its_date_comes_without_a_date(desk: Desk) -> None:
    """Its reader has one of that date already, which is no reason to wait for ever."""
    wanted(desk, "first thing")
    desk.office.sql("UPDATE held SET until = now()")
    desk.fold()
    desk.office.sql(
        "UPDATE deliveries SET state = 'cancelled', reason = 'quiet', ended_at = now()"
        " WHERE message_id IN (SELECT message_id FROM digests)"
    )
    desk.send()
    assert desk.states() == [("waiting", "digest", None)]
    desk.office.sql("UPDATE held SET until = now()")  # a minute later
    desk.send()
    assert desk.heard("sam")[-1].startswith("Your digest, 1 update:")
    assert [tuple(row) for row in desk.office.sql("SELECT kind FROM digests ORDER BY message_id")] == [
        ("day",),
        ("now",),
    ]


def test_ending_them_in_quiet_hours_says_when_the_rest_comes(desk: Desk) -> None:
    wanted(desk, "first thing")
    desk.says("sam", SLEEP)
    desk.heard("sam")
    desk.says("sam", "digest off")
    assert desk.heard("sam")[0].endswith("one by one again. 1 update comes when your quiet hours end.")
    assert made(desk) == 0
    desk.says("sam", "quiet off")
    assert desk.heard("sam")[1].startswith("Your digest, 1 update:")


def test_without_an_address_that_receives_it_waits_for_one(desk: Desk) -> None:
    wanted(desk, "first thing")
    desk.says("sam", "off 3h")
    desk.heard("sam")
    desk.says("sam", "digest now")
    assert desk.heard("sam") == ["Your digest has nowhere to come to: what you get is off. To turn it on: ON"]
    desk.office.sql("UPDATE held SET until = now()")
    for _ in range(3):
        desk.send()
    assert (desk.heard("sam"), made(desk)) == ([], 0)
    assert desk.states() == [("waiting", "digest", None)]
    desk.says("sam", "on")
    assert desk.heard("sam")[1].startswith("Your digest, 1 update:")


def test_an_off_without_an_end_keeps_nothing_for_a_digest(desk: Desk) -> None:
    wanted(desk, "first thing")
    desk.says("sam", "off")
    desk.office.sql("UPDATE held SET until = now()")
    for _ in range(3):
        desk.send()
    assert desk.states() == [("cancelled", "digest", "off")]
    assert made(desk) == 0


def test_one_in_doubt_that_proves_absent_is_sent_again_with_all_that_is_in_it(desk: Desk) -> None:
    wanted(desk, "first thing", "second thing")
    desk.office.sql("UPDATE held SET until = now()")
    desk.fold()
    in_doubt(desk)
    desk.fold()
    assert [state for state, _, _ in desk.states()] == ["sent", "sent"]  # they may have arrived, and be answered
    with transaction(desk.office.engine) as session:
        attempts = session.execute(text("SELECT id FROM attempts WHERE state = 'unknown'")).scalars().all()
        record_absent(session, attempts)
    desk.send()
    assert "2 Kim Lee: first thing" in desk.heard("sam")[-1]
    assert [state for state, _, _ in desk.states()] == ["sent", "sent"]
    desk.clean()


def test_one_that_stays_in_doubt_counts_as_sent(desk: Desk) -> None:
    wanted(desk, "first thing")
    desk.office.sql("UPDATE held SET until = now()")
    desk.fold()
    in_doubt(desk)
    desk.office.sql("UPDATE attempts SET started_at = now() - interval '11 minutes' WHERE state = 'unknown'")
    with transaction(desk.office.engine) as session:
        assert give_up(session) == 1
    desk.send()
    assert (desk.heard("sam"), desk.states()) == ([], [("sent", "digest", None)])


def in_doubt(desk: Desk) -> None:
    """A worker took the digest and was lost."""
    with transaction(desk.office.engine) as session:
        ours = session.execute(text("SELECT array_agg(id) FROM senders")).scalar_one()
        [claimed] = claims.claim(session, "sms", "lost", timedelta(seconds=60), 10, tuple(ours))
        settle(session, [Settlement(claimed, "unknown", reason="timeout", wait=timedelta(seconds=30))])


def test_what_was_in_one_that_failed_comes_one_by_one(desk: Desk) -> None:
    """The next digest might fail for the same reason, and the one after that."""
    wanted(desk, "first thing", "second thing")
    desk.office.sql("UPDATE held SET until = now()")
    desk.fold()
    desk.office.sql(
        "UPDATE deliveries SET state = 'failed', reason = 'rendering', ended_at = now()"
        " WHERE message_id IN (SELECT message_id FROM digests)"
    )
    desk.send()
    assert [each.split(" (k")[0] for each in desk.heard("sam")] == ["Kim Lee: first thing", "Kim Lee: second thing"]
    desk.says("kim", "third thing")
    assert desk.heard("sam") == []
    desk.clean()
