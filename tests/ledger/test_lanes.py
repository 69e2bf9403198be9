"""Of one author to one address one row is on its way at a time; only what is urgent overtakes."""

from datetime import timedelta

import pytest
from sqlalchemy import Engine

from gateway.ledger.outbox import claims, outbox
from gateway.ledger.outbox.outbox import Outgoing, Target
from gateway.store.database import transaction
from tests.support.delivering import change, people, person

LEASE = timedelta(seconds=60)


def put(engine: Engine, author: int, phone: int, priority: int) -> int:
    with transaction(engine) as session:
        message = Outgoing("notice", f"priority {priority}", "", "", author_id=author, priority=priority)
        return outbox.put(session, message, [Target(phone, "sms")])


def claimed(engine: Engine) -> list[int]:
    with transaction(engine) as session:
        return [one.message_id for one in claims.claim(session, "sms", "test", LEASE, 10)]


STUCK = {
    "in doubt": "UPDATE deliveries SET state = 'unknown', not_before = now() + interval '1 hour'",
    "tried again later": "UPDATE deliveries SET state = 'retry', not_before = now() + interval '1 hour'",
    "on its way": "UPDATE deliveries SET state = 'sending', lease_until = now() + interval '1 hour'",
}


@pytest.mark.parametrize("how", STUCK)
def test_what_is_urgent_overtakes_what_is_stuck_and_nothing_else_does(engine: Engine, how: str) -> None:
    author, _ = person(engine, "kim", phone="+14155550101")
    [phone] = people(engine, 1)
    put(engine, author, phone, 5)
    change(engine, STUCK[how])
    for priority in (1, 2, 5, 9):
        put(engine, author, phone, priority)
    assert claimed(engine) == []
    urgent = put(engine, author, phone, 0)
    assert claimed(engine) == [urgent]


def test_one_urgent_row_does_not_overtake_another(engine: Engine) -> None:
    author, _ = person(engine, "kim", phone="+14155550101")
    [phone] = people(engine, 1)
    first = put(engine, author, phone, 0)
    put(engine, author, phone, 0)
    assert claimed(engine) == [first]
    assert claimed(engine) == []


def test_others_wait_for_an_urgent_row_before_them(engine: Engine) -> None:
    author, _ = person(engine, "kim", phone="+14155550101")
    [phone] = people(engine, 1)
    urgent = put(engine, author, phone, 0)
    put(engine, author, phone, 5)
    assert claimed(engine) == [urgent]
    assert claimed(engine) == []
