"""How long what waits is kept, and that an export has it and an erasure leaves nothing of it."""

import json
import zipfile
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from gateway.ledger.operations import retention
from gateway.ledger.operations.retention import PastMonth
from gateway.store.database import transaction
from tests.ledger.test_retention import pass_over
from tests.support.desk import Desk, asleep
from tests.support.office import Office

AWAKE = "UPDATE addresses SET quiet = NULL, quiet_since = NULL"
DUE = "UPDATE held SET until = now() WHERE state = 'waiting'"
SAMS = "SELECT count(*) FROM {} WHERE account_id = (SELECT id FROM accounts WHERE name = '(removed)')"


def months(office: Office) -> list[PastMonth]:
    """As they will be seen when they are past: those that have rows."""
    with transaction(office.engine) as session:
        return [one for one in retention.months(session, timedelta(days=-120)) if filled(office, one.table)]


def filled(office: Office, table: str) -> bool:
    return office.sql(f"SELECT EXISTS (SELECT FROM {table})") == [(True,)]


def dropped(office: Office, month: PastMonth) -> bool:
    with transaction(office.engine) as session:
        return retention.drop(session, month)


def test_a_month_in_which_something_waits_is_open(desk: Desk) -> None:
    asleep(desk, "starting the ACME proposal")
    desk.office.sql("UPDATE held SET until = now() + interval '200 days'")
    [month] = months(desk.office)
    assert month.open
    assert not dropped(desk.office, month)
    pass_over(desk.office, 130)
    assert desk.office.sql("SELECT count(*) FROM deliveries WHERE state = 'held'") == [(1,)]
    assert desk.office.sql("SELECT count(*) FROM messages WHERE kind = 'update'") == [(1,)]
    desk.says("sam", "quiet off")
    assert desk.heard("sam")[-1].startswith("Kim Lee: starting the ACME proposal")
    [month] = months(desk.office)
    assert not month.open
    assert dropped(desk.office, month)


def test_tries_of_what_waits_are_kept(desk: Desk) -> None:
    """It was tried before quiet hours began; that try is looked for when the carrier reports late."""
    desk.says("kim", "starting the ACME proposal")
    desk.office.sql("UPDATE deliveries SET state = 'held' WHERE channel = 'sms' AND source_id IS NOT NULL")
    before = desk.office.sql("SELECT count(*) FROM attempts")
    pass_over(desk.office, 130)
    assert desk.office.sql("SELECT count(*) FROM attempts") == [(1,)] != before


def test_a_month_with_a_digest_whose_items_have_not_followed_it_is_open(desk: Desk) -> None:
    asleep(desk, "first thing", "second thing")
    desk.says("sam", "quiet off")
    desk.office.sql("UPDATE held SET state = 'folded'")
    desk.office.sql("UPDATE held SET message_id = message_id - ((200::bigint * 86400000) << 16)")  # of another month
    [month] = months(desk.office)
    assert month.open
    assert not dropped(desk.office, month)


def test_what_has_ended_goes_with_its_message(desk: Desk) -> None:
    asleep(desk, "first thing", "second thing")
    desk.says("sam", "quiet off")
    assert desk.office.sql("SELECT count(*) FROM digests") == [(1,)]
    pass_over(desk.office, 130)
    for table in ("held", "digests", "messages", "deliveries"):
        assert desk.office.sql(f"SELECT count(*) FROM {table}") == [(0,)]
    desk.clean()


def test_what_was_in_a_digest_that_is_deleted_waits_again(desk: Desk, owner: Engine) -> None:
    asleep(desk, "first thing", "second thing")
    desk.office.sql(AWAKE)
    desk.office.sql(DUE)
    desk.fold()
    with owner.begin() as connection:
        connection.execute(text("DELETE FROM messages WHERE kind = 'digest'"))
    assert [row[0] for row in desk.states()] == ["waiting"] * 2
    desk.send()
    assert "2 updates came:" in desk.heard("sam")[0]
    desk.clean()


def test_an_export_names_what_waits_and_the_quiet_hours(desk: Desk, tmp_path: Path) -> None:
    asleep(desk, "first thing", "second thing")
    desk.office.sql(DUE)
    desk.office.sql(AWAKE)
    desk.send()
    desk.says("sam", "quiet mon-fri 0-23:59, sat-sun 0-23:59")
    desk.says("kim", "starting the ACME proposal")
    out = tmp_path / "sam.zip"
    assert desk.office.critter("export", "sam", "--out", str(out)).exit_code == 0
    with zipfile.ZipFile(out) as packed:
        data = json.loads(packed.read("data.json"))
    assert [one["state"] for one in data["waiting"]] == ["sent", "sent", "waiting"]
    assert {one["author"] for one in data["waiting"]} == {"kim"}
    assert data["waiting"][-1]["reason"] == "quiet"
    assert len(data["digests"][0]["posts"]) == 2
    [phone] = [one for one in data["addresses"] if one["channel"] == "sms"]
    assert phone["quiet"].startswith("mo,tu,we,th,fr,sa,su 00:00-23:59")


@pytest.mark.parametrize("moment", ["waiting", "folded", "sending", "sent"])
def test_an_erasure_leaves_nothing_of_the_reader(desk: Desk, moment: str) -> None:
    asleep(desk, "first thing", "second thing")
    if moment != "waiting":
        desk.office.sql(DUE)
        desk.office.sql(AWAKE)
        desk.fold()
    if moment == "sending":
        sending = "UPDATE deliveries SET state = 'sending', lease_until = now() + interval '1 hour'"
        desk.office.sql(sending + " WHERE message_id IN (SELECT message_id FROM digests)")
    if moment == "sent":
        desk.send()
    desk.office.sql("UPDATE addresses SET quiet = 'mo 00:00-01:00', quiet_since = now() WHERE channel = 'sms'")
    assert desk.office.critter("erase", "sam", "--yes").exit_code == 0
    assert desk.office.sql(SAMS.format("held")) == [(0,)]
    assert desk.office.sql(SAMS.format("digests")) == [(0,)]
    assert desk.office.sql(SAMS.format("addresses") + " AND (quiet IS NOT NULL OR quiet_since IS NOT NULL)") == [(0,)]
    assert desk.office.sql("SELECT count(*) FROM deliveries WHERE state = 'held'") == [(0,)]
    desk.heard("sam")
    desk.send()
    assert desk.heard("sam") == []
    desk.clean()


@pytest.mark.parametrize("folded", [False, True])
def test_an_erased_authors_words_do_not_come_out_of_the_wait(desk: Desk, folded: bool) -> None:
    asleep(desk, "first thing", "second thing")
    desk.says("bob", "d sam can you open at six")
    desk.office.sql(DUE)
    desk.office.sql(AWAKE)
    if folded:
        desk.fold()
    assert desk.office.critter("erase", "kim", "--yes").exit_code == 0
    desk.send()
    heard = "\n".join(desk.heard("sam"))
    assert "can you open at six" in heard
    assert "thing" not in heard
    assert "(removed)" not in heard
    assert heard.count("Bob Reyes") == 1
    desk.clean()
