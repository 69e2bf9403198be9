"""The zone of somebody's clock: all that names or asks a time goes by it, and what waits is decided about again."""

import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import event, select

from gateway.actions.preferences import zone as travel
from gateway.attention import zones
from gateway.errors import Refused
from gateway.ledger.audit.invariants import prove
from gateway.network.mail import daily_mail
from gateway.network.people import accounts, export
from gateway.network.people.zone_settings import zone_now
from gateway.security.signed_tokens import Signer
from gateway.store.database import transaction
from gateway.store.tables import Account
from tests.support import personas
from tests.support.desk import Desk

SAM = "(SELECT id FROM accounts WHERE handle = 'sam')"


def wall(zone: str) -> datetime:
    return datetime.now(ZoneInfo(zone)).replace(tzinfo=None)


def zone_where_it_is(hour: int) -> str:
    """A zone of a fixed offset in which it is that hour now."""
    ahead = (hour - datetime.now(UTC).hour + 11) % 24 - 11
    return f"utc{ahead:+d}"


def waits(desk: Desk) -> list[tuple[object, ...]]:
    return [tuple(row) for row in desk.office.sql("SELECT reason, until, slot FROM held WHERE state = 'waiting'")]


def test_quiet_hours_follow_the_clock_and_what_waits_comes(desk: Desk) -> None:
    desk.says("sam", f"zone {zone_where_it_is(3)}")
    desk.says("sam", "quiet 22-7")
    desk.heard("sam")
    desk.says("kim", "first thing")
    desk.says("kim", "second thing")
    assert desk.heard("sam") == []
    assert [row[0] for row in waits(desk)] == ["quiet"] * 2
    desk.says("sam", f"zone {zone_where_it_is(12)}")
    answer, digest = desk.heard("sam")
    assert answer.startswith("Your clock is on UTC")
    assert digest.startswith("While you were quiet, 2 updates came:")
    desk.says("kim", "third thing")
    assert desk.heard("sam")[0].startswith("Kim Lee: third thing")
    desk.says("sam", "undo")
    desk.heard("sam")
    desk.says("kim", "fourth thing")
    assert desk.heard("sam") == []
    desk.clean()


def test_what_waits_is_decided_about_again_when_the_journey_ends_by_itself(desk: Desk) -> None:
    """At night there, and at noon at home: nothing waits longer than the journey."""
    desk.says("sam", f"zone {zone_where_it_is(3)} 1h")
    desk.says("sam", "quiet 22-7")
    desk.heard("sam")
    desk.office.sql(f"UPDATE accounts SET timezone = '{_named(zone_where_it_is(12))}' WHERE id = {SAM}")
    desk.says("kim", "first thing")
    assert desk.heard("sam") == []
    [(reason, until, _)] = waits(desk)
    [(end,)] = desk.office.sql("SELECT zone_until FROM attention")
    assert (reason, until) == ("quiet", end)
    desk.office.sql("UPDATE attention SET zone_until = now()")
    desk.office.sql("UPDATE held SET until = now()")
    desk.send()
    assert desk.heard("sam") == ["Kim Lee: first thing"]
    desk.says("sam", "zone")
    assert "till" not in desk.heard("sam")[0].partition("While you travel")[0]


def _named(written: str) -> str:
    return f"Etc/GMT{-int(written.removeprefix('utc')):+d}"


def test_a_digest_is_due_by_the_clock_of_there(desk: Desk) -> None:
    desk.says("sam", "digest kim")
    desk.says("kim", "first thing")
    [(_, until, slot)] = waits(desk)
    assert isinstance(slot, datetime)
    assert until == slot.replace(hour=8, tzinfo=UTC)
    desk.says("sam", "zone tokyo")
    [(_, until, slot)] = waits(desk)
    assert isinstance(slot, datetime)
    assert until == slot.replace(hour=8, tzinfo=ZoneInfo("Asia/Tokyo"))
    assert until > datetime.now(UTC)
    desk.says("sam", "undo")
    [(_, until, slot)] = waits(desk)
    assert isinstance(slot, datetime)
    assert until == slot.replace(hour=8, tzinfo=UTC)


@pytest.mark.parametrize(("first", "then"), [("utc+14", "utc-12"), ("utc-11", "utc+14"), ("tokyo", "honolulu")])
def test_over_the_date_line_nothing_is_lost_and_no_date_has_two(desk: Desk, first: str, then: str) -> None:
    desk.says("sam", f"zone {first}")
    desk.says("sam", "digest kim")
    desk.says("kim", "first thing")
    desk.heard("sam")
    desk.office.sql("UPDATE held SET until = now()")
    desk.send()
    assert "first thing" in desk.heard("sam")[0]
    desk.says("sam", f"zone {then}")
    desk.says("kim", "second thing")
    desk.says("sam", f"zone {first}")
    desk.says("kim", "third thing")
    desk.heard("sam")
    assert len(waits(desk)) == 2
    desk.office.sql("UPDATE held SET until = now()")
    desk.send()
    [digest] = desk.heard("sam")
    assert "second thing" in digest
    assert "third thing" in digest
    slots = desk.office.sql("SELECT kind, slot FROM digests ORDER BY message_id")
    assert [kind for kind, _ in slots] == ["day", "day"]
    assert slots[0][1] < slots[1][1]  # type: ignore[operator]
    desk.clean()


def test_ends_are_by_the_clock_of_there(desk: Desk) -> None:
    desk.says("sam", "zone tokyo")
    desk.says("sam", "off till tomorrow")
    [(until,)] = desk.office.sql(f"SELECT off_until FROM addresses WHERE account_id = {SAM}")
    assert isinstance(until, datetime)
    there = until.astimezone(ZoneInfo("Asia/Tokyo"))
    assert (there.hour, there.minute) == (0, 0)
    assert desk.heard("sam")[-1].startswith(f"Texts are off till {there:%a} 00:00.")


def test_the_end_of_a_journey_is_by_the_clock_of_there(desk: Desk) -> None:
    desk.says("sam", "zone tokyo till tomorrow")
    [(until,)] = desk.office.sql("SELECT zone_until FROM attention")
    assert isinstance(until, datetime)
    assert until.astimezone(ZoneInfo("Asia/Tokyo")).replace(tzinfo=None) == datetime.combine(
        wall("Asia/Tokyo").date() + timedelta(days=1), datetime.min.time()
    )


def test_the_daily_mail_comes_in_the_morning_there(desk: Desk) -> None:
    desk.office.sql("UPDATE accounts SET created_at = created_at - interval '2 days'")
    desk.says("kim", "first thing")
    desk.office.sql(f"UPDATE accounts SET timezone = '{_named(zone_where_it_is(3))}'")
    assert _daily_mails(desk) == (0, 0)
    with transaction(desk.office.engine) as session:
        travel.set_zone(session, desk.office.actor(session, "pat"), _named(zone_where_it_is(9)))
    desk.office.sql("DELETE FROM follows WHERE follower_id = (SELECT id FROM accounts WHERE handle = 'pat')")
    assert _daily_mails(desk) == (1, 1)
    [(day,)] = desk.office.sql("SELECT daily_on FROM accounts WHERE handle = 'pat'")
    assert day == wall(_named(zone_where_it_is(9))).date()
    with transaction(desk.office.engine) as session:  # a date lived twice has one
        travel.set_zone(session, desk.office.actor(session, "pat"), _named(zone_where_it_is(10)))
    assert _daily_mails(desk) == (0, 0)


def _daily_mails(desk: Desk) -> tuple[int, int]:
    with transaction(desk.office.engine) as session:
        return daily_mail.write(session, Signer(("a key",)), personas.DOMAIN, "Demo Co", 8, 100)


@pytest.fixture
def nowhere(desk: Desk, caplog: pytest.LogCaptureFixture) -> Iterator[Desk]:
    """Sam and Kim live in zones, and are in one, that this machine does not know any more."""
    desk.says("sam", "quiet 3:03-3:04")
    desk.says("sam", "digest kim")
    desk.says("sam", "zone tokyo")
    desk.heard("sam")
    desk.office.sql("UPDATE accounts SET timezone = 'Mars/Home' WHERE handle IN ('sam', 'kim')")
    desk.office.sql("UPDATE attention SET zone = 'Mars/Base'")
    zones.zone.cache_clear()
    with caplog.at_level(logging.WARNING, "gateway.attention.zones"):
        yield desk
    zones.zone.cache_clear()


def test_a_zone_that_is_known_no_more_is_utc_and_said_once(nowhere: Desk, caplog: pytest.LogCaptureFixture) -> None:
    desk = nowhere
    for words in ("first thing", "second thing", "d sam hello", "who got"):
        desk.says("kim", words)
    assert desk.heard("kim")
    desk.office.sql("UPDATE held SET until = now()")
    desk.send()
    desk.says("sam", "why")
    desk.says("sam", "STOP")
    desk.says("kim", "d sam are you there?")
    assert "opted out" in desk.heard("kim")[-1]
    desk.says("kim", "third thing")
    desk.says("kim", "who got")
    assert desk.heard("kim")
    with transaction(desk.office.engine) as session:
        prove(session)
        account = accounts.by_handle(session, "kim")
        assert account
        assert zone_now(session, account.id).name == "Mars/Home"
    _daily_mails(desk)
    said = [record.getMessage() for record in caplog.records if "no time zone" in record.getMessage()]
    assert sorted(each.split("'")[1] for each in said) == ["Mars/Base", "Mars/Home"]


def test_who_is_in_an_unknown_zone_can_say_another(nowhere: Desk) -> None:
    nowhere.heard("sam")
    nowhere.says("sam", "zone")
    assert nowhere.heard("sam")[0].startswith("Your clock is on Base time:")
    nowhere.says("sam", "zone home")
    nowhere.says("sam", "zone tokyo")
    assert nowhere.heard("sam")[-1].startswith("Your clock is on Tokyo time:")


def test_pages_are_refused_what_is_no_zone(desk: Desk) -> None:
    with transaction(desk.office.engine) as session:
        sam = desk.office.actor(session, "sam")
        for name in ("Mars/Base", "Factory", "", "../etc/passwd"):
            with pytest.raises(Refused) as refused:
                travel.set_zone(session, sam, name)
            assert refused.value.reason == "no_zone"
        with pytest.raises(Refused) as refused:
            travel.set_zone(session, sam, "Asia/Tokyo", datetime.now(UTC) - timedelta(minutes=1))
        assert refused.value.reason == "zone_over"
        assert zone_now(session, sam.account.id).name == "UTC"


def test_said_twice_is_done_once_and_their_own_zone_is_home(desk: Desk) -> None:
    for words in ("zone tokyo", "zone tokyo", "zone utc", "zone home"):
        desk.says("sam", words)
    kinds = desk.office.sql("SELECT kind, detail FROM effects WHERE kind = 'zone' ORDER BY inbound_id")
    assert [row[1] for row in kinds] == [{"zone": None, "until": None}, {"zone": "Asia/Tokyo", "until": None}]
    assert desk.office.sql("SELECT zone, zone_until FROM attention") == [(None, None)]


def test_their_own_zone_under_its_older_name_is_home(desk: Desk) -> None:
    desk.office.sql(f"UPDATE accounts SET timezone = 'Asia/Calcutta' WHERE id = {SAM}")
    desk.says("sam", "zone kolkata")
    assert desk.heard("sam")[0].startswith("Your clock is on Calcutta time:")
    assert desk.office.sql("SELECT zone FROM attention") == []


def test_a_person_is_given_it_and_it_is_erased_with_them(desk: Desk) -> None:
    desk.says("sam", "zone tokyo till sunday")
    with transaction(desk.office.engine) as session:
        sam = accounts.by_handle(session, "sam")
        assert sam
    with transaction(desk.office.engine) as session:
        given = export.everything(session, sam)
    assert given["attention"][0]["zone"] == "Asia/Tokyo"
    assert given["attention"][0]["zone_until"]
    assert given["account"][0]["zone_since"]
    desk.office.critter("erase", "sam", "--yes")
    assert desk.office.sql("SELECT FROM attention") == []
    assert desk.office.sql("SELECT FROM accounts WHERE zone_since IS NOT NULL") == []


def test_an_import_that_moves_somebody_is_noted(desk: Desk, tmp_path: Path) -> None:
    file = f"{tmp_path}/people.csv"
    with open(file, "w") as people:
        people.write(
            "handle,name,phone,timezone\nsam,Sam Ortiz,+14155550102,Asia/Tokyo\nbob,Bob Reyes,+14155550104,UTC\n"
        )
    ran = desk.office.critter("people", "import", file, "--yes")
    assert ran.exit_code == 0, ran.output
    assert desk.office.sql("SELECT handle FROM accounts WHERE zone_since IS NOT NULL") == [("sam",)]


def test_the_zone_costs_nothing_where_nobody_asks_for_it(desk: Desk) -> None:
    said: list[str] = []
    with transaction(desk.office.engine) as session:
        event.listen(desk.office.engine, "before_cursor_execute", lambda *given: said.append(given[2]))
        kim = session.scalars(select(Account).where(Account.handle == "kim")).one()
        assert [one for one in said if "zones_now" in one] == []
        assert kim.zone_now == "UTC"
        assert [one for one in said if "zones_now" in one] != []


def test_an_operator_sees_where_somebody_lives_and_is(desk: Desk) -> None:
    assert ", en, UTC\n" in desk.office.critter("people", "show", "sam").output
    desk.says("sam", "zone tokyo")
    assert ", en, UTC, now Asia/Tokyo\n" in desk.office.critter("people", "show", "sam").output
