"""`critter reports`, and `critter people suspend` and `restore`: what an operator does about somebody."""

import json

from gateway.ledger.outbox import fanouts
from gateway.network.audience import recipients
from gateway.network.people import accounts
from gateway.store.database import transaction
from tests.support.office import Office


def audited(office: Office) -> list[str]:
    return [row[0] for row in office.sql("SELECT action FROM audit ORDER BY id")]


def test_words_are_shown_one_report_at_a_time(office: Office) -> None:
    assert office.critter("reports", "list").output == "No report is open.\n"
    office.says("kim", "a rude word")
    office.work()
    office.says("sam", "report")
    office.says("sam", "report sales")
    office.work()
    first, second = json.loads(office.critter("reports", "list", "--json").output)
    assert (first["reporter"], first["reported"], first["private"]) == ("sam", "kim", False)
    assert (second["reported"], second["kind"], second["post_id"]) == ("sales", "group", None)
    listed = office.critter("reports", "list").output
    assert "@kim" in listed
    assert "#sales" in listed
    assert "rude" not in listed
    shown = office.critter("reports", "show", first["id"]).output
    assert shown.endswith("@sam reported @kim: an update, open\na rude word\n")
    assert json.loads(office.critter("reports", "show", second["id"], "--json").output)["text"] is None
    assert office.critter("reports", "close", first["id"]).output == "Closed.\n"
    assert office.critter("reports", "close", first["id"]).output == "It was closed already.\n"
    assert len(json.loads(office.critter("reports", "list", "--json").output)) == 1
    assert len(json.loads(office.critter("reports", "list", "--all", "--json").output)) == 2
    assert audited(office) == ["reports.show", "reports.show", "reports.close"]
    refused = office.critter("reports", "show", "7")
    assert (refused.exit_code, refused.output) == (2, "There is no report 7: critter reports list shows them.\n")


def test_a_closed_report_may_be_made_again(office: Office) -> None:
    office.says("sam", "report kim")
    office.work()
    office.sql("UPDATE reports SET closed_at = now()")
    office.says("sam", "report kim")
    office.says("sam", "report kim")
    office.work()
    assert office.sql("SELECT count(*) FROM reports WHERE closed_at IS NULL")[0][0] == 1


def test_somebody_is_suspended_and_restored(office: Office) -> None:
    told = office.critter("people", "suspend", "kim", "--reason", "a lost phone").output
    assert told.startswith("Suspended @kim. critter people restore kim brings them back. What is on its way")
    assert office.critter("people", "suspend", "kim").output == "@kim is suspended.\n"
    listed = office.critter("people", "list").output
    assert "suspended" in listed
    assert listed.endswith("7 active\n")
    assert office.critter("people", "restore", "sam").output == "@sam is not suspended but active.\n"
    assert office.critter("people", "restore", "nobody").exit_code == 2
    assert office.critter("people", "restore", "@kim").output == "@kim is back.\n"
    assert audited(office) == ["people.suspend", "people.restore"]
    assert office.sql("SELECT detail ->> 'reason' FROM audit ORDER BY id")[0][0] == "a lost phone"


def test_what_has_not_left_stays(office: Office) -> None:
    """A fan-out in its hold, deliveries of theirs and to them."""
    office.says("kim", "hello")
    office.read()
    office.spread()
    office.says("kim", "d bob see you at nine")
    office.read()
    office.critter("people", "suspend", "kim")
    office.work()
    states = office.sql("SELECT DISTINCT d.state, d.reason FROM deliveries d JOIN messages m ON m.id = d.message_id")
    assert [tuple(row) for row in states] == [("cancelled", "suspended")]
    assert office.sql("SELECT count(*) FROM fanouts WHERE state = 'cancelled'")[0][0] == 1


def test_a_fan_out_that_runs_stops_where_it_is(office: Office) -> None:
    office.says("kim", "hello")
    office.read()
    with transaction(office.engine) as session:
        fanout = fanouts.claim(session)
        assert fanout is not None
        chunk = recipients.expand(session, fanout, fanouts.priority(session, fanout), 1)
        fanouts.advance(session, fanout, chunk, done=chunk.upto == recipients.END)
        assert chunk.texts + chunk.mails == 1
    with transaction(office.engine) as session:
        kim = accounts.by_handle(session, "kim")
        assert kim
        assert accounts.suspend(session, kim.id)
        assert not accounts.suspend(session, kim.id)
    office.work()
    rows = office.sql("SELECT state, reason FROM deliveries")
    assert [tuple(row) for row in rows] == [("cancelled", "suspended")]
    assert office.sql("SELECT state FROM fanouts")[0][0] == "cancelled"


def test_what_was_put_meanwhile_is_refused_when_it_is_to_leave(office: Office) -> None:
    office.says("kim", "hello")
    office.read()
    office.spread()
    office.sql("UPDATE accounts SET state = 'suspended' WHERE handle = 'kim'")
    office.work()
    assert {tuple(row) for row in office.sql("SELECT state, reason FROM deliveries")} == {("cancelled", "suspended")}
