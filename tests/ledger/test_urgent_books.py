"""What the books know of urgent calls: audit, restore, erasure, export, retention, `critter trace`, metrics."""

import json
from datetime import timedelta

import pytest

from gateway.ledger.audit.invariants import prove
from gateway.ledger.operations import metrics_snapshot, restore_hold, retention
from gateway.ledger.operations.retention import RetentionAges
from gateway.network.people import accounts, erase, export
from gateway.store.database import transaction
from tests.support.desk import Desk
from tests.support.urgent_call import CALL, begun, ending, forget, later, send, staff, states

ANNE = "account_id = (SELECT id FROM accounts WHERE handle = 'anne')"


def broken(desk: Desk) -> set[str]:
    with transaction(desk.office.engine) as session:
        return {one.invariant for one in prove(session).broken}


BREAKS = {
    "an overdue call": "UPDATE calls SET next_at = now() - interval '16 minutes'",
    "an open call without a clock": "UPDATE calls SET next_at = NULL",
    "a call that has ended and is due": "UPDATE calls SET ended_at = now(), ending = 'time'",
    "an overdue step": f"UPDATE call_people SET next_at = now() - interval '16 minutes' WHERE {ANNE}",
    "a person nobody waits for": f"UPDATE call_people SET next_at = NULL WHERE {ANNE}",
    "a step after the answer": f"UPDATE call_people SET answered_at = now() WHERE {ANNE}",
    "a person nobody told": f"DELETE FROM deliveries WHERE address_id IN (SELECT id FROM addresses WHERE {ANNE})",
}


@pytest.mark.parametrize("what", BREAKS)
def test_each_broken_row_is_named(desk: Desk, what: str) -> None:
    begun(desk)
    assert broken(desk) == set()
    desk.office.sql(BREAKS[what])
    assert "I13" in broken(desk)


def test_a_second_copy_at_the_same_address_is_named(desk: Desk) -> None:
    begun(desk)
    later(desk, 5)
    assert broken(desk) == set()
    desk.office.sql(
        "INSERT INTO deliveries (message_id, address_id, author_id, source_id, channel, priority, state, give_up_at,"
        " ended_at) SELECT m.id, d.address_id, d.author_id, d.source_id, 'email', 0, 'sent', now(), now()"
        " FROM messages m, deliveries d JOIN messages c ON c.id = d.message_id"
        " WHERE m.instead_of IS NULL AND m.post_id = c.post_id AND c.instead_of IS NOT NULL AND d.channel = 'email'"
    )
    assert "I13" in broken(desk)


def test_after_a_restore_no_step_is_taken_until_an_operator_releases(desk: Desk) -> None:
    begun(desk)
    with transaction(desk.office.engine) as session:
        restore_hold.hold(session)
    later(desk, 60)
    assert states(desk)["anne"] == (0, False, True, None)
    assert not desk.mailed("anne")
    assert "1 call waiting for answers" in desk.office.critter("restore").output
    desk.says("bob", "ok")
    assert states(desk)["bob"][1] is True
    desk.clean()
    assert desk.office.critter("restore", "--release", "--yes").exit_code == 0
    desk.office.sql("UPDATE calls SET ends_at = now() + interval '5 minutes'")
    desk.work()
    assert len(desk.mailed("anne")) == 1
    later(desk, 10)
    assert ending(desk) == "time"
    desk.clean()


def test_after_a_restore_an_operator_may_drop_them(desk: Desk) -> None:
    begun(desk)
    with transaction(desk.office.engine) as session:
        restore_hold.hold(session)
    assert desk.office.critter("restore", "--drop", "--yes").exit_code == 0
    later(desk, 60)
    assert ending(desk) == "undone"
    assert not desk.mailed("anne")
    desk.clean()


def test_a_call_that_had_not_left_waits_for_the_operator_too(desk: Desk) -> None:
    staff(desk)
    send(desk, work=False)
    with transaction(desk.office.engine) as session:
        restore_hold.hold(session)
    desk.work()
    assert not desk.heard("bob")
    assert desk.office.critter("restore", "--release", "--yes").exit_code == 0
    desk.work()
    assert desk.heard("bob") == [CALL]


@pytest.mark.parametrize("handle", ["dana", "anne"])
def test_an_erased_person_leaves_no_call(desk: Desk, handle: str) -> None:
    begun(desk)
    desk.says("anne", "ok")
    with transaction(desk.office.engine) as session:
        person = accounts.by_handle(session, handle)
        assert person
        erase.erase(session, person, "tests")
    left = desk.office.sql("SELECT count(*) FROM calls"), desk.office.sql("SELECT count(*) FROM call_people")
    assert left == (([(0,)], [(0,)]) if handle == "dana" else ([(1,)], [(3,)]))
    later(desk, 60)
    desk.says("bob", "ok")
    assert not [one for one in desk.mailed("anne") if "URGENT" in one]
    desk.clean()


def test_an_export_has_what_somebody_asked_and_answered(desk: Desk) -> None:
    begun(desk)
    desk.says("anne", "ok")
    found = {}
    for handle in ("dana", "anne"):
        with transaction(desk.office.engine) as session:
            person = accounts.by_handle(session, handle)
            assert person
            session.expunge(person)
        with transaction(desk.office.engine) as session:
            found[handle] = export.everything(session, person)
    assert [row["group"] for row in found["dana"]["calls"]] == ["dispatch"]
    assert [row["asker"] for row in found["anne"]["answers_to_calls"]] == ["dana"]


def test_it_is_forgotten_with_deliveries_of_its_age_and_never_while_it_is_open(desk: Desk) -> None:
    begun(desk)
    ages = RetentionAges(*(timedelta(0),) * 3)
    [kind] = [one for one in retention.kinds(ages) if one.name == "calls"]

    def passed() -> int:
        desk.office.sql("DELETE FROM retention")
        with transaction(desk.office.engine) as session:
            return retention.batch(session, kind, ages) or 0

    assert passed() == 0
    later(desk, 60)
    assert passed() == 1
    assert desk.office.sql("SELECT count(*) FROM call_people") == [(0,)]
    forget(desk)
    desk.says("bob", "ok")  # nobody remembers the call: it is an answer to a broadcast
    assert desk.heard("dana")[0] == "Bob Reyes (private): ok"
    desk.says("dana", "who got")
    assert "got it" in desk.heard("dana")[0]


def test_trace_shows_each_step(desk: Desk) -> None:
    begun(desk)
    desk.says("anne", "ok")
    post = str(desk.office.sql("SELECT post_id FROM calls")[0][0])
    shown = desk.office.critter("trace", post)
    assert "rollcall: 1 of 4 answered" in shown.output
    assert "@bob: step 0, the next at" in shown.output
    found = json.loads(desk.office.critter("trace", post, "--json").output)
    assert found["posts"][0]["call"]["people"][0]["handle"] == "anne"


def test_metrics_show_how_late_steps_are(desk: Desk) -> None:
    begun(desk)
    later(desk, 9, work=False)
    with transaction(desk.office.engine) as session:
        ages = {row.queue: row.age for row in session.execute(metrics_snapshot.AGES, {"some": 10})}
    assert 230 < ages["calls"].total_seconds() < 260


def test_only_an_operator_lets_a_group_send_them(desk: Desk) -> None:
    assert desk.office.critter("groups", "urgent", "dispatch", "on").output == "#dispatch may send urgent calls.\n"
    again = desk.office.critter("groups", "urgent", "dispatch", "on").output
    assert again == "#dispatch may send urgent calls already.\n"
    assert desk.office.sql("SELECT may_urge FROM accounts WHERE handle = 'dispatch'") == [(True,)]
    assert desk.office.critter("groups", "urgent", "dispatch", "off").output == "#dispatch may not send urgent calls.\n"
    assert desk.office.sql("SELECT count(*) FROM audit WHERE action = 'groups.urgent'") == [(3,)]
    desk.says("dana", "urgent #dispatch hello")
    assert "is not set up for urgent calls" in desk.heard("dana")[0]
