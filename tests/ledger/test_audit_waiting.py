"""`critter audit` about what waits for its reader and about quiet hours: for each rule one row is broken and named. The
rule about quiet hours is asked around each change of the wall clock, against what decides about deliveries."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine, text

from gateway.actions import seeing
from gateway.attention import quiet_hours
from gateway.ledger.audit.invariants import prove
from gateway.store.database import transaction
from tests.support.desk import Desk, asleep

KEY = "message_id || ':' || address_id"
HELD_ONE = f"SELECT {KEY} FROM held ORDER BY message_id LIMIT 1"
FIRST = "message_id = (SELECT min(message_id) FROM held)"
AWAKE = "UPDATE addresses SET quiet = NULL, quiet_since = NULL"
DUE = "UPDATE held SET until = now() WHERE state = 'waiting'"
NIGHT = "UPDATE addresses SET quiet = '{}', quiet_since = now() - interval '2 days' WHERE channel = 'sms'"
SAM = "SELECT id FROM accounts WHERE handle = 'sam'"
HALF_PAST = "UPDATE attempts SET started_at = date_trunc('hour', now()) - interval '30 minutes'"  # never 23:59
EVERY_DAY = "mo,tu,we,th,fr,sa,su"


def found(desk: Desk) -> set[tuple[str, str]]:
    with transaction(desk.office.engine) as session:
        return {(one.invariant, one.id) for one in prove(session).broken}


def folded(desk: Desk) -> None:
    asleep(desk, "first thing", "second thing")
    desk.office.sql(AWAKE)
    desk.office.sql(DUE)
    desk.fold()


# What is broken while two items wait.
WAITING = {
    "overdue": f"UPDATE held SET until = now() - interval '16 minutes' WHERE {FIRST}",
    "without what waits": f"UPDATE deliveries SET state = 'cancelled', reason = 'off' WHERE {FIRST}",
    "queued as well": f"UPDATE deliveries SET state = 'queued', ended_at = NULL WHERE {FIRST}",
    "ended and waiting": f"UPDATE held SET ended_at = now() WHERE {FIRST}",
    "sent and not ended": f"UPDATE held SET state = 'sent' WHERE {FIRST}",
}


@pytest.mark.parametrize("what", WAITING)
def test_what_is_broken_while_it_waits_is_named(desk: Desk, what: str) -> None:
    asleep(desk, "first thing", "second thing")
    assert found(desk) == set()
    key = str(desk.office.sql(HELD_ONE)[0][0])
    desk.office.sql(WAITING[what])
    assert ("I11", key) in found(desk)


def test_a_held_delivery_that_nothing_will_send_is_named(desk: Desk, owner: Engine) -> None:
    asleep(desk, "first thing", "second thing")
    key = str(desk.office.sql(HELD_ONE)[0][0])
    with owner.begin() as connection:
        connection.execute(text(f"DELETE FROM held WHERE {FIRST}"))
    assert found(desk) == {("I11", key)}


DIGESTS = {
    "of somebody else": "UPDATE digests SET account_id = (SELECT id FROM accounts WHERE handle = 'pat')",
    "that is none": f"UPDATE held SET digest_id = 1 WHERE {FIRST}",
    "that ended long ago": """UPDATE deliveries SET state = 'sent', ended_at = now() - interval '1 hour'
                              WHERE message_id IN (SELECT message_id FROM digests)""",
}


@pytest.mark.parametrize("what", DIGESTS)
def test_what_is_broken_in_a_digest_is_named(desk: Desk, what: str) -> None:
    folded(desk)
    assert found(desk) == set()
    key = str(desk.office.sql(HELD_ONE)[0][0])
    desk.office.sql(DIGESTS[what])
    assert ("I11", key) in found(desk)


def test_an_item_that_left_in_a_digest_and_by_itself_is_named(desk: Desk) -> None:
    asleep(desk, "first thing", "second thing")
    desk.says("sam", "quiet off")
    assert found(desk) == set()
    key = str(desk.office.sql(HELD_ONE)[0][0])
    desk.office.sql(f"UPDATE deliveries SET reason = NULL WHERE {FIRST} AND reason = 'digest'")
    assert found(desk) == {("I11", key)}
    desk.office.sql("UPDATE deliveries SET possible_duplicate = true")
    assert found(desk) == set()


SEEN = {
    "sent afterwards": """INSERT INTO attempts (id, message_id, address_id, number, started_at)
        SELECT new_id(), message_id, address_id, 1, seen_at + interval '2 seconds' FROM held""",
    "queued again": "UPDATE deliveries SET state = 'queued', ended_at = NULL WHERE reason = 'seen'",
    "nobody knows when": "UPDATE held SET seen_at = NULL",
}


@pytest.mark.parametrize("what", SEEN)
def test_what_was_seen_and_is_sent_all_the_same_is_named(desk: Desk, what: str) -> None:
    asleep(desk, "first thing")
    with transaction(desk.office.engine) as session:
        seeing.mark_seen(session, desk.office.sql(SAM)[0][0], [desk.office.sql("SELECT id FROM posts")[0][0]])
    assert found(desk) == set()
    key = str(desk.office.sql(HELD_ONE)[0][0])
    desk.office.sql(SEEN[what])
    assert ("I11", key) in found(desk)


def test_a_late_report_of_an_earlier_try_breaks_nothing(desk: Desk) -> None:
    desk.says("kim", "starting the ACME proposal")
    key = desk.office.sql("SELECT message_id, address_id FROM deliveries WHERE channel = 'sms' AND source_id > 0")[0]
    desk.office.sql(
        "INSERT INTO held (message_id, account_id, address_id, cause, reason, until)"
        " SELECT :message, account_id, id, 6, 'quiet', now() + interval '1 hour' FROM addresses WHERE id = :address",
        message=key[0],
        address=key[1],
    )
    assert found(desk) == set()


def test_entries_of_digests_count_for_who_may_get_what(desk: Desk) -> None:
    """A block that stands since before the digest left, as if the digest had not been decided about again."""
    asleep(desk, "first thing", "second thing")
    desk.says("sam", "quiet off")
    desk.office.sql(
        "INSERT INTO silences (account_id, other_id, kind, created_at)"
        " SELECT s.id, k.id, 'block', now() - interval '1 hour' FROM accounts s, accounts k"
        " WHERE s.handle = 'sam' AND k.handle = 'kim'"
    )
    digested = desk.office.sql(f"SELECT {KEY} FROM deliveries WHERE reason = 'digest'")
    assert {("I5", str(row[0])) for row in digested} <= found(desk)


def test_a_try_in_quiet_hours_is_named(desk: Desk) -> None:
    desk.says("kim", "starting the ACME proposal")
    [(attempt,)] = desk.office.sql(
        "SELECT a.id FROM attempts a JOIN messages m ON m.id = a.message_id AND m.kind = 'update'"
        " JOIN addresses t ON t.id = a.address_id AND t.channel = 'sms'"
    )
    desk.office.sql(NIGHT.format(f"{EVERY_DAY} 00:00-23:59"))
    desk.office.sql(HALF_PAST)
    assert found(desk) == {("I12", str(attempt))}
    desk.office.sql("UPDATE addresses SET quiet_since = now() WHERE channel = 'sms'")
    assert found(desk) == set()


AWAY = """
    INSERT INTO attention (account_id, zone, zone_until) SELECT account_id, 'Etc/GMT-6', {} FROM addresses
    WHERE channel = 'sms' ON CONFLICT (account_id) DO UPDATE SET zone = excluded.zone, zone_until = excluded.zone_until
"""
TRY = "(SELECT max(started_at) FROM attempts)"


def test_quiet_hours_are_asked_by_the_clock_that_their_reader_had(desk: Desk) -> None:
    """Quiet for an hour by the clock at home, and noisy six hours ahead."""
    desk.says("kim", "starting the ACME proposal")
    desk.office.sql(HALF_PAST)
    hour = (datetime.now(UTC) - timedelta(hours=1)).hour
    desk.office.sql(NIGHT.format(f"{EVERY_DAY} {hour:02}:00-{(hour + 1) % 24:02}:00"))
    assert {one[0] for one in found(desk)} == {"I12"}
    desk.office.sql(AWAY.format("NULL"))
    assert found(desk) == set()
    desk.office.sql(AWAY.format(f"{TRY} + interval '1 second'"))  # they were still away
    assert found(desk) == set()
    desk.office.sql(AWAY.format(f"{TRY} - interval '1 second'"))  # it was decided about before they were home
    assert found(desk) == set()
    desk.office.sql(AWAY.format(f"{TRY} - interval '1 hour'"))
    assert {one[0] for one in found(desk)} == {"I12"}
    desk.office.sql("UPDATE accounts SET zone_since = now()")  # how it was before is not known
    assert found(desk) == set()
    desk.office.sql("UPDATE accounts SET zone_since = now() - interval '2 days'")
    assert {one[0] for one in found(desk)} == {"I12"}


def test_whoever_changes_their_zone_breaks_nothing(desk: Desk) -> None:
    desk.says("kim", "starting the ACME proposal")
    desk.office.sql(HALF_PAST)
    desk.office.sql(NIGHT.format(f"{EVERY_DAY} 00:00-23:59"))
    desk.office.sql("UPDATE addresses SET quiet_since = now() WHERE channel = 'sms' AND account_id <> (" + SAM + ")")
    assert {one[0] for one in found(desk)} == {"I12"}
    desk.says("sam", "zone tokyo")
    assert found(desk) == set()


def test_answers_and_what_answers_somebody_may_begin_in_quiet_hours(desk: Desk) -> None:
    desk.says("sam", "@kim are you in?")
    desk.says("kim", "r yes I am")
    assert any("yes I am" in words for words in desk.heard("sam"))
    desk.office.sql(NIGHT.format(f"{EVERY_DAY} 00:00-23:59") + " AND account_id IN (" + SAM + ")")
    assert found(desk) == set()
    desk.office.sql("UPDATE inbound SET sender = 'hash:0'")
    desk.office.sql("UPDATE addresses SET seen_at = now() - interval '9 hours'")
    desk.office.sql(HALF_PAST)
    assert {one[0] for one in found(desk)} == {"I12"}


# Each change of the wall clock in zones that do it in different ways, and an ordinary night.
ZONES = {
    "America/New_York": ("2026-03-08 06:00", "2026-11-01 04:00"),
    "Australia/Lord_Howe": ("2026-04-04 13:00", "2026-10-03 14:00"),
    "Pacific/Chatham": ("2026-04-04 12:00", "2026-09-26 12:00"),
    "America/Santiago": ("2026-04-05 01:00", "2026-09-06 02:00"),
    "Europe/Berlin": ("2026-03-28 23:00", "2026-10-24 23:00"),
    "Asia/Kolkata": ("2026-06-01 15:00", "2026-06-02 15:00"),
}
SPANS = (
    f"{EVERY_DAY} 22:00-07:00",
    f"{EVERY_DAY} 01:30-02:30",
    f"{EVERY_DAY} 00:00-00:30",
    "sa 23:30-02:15; su 01:00-01:45",
    "mo,tu,we,th,fr 09:00-17:00",
)


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("spans", SPANS)
def test_whoever_is_named_was_to_be_left_in_peace(desk: Desk, zone: str, spans: str) -> None:
    """The rule never names a try that the decision allows; and it names all that the decision holds, but for an hour
    that the clocks show twice, which is quiet at once when its end is in it."""
    from gateway.ledger.audit import waiting_rules

    asked = f"""
        {waiting_rules.ZONES}
        SELECT moment, {waiting_rules._inside("moment")} FROM
            generate_series(CAST(:begin AS timestamptz), CAST(:begin AS timestamptz) + interval '12 hours',
                            interval '5 minutes') AS moment
        CROSS JOIN (SELECT CAST(:spans AS text) AS quiet) AS a LEFT JOIN zones ON zones.name = :zone
    """
    for begin in ZONES[zone]:
        rows = desk.office.sql(asked, begin=f"{begin}+00", spans=spans, zone=zone)
        decided = {row[0]: quiet_hours.quiet_until(spans, ZoneInfo(zone), _moment(row[0])) is not None for row in rows}
        assert [row[0] for row in rows if row[1] and not decided[row[0]]] == []
        missed = [row[0] for row in rows if decided[row[0]] and not row[1]]
        assert len(missed) <= timedelta(hours=1) / timedelta(minutes=5)


def _moment(value: object) -> datetime:
    assert isinstance(value, datetime)
    return value.astimezone(UTC)
