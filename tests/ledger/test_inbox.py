"""Each sender's rows are read in their order, whoever claims them; one that ends its workers is set aside."""

import uuid
from datetime import timedelta

import pytest
from sqlalchemy import Engine, func, select, update

from gateway.ledger.inbox import inbox
from gateway.ledger.inbox.inbox import ClaimedInput, Incoming
from gateway.ledger.inbox.writer import Intake
from gateway.store.database import transaction
from gateway.store.tables import Inbound, Installation

LEASE = timedelta(seconds=60)
ANN, BEN = "+14155550101", "+14155550102"


@pytest.fixture
def there(engine: Engine) -> Engine:
    with transaction(engine) as session:
        session.add(Installation(mode="simulated"))
    return engine


def accepted(engine: Engine, *senders: str, identity: bytes | None = None) -> dict[bytes, int]:
    with transaction(engine) as session:
        key = inbox.hash_key(session)
        rows = [
            Incoming("sms", identity or uuid.uuid4().bytes, sender, ("+14155550100",), b"", True, text="x")
            for sender in senders
        ]
        return inbox.accept(session, key, rows)


def claimed(engine: Engine, owner: str = "one", limit: int = 20) -> list[ClaimedInput]:
    with transaction(engine) as session:
        return inbox.claim(session, owner, LEASE, limit)


def done(engine: Engine, one: ClaimedInput) -> bool:
    with transaction(engine) as session:
        row, _ = inbox.take(session, one) or (None, None)
        if row is not None:
            inbox.finish(session, row, "done", "update", "", None)
    return row is not None


def test_a_repeat_is_the_same_row(there: Engine) -> None:
    assert len(accepted(there, ANN, identity=b"SM1")) == 1
    assert accepted(there, ANN, identity=b"SM1") == {}
    assert accepted(there, ANN, ANN, identity=b"SM1") == {}


def test_one_worker_takes_a_senders_rows_in_order(there: Engine) -> None:
    accepted(there, ANN, BEN, ANN)
    batch = claimed(there)
    assert [one.id for one in batch] == sorted(one.id for one in batch)
    assert len(batch) == 3
    assert all(done(there, one) for one in batch)


def test_nobody_else_gets_a_sender_who_is_in_hand(there: Engine) -> None:
    accepted(there, ANN)
    first = claimed(there, "one")
    accepted(there, ANN, BEN)
    second = claimed(there, "two")
    assert len(second) == 1
    with transaction(there) as session:
        assert session.get_one(Inbound, second[0].id).sender == BEN
    assert done(there, first[0])
    assert len(claimed(there, "two")) == 1


def test_a_later_row_is_given_back_while_an_earlier_one_is_open(there: Engine) -> None:
    accepted(there, ANN, ANN)
    first, second = claimed(there)
    assert not done(there, second)
    with transaction(there) as session:
        row = session.get_one(Inbound, second.id)
        assert (row.state, row.attempt) == ("new", 0)
    assert done(there, first)
    assert [one.id for one in claimed(there)] == [second.id]


def test_a_late_worker_finds_its_row_gone(there: Engine) -> None:
    accepted(there, ANN)
    (late,) = claimed(there, "late")
    _run_out(there)
    (again,) = claimed(there, "again")
    assert not done(there, late)
    assert done(there, again)


def test_three_crashes_set_a_row_aside_and_let_the_next_one_through(there: Engine) -> None:
    accepted(there, ANN, ANN)
    poison = claimed(there)[0]
    for _ in range(2):
        _run_out(there)
        with transaction(there) as session:
            inbox.expire(session)
        assert [one.id for one in claimed(there)] == [poison.id]
    _run_out(there)
    with transaction(there) as session:
        again, aside = inbox.expire(session)
    assert (again, aside) == (0, [poison.id])
    (other,) = claimed(there)
    assert other.id != poison.id
    assert done(there, other)


def _run_out(engine: Engine) -> None:
    """The lease of everything in hand is over."""
    with transaction(engine) as session:
        session.execute(update(Inbound).where(Inbound.state == "working").values(lease_until=func.now() - LEASE))
        assert session.scalar(select(func.count()).where(Inbound.state == "working"))


def test_a_door_leaves_a_server_that_only_reads_now(there: Engine) -> None:
    """Another has taken its place, and the old one goes on answering on connections that it had."""
    intake = Intake(there, lambda: None)
    incoming = [Incoming("sms", uuid.uuid4().bytes, ANN, ("+14155550100",), b"", True, text="x") for _ in range(3)]
    try:
        intake.submit(incoming[0]).result(9)
        intake._connection().execute("SET default_transaction_read_only = on")
        for one in incoming[1:]:
            intake.submit(one).result(9)
    finally:
        intake.close()
    with transaction(there) as session:
        assert session.scalar(select(func.count()).select_from(Inbound)) == 3
