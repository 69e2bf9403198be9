"""A carrier is down when it cannot be reached again and again; what may have left never makes it so."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.carriers.common.circuit_breaker import REST, TRIES, WITHIN, CircuitBreaker
from gateway.carriers.common.protocol import Outcome

REFUSED, LOST = Outcome("retry", reason="refused"), Outcome("retry", reason="dns")
OTHERS = [
    Outcome("sent", "SM1"),
    Outcome("unknown", reason="timeout"),
    Outcome("unknown", reason="cut"),
    Outcome("retry", reason="busy"),
    Outcome("retry", reason="403", pause=True),  # paused by its own rule
    Outcome("failed", reason="21211"),
]


def failed(breaker, count, at=0.0):
    for _ in range(count):
        breaker.note(REFUSED, at)
    return breaker


def test_it_opens_after_so_many_and_not_before():
    assert not failed(CircuitBreaker(), TRIES - 1).down(0.0)
    assert failed(CircuitBreaker(), TRIES).down(0.0)
    assert failed(CircuitBreaker(), TRIES).down(REST - 0.1)


def test_failures_far_apart_are_none():
    breaker = CircuitBreaker()
    for turn in range(TRIES * 3):
        breaker.note(LOST, turn * WITHIN)
        assert not breaker.down(turn * WITHIN)


def test_after_its_rest_one_try_tells():
    again = failed(failed(CircuitBreaker(), TRIES), 1, at=REST)
    assert again.down(REST + 1)
    well = failed(CircuitBreaker(), TRIES)
    well.note(Outcome("sent", "SM1"), REST)
    assert not failed(well, 1, at=REST + 1).down(REST + 1)


@pytest.mark.parametrize("other", OTHERS, ids=lambda each: f"{each.state} {each.reason}")
def test_an_answer_closes_it(other):
    breaker = failed(CircuitBreaker(), TRIES)
    breaker.note(other, 1.0)
    assert not breaker.down(1.0)


@given(st.lists(st.sampled_from(OTHERS), max_size=30))
def test_nothing_else_ever_opens_it(outcomes):
    breaker = CircuitBreaker()
    for turn, outcome in enumerate(outcomes):
        breaker.note(outcome, turn * 0.1)
        assert not breaker.down(turn * 0.1)
