"""Callbacks in any order: the same end. First as pure steps, then in the real PostgreSQL."""

import itertools
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine

from gateway.ledger.outbox import attempt_reports, claims, settlements
from gateway.ledger.outbox.attempt_reports import AttemptReport, AttemptStatus, after
from gateway.ledger.outbox.callbacks import CallbackCall, record
from gateway.ledger.outbox.outbox import Target
from gateway.ledger.outbox.settlements import Settlement
from gateway.store.database import transaction
from gateway.store.tables import Address
from tests.support.delivering import Carrier, begin, change, open_context, person, post, rows
from workers import callbacks
from workers.effects import address_effects

ALIVE = ("queued", "sending", "sent")


def report(
    step: str, attempt_id: int = 1, reason: str | None = None, retries: int = 0, slow: bool = False
) -> AttemptReport:
    return AttemptReport(attempt_id, "SM1", step, reason, retries, slow)


def end_of(steps, start: str = "sending") -> AttemptStatus:
    standing = AttemptStatus(start)
    for step in steps:
        standing = after(standing, report(step))
    return standing


@given(st.permutations([*ALIVE, *ALIVE, "delivered", "delivered"]), st.sampled_from(["sending", "unknown", "sent"]))
def test_every_order_of_a_delivered_history_ends_delivered(steps, start):
    assert end_of(steps, start) == AttemptStatus("delivered", "delivered", None, "SM1")


@given(st.permutations([*ALIVE, "failed", "queued"]))
def test_every_order_of_a_failed_history_ends_failed(steps):
    assert end_of(steps).state == "failed"


@given(st.lists(st.sampled_from([*ALIVE, "delivered", "failed", "retry", "cancelled"]), min_size=1))
def test_the_first_end_wins_and_nothing_goes_back(steps):
    ends = [step for step in steps if step not in ALIVE]
    expected = "failed" if ends[:1] == ["cancelled"] else (ends or ["sent"])[0]
    assert end_of(steps).state == expected


@pytest.fixture
def delivery(engine: Engine) -> claims.ClaimedDelivery:
    kim = person(engine, "kim", phone="+14155550101")[0]
    sam = person(engine, "sam", phone="+14155550102")[1]
    post(engine, kim, "hello", [Target(sam, "sms")])
    return claim(engine)


def claim(engine: Engine) -> claims.ClaimedDelivery:
    with transaction(engine) as session:
        return begin(session, claims.claim(session, "sms", "one", timedelta(seconds=20), 1))[0]


def advance(engine: Engine, *reports: AttemptReport) -> None:
    with transaction(engine) as session:
        attempt_reports.advance(session, reports)


def settle(engine: Engine, claimed: claims.ClaimedDelivery, state: str = "sent") -> None:
    with transaction(engine) as session:
        settlements.settle(session, [Settlement(claimed, state, "SM1" if state == "sent" else None)])


def start_again(engine: Engine, claimed: claims.ClaimedDelivery) -> None:
    change(engine, f"DELETE FROM attempts WHERE id <> {claimed.attempt_id}")
    change(engine, "UPDATE attempts SET state = 'sending', status = NULL, carrier_id = NULL, reason = NULL")
    change(
        engine, "UPDATE deliveries SET state = 'sending', ended_at = NULL, sent_at = NULL, reason = NULL, attempt = 1"
    )


@pytest.mark.parametrize("answer", ["sent", "unknown"])
def test_all_orders_of_callbacks_and_reply_end_the_same(engine, delivery, answer):
    for order in itertools.permutations(["queued", "sent", "delivered", "reply"]):
        start_again(engine, delivery)
        for step in order:
            if step == "reply":
                settle(engine, delivery, answer)
            else:
                advance(engine, report(step, delivery.attempt_id))
        row, attempt = rows(engine)[0], rows(engine, "SELECT * FROM attempts")[0]
        assert (row.state, attempt.state, attempt.status, attempt.carrier_id) == (
            *("delivered",) * 3,
            "SM1",
        ), order
        assert row.ended_at, order


def test_a_callback_settles_what_was_in_doubt(engine, delivery):
    settle(engine, delivery, "unknown")
    advance(engine, report("queued", delivery.attempt_id))
    row = rows(engine)[0]
    assert (row.state, row.reason) == ("sent", None)
    assert row.ended_at


def test_a_phone_out_of_reach_is_tried_twice_more(engine, delivery):
    unreached = {"reason": "30003", "retries": 2, "slow": True}
    claimed = delivery
    for wait in (30, 60):
        settle(engine, claimed)
        advance(engine, report("sent", claimed.attempt_id), report("retry", claimed.attempt_id, **unreached))
        row = rows(engine, "SELECT *, not_before - now() AS wait FROM deliveries")[0]
        assert (row.state, row.ended_at) == ("retry", None)
        assert timedelta(minutes=wait - 1) < row.wait <= timedelta(minutes=2 * wait)
        change(engine, "UPDATE deliveries SET not_before = now()")
        claimed = claim(engine)
    advance(engine, report("retry", claimed.attempt_id, **unreached))
    row = rows(engine)[0]
    assert (row.state, row.reason, row.attempt) == ("failed", "30003", 3)
    assert [one.state for one in rows(engine, "SELECT * FROM attempts ORDER BY number")] == ["retry", "retry", "failed"]


def test_a_late_word_of_an_ended_attempt_does_not_stop_its_retry(engine, delivery):
    advance(engine, report("retry", delivery.attempt_id, "30008", 1), report("sent", delivery.attempt_id))
    assert rows(engine)[0].state == "retry"


def test_a_late_word_stops_the_retry_of_a_text_in_doubt(engine, delivery):
    settle(engine, delivery, "unknown")
    change(engine, "UPDATE deliveries SET state = 'retry', reason = 'absent', possible_duplicate = true")
    advance(engine, report("delivered", delivery.attempt_id))
    row = rows(engine)[0]
    assert row.state == "delivered"
    assert row.ended_at


def test_a_failure_of_an_earlier_attempt_is_not_the_end(engine, delivery):
    settle(engine, delivery, "unknown")
    change(engine, "UPDATE deliveries SET state = 'retry', reason = 'absent', not_before = now()")
    claim(engine)
    advance(engine, report("failed", delivery.attempt_id, "30007"))
    assert rows(engine)[0].state == "sending"


def test_a_cancelled_delivery_stays_so(engine, delivery):
    change(engine, "UPDATE deliveries SET state = 'cancelled', ended_at = now()")
    advance(engine, report("delivered", delivery.attempt_id))
    assert rows(engine)[0].state == "cancelled"


def test_receipts_apply_what_the_door_recorded(engine, settings, delivery):
    settle(engine, delivery)
    calls = [CallbackCall(delivery.attempt_id, "SM1", status, None) for status in ("delivered", "sent", "unheard_of")]
    calls.append(CallbackCall(4711, "SM2", "sent", None))
    with transaction(engine) as session:
        record(session, calls)
    context = open_context(settings, texts=Carrier("sms"))
    assert callbacks.step(context)
    assert not callbacks.step(context)
    assert rows(engine)[0].state == "delivered"
    assert all(one.applied_at for one in rows(engine, "SELECT * FROM callbacks"))
    context.close()


def test_a_receipt_that_cannot_be_applied_holds_no_other_up(engine, settings, delivery, monkeypatch):
    """Whatever is wrong with it: it is logged and has no effect, and the next ones are applied."""
    settle(engine, delivery)
    real = address_effects.apply

    def apply(session, address_id, action, reason, strikes=0):
        real(session, address_id, action, reason, strikes)
        if reason == "21610":
            raise ZeroDivisionError

    monkeypatch.setattr(address_effects, "apply", apply)
    with transaction(engine) as session:
        record(session, [CallbackCall(delivery.attempt_id, "SM1", "undelivered", "21610")])
        record(session, [CallbackCall(delivery.attempt_id, "SM1", "delivered", None)])
    context = open_context(settings, texts=Carrier("sms"))
    callbacks.step(context)
    assert rows(engine)[0].state == "delivered"
    assert rows(engine, "SELECT DISTINCT state FROM addresses WHERE channel = 'sms'") == [("verified",)]
    assert not callbacks.step(context)
    context.close()


@pytest.mark.parametrize(("code", "state"), [("21610", "stopped"), ("30006", "suspended"), ("30007", "verified")])
def test_a_callback_tells_about_the_phone(engine, settings, delivery, code, state):
    settle(engine, delivery)
    with transaction(engine) as session:
        record(session, [CallbackCall(delivery.attempt_id, "SM1", "undelivered", code)])
    context = open_context(settings, texts=Carrier("sms"))
    callbacks.step(context)
    with transaction(engine) as session:
        assert session.get_one(Address, delivery.address_id).state == state
    assert rows(engine)[0].state == "failed"
    assert len(rows(engine, "SELECT * FROM consent")) == (code == "21610")
    context.close()


def test_each_carriers_words_are_read_by_its_own_table(engine, settings, delivery):
    """Kannel's 8 would be no status of Twilio's. A report without an id leaves the one that is known."""
    with transaction(engine) as session:
        record(session, [CallbackCall(delivery.attempt_id, "", "8", None, "kannel")])
        record(session, [CallbackCall(delivery.attempt_id, "", "8", None)])
        record(session, [CallbackCall(delivery.attempt_id, "", "sent", None, "pigeon")])
    context = open_context(settings, texts=Carrier("sms"))
    callbacks.step(context)
    assert rows(engine)[0].state == "sent"
    assert [one.carrier_id for one in rows(engine, "SELECT * FROM attempts")] == [None]
    with transaction(engine) as session:
        record(session, [CallbackCall(delivery.attempt_id, "e4d0", "1", None, "kannel")])
    callbacks.step(context)
    assert rows(engine)[0].state == "delivered"
    assert [one.carrier_id for one in rows(engine, "SELECT * FROM attempts")] == ["e4d0"]
    context.close()


@pytest.mark.parametrize(
    ("carrier", "status", "reason", "state"),
    [
        ("kannel", "16", "smpp b", "suspended"),
        ("kannel", "2", "UNDELIV 045", "verified"),
        ("hook", "failed", "21610", "stopped"),
        ("hook", "failed", "21211", "suspended"),
        ("hook", "failed", "house_rule", "verified"),
    ],
)
def test_a_report_of_another_carrier_tells_about_the_phone(engine, settings, delivery, carrier, status, reason, state):
    settle(engine, delivery)
    with transaction(engine) as session:
        record(session, [CallbackCall(delivery.attempt_id, "x", status, reason, carrier)])
    context = open_context(settings, texts=Carrier("sms"))
    callbacks.step(context)
    with transaction(engine) as session:
        assert session.get_one(Address, delivery.address_id).state == state
    assert (rows(engine)[0].state, rows(engine)[0].reason) == ("failed", reason)
    context.close()
