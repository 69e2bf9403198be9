"""The retry schedule against a clock that the test moves: every try at its time, the end at its time, and no herd."""

import random
from collections import Counter
from datetime import timedelta

import pytest
from sqlalchemy import Engine

from gateway.channels import MAILS, TEXTS
from gateway.ledger.commit import backoff
from gateway.ledger.outbox import claims, settlements
from gateway.ledger.outbox.claims import ClaimedDelivery
from gateway.ledger.outbox.outbox import Target
from gateway.ledger.outbox.settlements import Settlement
from gateway.store.database import transaction
from tests.support.delivering import change, person, post, rows

LEASE = timedelta(seconds=20)
MINUTE = timedelta(minutes=1)
OUTAGE = timedelta(hours=1)
HOURLY = [38, *(98 + 60 * hour for hour in range(60))]  # minutes, once 1, 2, 5, 10 and 20 have passed


def due(engine: Engine, channel: str) -> ClaimedDelivery | None:
    with transaction(engine) as session:
        return next(iter(claims.claim(session, channel, "one", LEASE, 1)), None)


def let_pass(engine: Engine, span: timedelta) -> None:
    """The clock moves on: everything that has a time becomes that much older."""
    seconds = span.total_seconds()
    change(
        engine,
        f"UPDATE deliveries SET not_before = not_before - {seconds} * interval '1 second',"
        f" give_up_at = give_up_at - {seconds} * interval '1 second'",
    )


@pytest.mark.parametrize(
    ("channel", "gives_up", "tries"),
    [
        ("sms", TEXTS.gives_up_after, [0, 1, 3, 8, 18, *HOURLY[:4]]),
        ("email", MAILS.gives_up_after, [0, 1, 3, 8, 18, *HOURLY[:48]]),
    ],
)
def test_every_try_comes_at_its_minute_and_the_last_before_the_end(engine, channel, gives_up, tries):
    """The longest waits: jitter only makes them shorter. A try that would come after the end is not waited for."""
    kim = person(engine, "kim", phone="+14155550101")[0]
    reader = {"phone": "+14155550102"} if channel == "sms" else {"mailbox": "sam@demo.example"}
    post(engine, kim, "hello", [Target(person(engine, "sam", **reader)[1], channel)])
    passed, began = timedelta(0), []
    while rows(engine)[0].ended_at is None:
        claimed = due(engine, channel)
        assert claimed
        assert due(engine, channel) is None
        began.append(round(passed / MINUTE))
        wait = backoff.next_wait(claimed.number, 1.0)
        with transaction(engine) as session:
            settlements.settle(session, [Settlement(claimed, "retry", reason="refused", wait=wait)])
        if rows(engine)[0].ended_at is None:
            let_pass(engine, wait - timedelta(seconds=5))
            assert due(engine, channel) is None
            let_pass(engine, timedelta(seconds=5))
            passed += wait
    assert began == tries
    assert passed < gives_up <= passed + wait
    assert (rows(engine)[0].state, rows(engine)[0].reason) == ("failed", "gave_up")


@pytest.mark.parametrize("spread_over", [timedelta(0), timedelta(minutes=30)])
def test_no_herd_comes_back_after_an_hour_without_a_carrier(spread_over):
    """10,000 rows that all failed for an hour: no minute of the next hour gets more than a twentieth of them. The rate
    of the sender holds besides."""
    dice = random.Random(16)
    returns: list[timedelta] = []
    for row in range(10_000):
        at, number = spread_over * (row / 10_000), 0
        while at < OUTAGE:
            number += 1
            at += backoff.next_wait(number, dice.random())
        returns.append(at - OUTAGE)
    by_minute = Counter(wait // MINUTE for wait in returns)
    assert max(by_minute.values()) < 500
    assert max(returns) <= OUTAGE


def test_full_jitter_uses_the_whole_step():
    dice = random.Random(1)
    waits = [backoff.next_wait(6, dice.random()) / MINUTE for _ in range(6_000)]
    tenths = Counter(int(wait // 6) for wait in waits)
    assert set(tenths) == set(range(10))
    assert min(tenths.values()) > 500


def test_a_phone_out_of_reach_is_tried_twice_more_within_its_four_hours():
    dice = random.Random(2)
    for _ in range(100):
        waits = [backoff.unreached_wait(earlier, dice.random()) for earlier in range(2)]
        assert timedelta(minutes=30) <= waits[0] < waits[1]
        assert sum(waits, timedelta(0)) <= timedelta(hours=3)
