"""Statements that go to the driver directly: their names, their connection, their transactions, and their errors."""

from collections.abc import Iterator

import psycopg
import pytest
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from gateway.store.database import connect
from gateway.store.direct import DirectConnection, Statement
from tests.support.delivering import rows

ADD = Statement("INSERT INTO tallies (name, labels, total) VALUES (:name, '12:30', :amount) RETURNING '3'")
SUM = Statement("SELECT coalesce(sum(total), 0)::bigint FROM tallies WHERE name = :name")
KILL = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name = 'critter'
"""


@pytest.fixture(params=["", "&pooled=on"])
def direct(request: pytest.FixtureRequest, database: str) -> Iterator[DirectConnection]:
    engine = connect(database + request.param, by_key=True)
    made = DirectConnection(engine)
    yield made
    made.close()
    engine.dispose()


def amount(direct: DirectConnection) -> int:
    return int(direct.run(SUM, {"name": "x"})[0][0])


def test_names_are_numbered_and_other_colons_stay() -> None:
    found = Statement("SELECT :one::text, :two, :one, '08:00'")
    assert found.names == ("one", "two")
    assert found.numbered == b"SELECT $1::text, $2, $1, '08:00'"
    assert found.values({"two": 2, "one": 1}) == [1, 2]


def test_a_statement_is_a_transaction(direct: DirectConnection) -> None:
    assert direct.run(ADD, {"name": "x", "amount": 3}) == [("3",)]
    assert amount(direct) == 3


def test_what_is_not_finished_is_taken_back(direct: DirectConnection) -> None:
    with direct.transaction() as one:
        one.run((ADD, {"name": "x", "amount": 3}), (ADD, {"name": "y", "amount": 4}))
    with pytest.raises(ZeroDivisionError):
        interrupted(direct)
    assert amount(direct) == 0
    with direct.transaction() as one:
        one.run((ADD, {"name": "x", "amount": 3}))
        assert one.finish((SUM, {"name": "x"}), (SUM, {"name": "y"})) == [[(3,)], [(0,)]]
    assert amount(direct) == 3


def interrupted(direct: DirectConnection) -> None:
    with direct.transaction() as one:
        one.run((ADD, {"name": "x", "amount": 3}))
        raise ZeroDivisionError


def cut_off(direct: DirectConnection, engine: Engine) -> None:
    with direct.transaction() as one:
        one.run((ADD, {"name": "x", "amount": 3}))
        rows(engine, KILL)
        one.finish((SUM, {"name": "x"}))


def test_an_error_in_a_transaction_leaves_a_connection_that_can_be_used(direct: DirectConnection) -> None:
    with pytest.raises(Exception, match="division"), direct.transaction() as one:
        one.run((ADD, {"name": "x", "amount": 3}), (Statement("SELECT 1 / CAST(:zero AS integer)"), {"zero": 0}))
    assert amount(direct) == 0


def test_a_connection_that_died_meanwhile_is_replaced(engine: Engine, database: str) -> None:
    direct = DirectConnection(connect(database))
    assert amount(direct) == 0
    rows(engine, KILL)
    assert amount(direct) == 0
    direct.close()


def test_a_server_that_ends_a_transaction_is_an_operational_error(engine: Engine, database: str) -> None:
    direct = DirectConnection(connect(database))
    with pytest.raises(OperationalError) as raised:
        cut_off(direct, engine)
    assert isinstance(raised.value.orig, psycopg.OperationalError)
    assert amount(direct) == 0
    direct.close()
