"""What carriers say of a digest after it has left: its items follow it, whatever comes when. Nothing is lost, and
nothing comes twice that is not marked."""

import hashlib

from gateway.ledger.outbox import attempt_reports, due_work, in_doubt
from gateway.ledger.outbox.attempt_reports import AttemptReport
from gateway.store.database import transaction
from tests.support.desk import Desk, asleep
from workers import deliver

KIMS = ("first thing", "second thing")
AGAIN = "UPDATE deliveries SET not_before = now() WHERE state = 'retry'"
OF_DIGESTS = " WHERE message_id IN (SELECT message_id FROM digests)"
AWAKE = "UPDATE addresses SET quiet = NULL, quiet_since = NULL"
DUE = "UPDATE held SET until = now() WHERE state = 'waiting'"
ITEMS = "SELECT d.state, d.reason FROM deliveries d JOIN held USING (message_id, address_id) ORDER BY message_id"


def left(desk: Desk) -> int:
    """A digest of two that the carrier took; the id of its try."""
    asleep(desk, *KIMS)
    desk.says("sam", "quiet off")
    digest = desk.heard("sam")[-1]
    assert all(words in digest for words in KIMS)
    return int(str(desk.office.sql("SELECT id FROM attempts" + OF_DIGESTS)[0][0]))


def reported(desk: Desk, report: AttemptReport) -> None:
    with transaction(desk.office.engine) as session:
        attempt_reports.advance(session, [report])


def items(desk: Desk) -> list[tuple[object, ...]]:
    return [tuple(row) for row in desk.office.sql(ITEMS)]


def came(desk: Desk) -> list[int]:
    """How often each of Kim's updates has come to Sam's phone since."""
    heard = "\n".join(desk.heard("sam"))
    return [heard.count(words) for words in KIMS]


def due(desk: Desk) -> frozenset[str]:
    with transaction(desk.office.engine) as session:
        return due_work.look(session).drains


def test_items_end_together_with_their_digest(desk: Desk) -> None:
    """So what their reader answers at once is about them, and not about what came before."""
    desk.says("bob", "d sam are you there")
    asleep(desk, *KIMS)
    desk.says("kim", "d sam can you open at six")
    desk.office.sql(AWAKE)
    desk.office.sql(DUE)
    desk.fold()
    deliver.drain_sms()
    assert [row[0] for row in desk.states()] == ["sent"] * 3
    desk.heard("sam")
    desk.office.says("sam", "r yes I can")
    desk.office.read()
    [(words,)] = desk.office.sql("SELECT text FROM messages WHERE kind = 'answer' ORDER BY id DESC LIMIT 1")
    assert str(words).startswith("Which one do you answer?")
    desk.clean()


def test_a_lost_workers_digest_is_followed_by_the_next_wake_up(desk: Desk) -> None:
    left(desk)
    desk.office.sql("UPDATE held SET state = 'folded', ended_at = NULL")
    desk.office.sql("UPDATE deliveries SET state = 'held', reason = NULL WHERE reason = 'digest'")
    assert "wake_ups" in due(desk)
    desk.fold()
    assert items(desk) == [("sent", "digest")] * 2
    assert "wake_ups" not in due(desk)
    desk.clean()


def test_one_that_reached_no_phone_is_sent_again_whole(desk: Desk) -> None:
    attempt = left(desk)
    reported(desk, AttemptReport(attempt, "SM1", "retry", "30003", retries=3))
    assert items(desk) == [("held", None)] * 2  # it has not arrived
    desk.office.sql(AGAIN)
    desk.send()
    assert came(desk) == [1, 1]
    assert items(desk) == [("sent", "digest")] * 2
    desk.clean()


def test_items_of_one_that_failed_for_good_come_one_by_one(desk: Desk) -> None:
    attempt = left(desk)
    reported(desk, AttemptReport(attempt, "SM1", "failed", "30007"))
    desk.send()
    assert came(desk) == [1, 1]
    assert items(desk) == [("sent", None)] * 2
    desk.clean()


def test_a_report_before_the_items_followed_is_the_same(desk: Desk) -> None:
    attempt = left(desk)
    desk.office.sql("UPDATE held SET state = 'folded', ended_at = NULL")
    desk.office.sql("UPDATE deliveries SET state = 'held', reason = NULL WHERE reason = 'digest'")
    reported(desk, AttemptReport(attempt, "SM1", "failed", "30007"))
    desk.send()
    assert came(desk) == [1, 1]
    desk.clean()


def test_one_that_arrived_stays_as_it_is(desk: Desk) -> None:
    attempt = left(desk)
    reported(desk, AttemptReport(attempt, "SM1", "delivered"))
    desk.send()
    assert came(desk) == [0, 0]
    assert items(desk) == [("sent", "digest")] * 2
    desk.clean()


def in_doubt_one(desk: Desk) -> int:
    attempt = left(desk)
    desk.office.sql(
        "UPDATE deliveries SET state = 'unknown', reason = 'timeout', ended_at = NULL, sent_at = NULL" + OF_DIGESTS
    )
    desk.office.sql(
        "UPDATE attempts SET state = 'unknown', carrier_id = NULL, body_hash = :hash" + OF_DIGESTS,
        hash=hashlib.sha256(b"a").digest(),
    )
    return attempt


def test_one_in_doubt_that_the_carrier_does_not_have_is_sent_again(desk: Desk) -> None:
    attempt = in_doubt_one(desk)
    with transaction(desk.office.engine) as session:
        in_doubt.record_absent(session, [attempt])
    desk.send()
    assert came(desk) == [1, 1]
    assert items(desk) == [("sent", "digest")] * 2
    desk.clean()


def test_one_that_an_operator_retries_has_its_items(desk: Desk) -> None:
    in_doubt_one(desk)
    desk.office.sql("UPDATE deliveries SET ended_at = now()" + OF_DIGESTS)
    digest = desk.office.sql("SELECT message_id FROM digests")[0][0]
    assert desk.office.critter("retry", str(digest)).exit_code == 0
    desk.send()
    assert came(desk) == [1, 1]
    desk.clean()


def test_a_mail_that_came_back_has_brought_nothing(desk: Desk) -> None:
    desk.office.sql("UPDATE addresses SET quiet = 'mo,tu,we,th,fr,sa,su 00:00-23:59', quiet_since = now()"
                    " WHERE address = 'priya@demo.example'")  # fmt: skip
    for words in KIMS:
        desk.says("kim", words)
    desk.office.sql(AWAKE)
    desk.office.sql(DUE)
    desk.send()
    attempt = int(str(desk.office.sql("SELECT id FROM attempts" + OF_DIGESTS)[0][0]))
    reported(desk, AttemptReport(attempt, None, "failed", "5.1.1"))
    assert items(desk) == [("failed", "5.1.1")] * 2
    before = len(desk.mailed("priya"))
    desk.send()
    assert len(desk.mailed("priya")) == before
    desk.clean()


def test_an_item_whose_earlier_try_arrived_after_all_is_not_in_the_digest(desk: Desk) -> None:
    """It was tried before quiet hours began, and the carrier says only now that it arrived."""
    asleep(desk, *KIMS, "lunch at one")
    desk.office.sql(AWAKE)
    desk.office.sql(DUE)
    desk.fold()
    first = "message_id = (SELECT min(message_id) FROM held)"
    desk.office.sql(
        "INSERT INTO attempts (message_id, address_id, number, state)"
        f" SELECT message_id, address_id, 1, 'delivered' FROM held WHERE {first}"
    )
    desk.office.sql(
        "UPDATE deliveries d SET state = 'delivered', sent_at = now(), segments = 1 FROM held h"
        f" WHERE h.{first} AND d.message_id = h.message_id AND d.address_id = h.address_id"
    )
    desk.send()
    assert came(desk) == [0, 1]
    assert [row[0] for row in desk.states()] == ["sent"] * 3


def test_an_item_settled_while_its_digest_left_is_marked(desk: Desk) -> None:
    left(desk)
    first = "message_id = (SELECT min(message_id) FROM held)"
    desk.office.sql("UPDATE held SET state = 'folded', ended_at = NULL")
    desk.office.sql("UPDATE deliveries SET state = 'held', reason = NULL WHERE reason = 'digest'")
    desk.office.sql(
        "UPDATE deliveries d SET state = 'delivered' FROM held h"
        f" WHERE h.{first} AND d.message_id = h.message_id AND d.address_id = h.address_id"
    )
    desk.fold()
    desk.send()
    marked = (
        "SELECT d.possible_duplicate FROM deliveries d JOIN held USING (message_id, address_id) ORDER BY message_id"
    )
    assert [row[0] for row in desk.office.sql(marked)] == [True, False]
    desk.clean()
