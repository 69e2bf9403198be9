"""Twilio's codes and callback states in our words."""

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.carriers.common.delivery_report import DeliveryReport
from gateway.carriers.twilio.error_codes import CODES, callback_outcome, code_of


@pytest.mark.parametrize(
    ("status", "step", "rank"),
    [
        ("accepted", "queued", 0),
        ("scheduled", "queued", 0),
        ("queued", "queued", 0),
        ("sending", "sending", 1),
        ("sent", "sent", 2),
        ("delivered", "delivered", 3),
        ("read", "delivered", 3),
        ("canceled", "cancelled", 3),
        ("undelivered", "failed", 3),
        ("failed", "failed", 3),
    ],
)
def test_statuses(status, step, rank):
    report = callback_outcome(status, None)
    assert report
    assert (report.step, report.rank) == (step, rank)


@pytest.mark.parametrize("status", ["", "receiving", "received", "Delivered", "nonsense"])
def test_a_status_no_outbound_text_has(status):
    assert callback_outcome(status, "30003") is None


@pytest.mark.parametrize(
    ("code", "step", "action", "retries", "strikes"),
    [
        ("30001", "retry", "retry", 3, False),
        ("30003", "retry", "retry", 2, True),
        ("30008", "retry", "retry", 1, False),
        ("30002", "retry", "pause_carrier", 9, False),
        ("30004", "failed", "alert", 0, False),
        ("30005", "failed", "count", 0, True),
        ("30006", "failed", "dead_number", 0, True),
        ("30007", "failed", "alert", 0, False),
        ("30034", "failed", "pause_number", 0, False),
        ("21610", "failed", "opt_out", 0, False),
        ("31999", "failed", "none", 0, False),
    ],
)
@pytest.mark.parametrize("status", ["undelivered", "failed"])
def test_codes_of_callbacks(status, code, step, action, retries, strikes):
    assert callback_outcome(status, code) == DeliveryReport(
        step, 3, action, code, retries, strikes, slow=code == "30003"
    )


@given(st.text() | st.none() | st.integers())
def test_a_strange_code_is_no_code(code):
    report = callback_outcome("undelivered", code)
    assert report
    assert report.reason == "undelivered" or report.reason == str(int(report.reason)) == str(code)


def test_a_code_on_a_good_status_changes_nothing():
    assert callback_outcome("delivered", "30003") == callback_outcome("delivered", None)


def test_every_order_of_a_history_ends_alike():
    """The rule the worker follows: a higher rank moves it, the first terminal wins."""
    for order in permutations(["queued", "sending", "sent", "delivered"]):
        step, rank = "sent", -1
        for status in order:
            report = callback_outcome(status, None)
            assert report
            if report.rank > rank:
                step, rank = report.step, report.rank
        assert step == "delivered"


def test_the_table_is_of_five_digit_codes():
    assert all(10000 <= code <= 99999 for code in CODES)
    assert code_of(1).action == "none"
