"""What else people are called: nicknames and employees' numbers, and what they may not be."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from critter.administration.accounts import hidden_names
from gateway.errors import Refused
from gateway.network.people import accounts, aliases
from gateway.network.people.imports import apply, csv_file, plan
from gateway.network.people.imports.csv_file import PhoneCountries
from gateway.store.database import transaction
from gateway.store.tables import Audit
from tests.support.office import Office

HERE = PhoneCountries("US", ("US",))
FILE = "handle,name,aliases,employee_id\nkim,Kim Lee,kimmy Kimbo,E-1042\nsam,Sam Ortiz,,1043\n"


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    with transaction(engine) as opened:
        yield opened


def exact(session: Session, word: str) -> list[str]:
    return [one.handle for one in accounts.find(session, word, None).exact]


def imported(session: Session, text: str) -> int:
    planned = plan.plan(session, csv_file.read(text.encode(), HERE))
    assert planned.problems == []
    return apply.carry_out(session, planned).aliases


def problems(session: Session, text: str) -> list[tuple[int, str]]:
    planned = plan.plan(session, csv_file.read(text.encode(), HERE, {"follow"}))
    return [(problem.line, problem.reason) for problem in planned.problems]


def test_an_alias_finds_its_person_while_they_are_active(session: Session) -> None:
    kim = accounts.create_person(session, "kim", "Kim Lee")
    other = accounts.create_person(session, "bobr", "Bob Reyes")
    assert aliases.add(session, kim, "Müller-7")
    assert not aliases.add(session, kim, "MÜLLER-7")
    assert exact(session, "@müller-7.") == ["kim"]
    assert aliases.add(session, kim, "bob")
    assert [one.handle for one in accounts.find(session, "bob", None).also] == ["bobr"]
    accounts.deactivate(session, kim.id)
    assert exact(session, "müller-7") == []
    assert exact(session, "bob") == ["bobr"]
    assert not aliases.remove(session, other, "bob")


def test_what_is_no_alias(session: Session) -> None:
    kim = accounts.create_person(session, "kim", "Kim Lee")
    sam = accounts.create_person(session, "sam", "Sam Ortiz")
    aliases.add(session, kim, "kimmy")
    for word, why in [
        ("stop", "uses itself"),
        ("follow", "uses itself"),
        ("sam", "is a handle"),
        ("a b", "cannot be an alias"),
    ]:
        with pytest.raises(Refused, match=why):
            aliases.add(session, kim, word, {"follow"})
    with pytest.raises(Refused, match="an alias of @kim"):
        aliases.add(session, sam, "kimmy")
    with pytest.raises(Refused, match="an alias of @kim"):
        accounts.create_group(session, "Kimmy", "Kimmy", "open")


def test_an_import_gives_aliases_and_numbers_once(session: Session) -> None:
    assert imported(session, FILE) == 4
    assert imported(session, FILE) == 0
    assert exact(session, "e-1042") == exact(session, "kimbo") == ["kim"]
    assert imported(session, FILE.replace("1043", "1044")) == 1
    assert (exact(session, "1043"), exact(session, "1044")) == ([], ["sam"])


def test_an_import_tells_each_bad_alias_by_its_line(session: Session) -> None:
    imported(session, FILE)
    head = "handle,name,aliases,groups\n"
    assert problems(session, head + "bob,Bob,kimmy,\n") == [(2, "The alias “kimmy” is @kim's already.")]
    assert problems(session, head + "bob,Bob,sam,\n") == [(2, "The alias “sam” is a handle.")]
    assert problems(session, head + "bob,Bob,,kimmy\n") == [(2, "The group: “kimmy” is an alias of @kim.")]
    assert "is an alias of @kim" in problems(session, head + "kimmy,Kimmy,,\n")[0][1]
    assert "in line 2 too" in problems(session, head + "bob,Bob,bo,\nbea,Bea,bo,\n")[0][1]
    assert "uses itself" in problems(session, head + "bob,Bob,follow,\n")[0][1]


def test_the_command_line_adds_lists_and_removes(office: Office, engine: Engine) -> None:
    assert office.critter("people", "alias", "kim").output == "@kim is called nothing else.\n"
    assert office.critter("people", "alias", "kim", "Kimmy", "1042").output == "@kim is called 1042, kimmy.\n"
    assert office.critter("people", "alias", "kim", "kimmy", "--remove").output == "@kim is called 1042.\n"
    listed = office.critter("people", "alias", "kim", "--json").output
    assert listed == '[{"alias": "1042", "kind": "alias"}]\n'
    assert "uses itself" in office.critter("people", "alias", "kim", "follow").output
    with transaction(engine) as session:
        rows = session.scalars(select(Audit.detail).where(Audit.action == "people.alias").order_by(Audit.id)).all()
    assert rows == [{"added": 2}, {"removed": 1}]


def test_a_migration_names_who_is_called_like_a_command(engine: Engine) -> None:
    with transaction(engine) as session:
        nudge = accounts.create_person(session, "nudge", "Nora Udge")
        aliases.add(session, nudge, "whois")
        accounts.create_person(session, "kim", "Kim Lee")
    handle, alias = hidden_names(engine)
    assert handle.startswith("@nudge is a command too now")
    assert alias.endswith("critter people alias nudge whois --remove.")


def test_a_salary_never_goes_to_the_group_of_that_name(office: Office, engine: Engine) -> None:
    with transaction(engine) as session:
        accounts.create_group(session, "dan", "Dan watchers", "open")
        accounts.create_person(session, "danq", "Dan Quinn")
    office.says("kim", "d dan my salary")
    office.work()
    said = [str(row[0]) for row in office.sql("SELECT text FROM messages")]
    assert len(said) == 1
    assert said[0].startswith("More than one is called dan. Kept private. 1 Dan watchers (group, 0 people).")
    assert "2 Dan Quinn (@danq)." in said[0]
    assert office.sql("SELECT 1 FROM posts") == []
