"""Who is called this: what a word means when several may be meant."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Engine, event, text
from sqlalchemy.orm import Session

from gateway.network.follows import follows
from gateway.network.people import accounts
from gateway.network.people.directory import find
from gateway.store.tables import Account


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    with Session(engine) as session:
        yield session


@pytest.fixture
def company(session: Session) -> dict[str, Account]:
    people = {"patq": "Pat Quinn", "lee": "Lee Wong", "robert": "Robert Iles", "anne": "Anne Cole", "cole": "Sue Park"}
    made = {handle: accounts.create_person(session, handle, name) for handle, name in people.items()}
    for handle, name in (("pat", "Patents"), ("office", "Anne"), ("quinn", "Lee")):
        made[handle] = accounts.create_group(session, handle, name, "open")
    return made


def found(session: Session, word: str, viewer: Account | None = None) -> tuple[list[str], list[str]]:
    who = find(session, word, viewer.id if viewer else None)
    return [each.handle for each in who.exact], [each.handle for each in who.also]


def test_a_groups_handle_may_mean_the_person_of_that_name_too(session: Session, company: dict[str, Account]) -> None:
    assert found(session, "pat", company["anne"]) == (["pat"], ["patq"])
    assert found(session, "PÁT") == (["patq"], [])  # no handle: only the person's name is written without accents
    assert found(session, "pat", company["patq"]) == (["pat"], [])  # she does not mean herself
    assert found(session, "pat quinn") == (["patq"], [])
    accounts.deactivate(session, company["patq"].id)
    assert found(session, "pat") == (["pat"], [])


def test_among_people_the_handle_decides(session: Session, company: dict[str, Account]) -> None:
    accounts.create_person(session, "leec", "Lee Chan")
    assert found(session, "lee") == (["lee"], ["quinn"])  # Lee Chan is not; a group named Lee is
    assert found(session, "anne") == (["anne"], ["office"])


def test_a_person_and_a_group_of_one_name_are_several(session: Session, company: dict[str, Account]) -> None:
    accounts.create_person(session, "patents1", "Patents Jones")
    follows.follow(session, company["anne"].id, company["pat"].id, by_text=True)
    assert found(session, "patents", company["anne"]) == (["pat", "patents1"], [])


def test_a_name_is_found_without_reading_everybody(session: Session, company: dict[str, Account]) -> None:
    session.execute(text("SET enable_seqscan = off"))  # few rows: PostgreSQL would not care for the index
    lookups: list[tuple[str, Any]] = []

    def noted(connection: Any, cursor: Any, statement: str, parameters: Any, context: Any, many: bool) -> None:
        lookups.append((statement, parameters))

    connection = session.connection()
    event.listen(connection, "before_cursor_execute", noted)
    assert found(session, "pat quinn") == (["patq"], [])
    event.remove(connection, "before_cursor_execute", noted)
    for statement, parameters in lookups:
        plan = "\n".join(row[0] for row in connection.exec_driver_sql(f"EXPLAIN {statement}", parameters))
        assert "Seq Scan" not in plan, plan
