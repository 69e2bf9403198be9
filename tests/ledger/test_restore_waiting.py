"""After a restore nothing that waited for its reader is sent before an operator says so, for it may have come since."""

import pytest

from gateway.ledger.operations import restore_hold
from gateway.store.database import transaction
from tests.support.desk import Desk, asleep

AWAKE = "UPDATE addresses SET quiet = NULL, quiet_since = NULL"
DUE = "UPDATE held SET until = now() WHERE state = 'waiting' AND until < '3000-01-01 00:00+00'"
OF_DIGESTS = " WHERE message_id IN (SELECT message_id FROM digests)"
SENDING = "UPDATE deliveries SET state = 'sending', attempt = 1, lease_until = now(), lease_owner = 'lost'" + OF_DIGESTS
ENDED = "UPDATE deliveries SET state = '{}', reason = '30003', ended_at = now()" + OF_DIGESTS
MOMENTS = {
    "waiting": [],
    "in a digest": ["fold"],
    "in a digest on its way": ["fold", SENDING],
    "in a digest that failed": ["fold", ENDED.format("failed")],
}


def restored(desk: Desk, moment: str) -> None:
    """Quiet hours have just ended, and the database is one of a backup of that moment."""
    asleep(desk, "first thing", "second thing")
    desk.office.sql(AWAKE)
    desk.office.sql(DUE)
    for step in MOMENTS[moment]:
        desk.fold() if step == "fold" else desk.office.sql(step)
    with transaction(desk.office.engine) as session:
        restore_hold.hold(session)


def heard(desk: Desk) -> str:
    return "\n".join(desk.heard("sam"))


@pytest.mark.parametrize("moment", MOMENTS)
def test_nothing_that_waits_is_sent(desk: Desk, moment: str) -> None:
    restored(desk, moment)
    desk.send()
    desk.says("sam", "quiet off")  # what it wakes is not what an operator is to decide about
    desk.says("sam", "off 8h")
    desk.says("sam", "on")
    assert "thing" not in heard(desk)
    assert "2 items waiting for readers" in desk.office.critter("restore").output
    desk.clean()


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_release_sends_each_once_and_marks_it(desk: Desk, moment: str) -> None:
    restored(desk, moment)
    assert desk.office.critter("restore", "--release", "--yes").exit_code == 0
    desk.send()
    came = heard(desk)
    assert (came.count("first thing"), came.count("second thing")) == (1, 1)
    marked = desk.office.sql(
        "SELECT bool_and(possible_duplicate) FROM deliveries JOIN held USING (message_id, address_id)"
    )
    assert marked == [(True,)]
    assert [row[0] for row in desk.states()] == ["sent"] * 2
    assert desk.office.critter("restore").output == "Nothing is held.\n"
    desk.clean()


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_drop_ends_them_unsent(desk: Desk, moment: str) -> None:
    restored(desk, moment)
    assert desk.office.critter("restore", "--drop", "--yes").exit_code == 0
    desk.send()
    assert heard(desk) == ""
    assert [row[0] for row in desk.states()] == ["cancelled"] * 2
    assert desk.office.sql("SELECT count(*) FROM deliveries WHERE state = 'held' OR ended_at IS NULL") == [(0,)]
    desk.clean()


def test_what_a_digest_had_brought_before_the_backup_is_not_held(desk: Desk) -> None:
    asleep(desk, "first thing", "second thing")
    desk.says("sam", "quiet off")
    desk.office.sql("UPDATE held SET state = 'folded', ended_at = NULL")
    desk.office.sql("UPDATE deliveries SET state = 'held', reason = NULL WHERE reason = 'digest'")
    desk.heard("sam")
    with transaction(desk.office.engine) as session:
        restore_hold.hold(session)
    desk.send()
    assert [row[0] for row in desk.states()] == ["sent"] * 2
    assert heard(desk) == ""
    desk.clean()


def test_what_begins_to_wait_afterwards_comes(desk: Desk) -> None:
    restored(desk, "waiting")
    desk.says("sam", "off 8h")
    desk.says("kim", "lunch at one")
    desk.says("sam", "on")
    assert "lunch at one" in heard(desk)
    assert sorted(str(row[0]) for row in desk.states()) == ["sent", "waiting", "waiting"]
