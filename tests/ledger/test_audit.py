"""`critter audit`: a company at work is clean; for each invariant one row is broken, and that row is named."""

import json
import uuid
from collections.abc import Iterator

import psycopg
import pytest
from sqlalchemy import Engine, text

from critter.servers import Servers
from gateway.network.mail import unsubscribe
from gateway.settings import Settings, embedded, load
from gateway.store.database import connect, transaction
from tests.conftest import SECRET
from tests.support.office import Office, point_command_line
from tests.support.rule_violations import BREACHES, RuleViolation


@pytest.fixture(scope="module")
def day(servers: Servers, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A database in which everyone has said something, and all of it has been read, spread and sent."""
    administer(servers, f"CREATE DATABASE day TEMPLATE {template} STRATEGY file_copy")
    url = embedded.database_url(servers.var, "day")
    engine = connect(url, keys=(SECRET,))
    busy = Office(engine, load({"CRITTER_VAR": str(tmp_path_factory.mktemp("day")), "CRITTER_DATABASE_URL": url}))
    busy.assemble()
    for handle, words in DAY:
        busy.says(handle, words)
        busy.work()
    busy.sql("UPDATE fanouts SET not_before = now() WHERE state = 'waiting'")  # the holds are over
    busy.work()
    engine.dispose()
    yield "day"
    administer(servers, "DROP DATABASE day WITH (FORCE)")


@pytest.fixture
def database(servers: Servers, day: str) -> Iterator[str]:
    """A copy of that day for each test: this one may be broken."""
    administer(servers, f"CREATE DATABASE broken TEMPLATE {day} STRATEGY file_copy")
    yield embedded.database_url(servers.var, "broken")
    administer(servers, "DROP DATABASE broken WITH (FORCE)")


def administer(servers: Servers, statement: str) -> None:
    with psycopg.connect(embedded.database_url(servers.var, "postgres", embedded.OWNER), autocommit=True) as connection:
        connection.execute(statement)


@pytest.fixture
def office(engine: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Office:
    point_command_line(monkeypatch, settings)
    return Office(engine, settings)


DAY = (
    ("sam", "follow sales"),
    ("kim", "the ACME proposal is on its way"),
    ("sam", "@kim well done"),
    ("kim", "d pat margin is 12%"),
    ("kim", "d acme the price stays"),
    ("anne", "#board budget on friday"),
    ("pat", "#sales lunch at one"),
    ("dana", "#dispatch who takes dock 4"),
    ("bob", "yes"),
    ("kim", "d nobody a word"),
    ("kim", "drop"),
    ("pat", "a mistake"),
    ("pat", "undo"),
    ("pat", "r ok"),
    ("pat", "r ok"),
    ("pat", "r ok"),
    ("pat", "r ok"),
    ("bob", "stop"),
    ("dana", "#dispatch anybody there"),
    ("bob", "start"),
)


def broken(office: Office, *arguments: str) -> list[dict[str, str]]:
    result = office.critter("audit", "--json", *arguments)
    proof = json.loads(result.output)
    assert result.exit_code == (0 if proof["clean"] else 1)
    assert proof["clean"] == (proof["broken"] == [])
    return list(proof["broken"])


def row(office: Office, query: str) -> str:
    return str(office.sql(query)[0][0])


def test_a_day_at_work_is_clean(office: Office) -> None:
    result = office.critter("audit")
    assert result.exit_code == 0, result.output
    assert result.output.startswith("clean: 20 inputs, ")
    assert broken(office) == []


def test_an_empty_company_is_clean(office: Office, owner: Engine) -> None:
    with owner.begin() as connection:
        connection.execute(text("TRUNCATE inbound, posts, messages, deliveries, attempts CASCADE"))
    assert office.critter("audit").output == "clean: 0 inputs, 0 posts, 0 deliveries, 0 attempts\n"


@pytest.mark.parametrize("violation", BREACHES, ids=lambda violation: violation.what)
def test_what_is_broken_is_named(office: Office, owner: Engine, violation: RuleViolation) -> None:
    expected = row(office, violation.named) if violation.asked_before else ""
    with owner.begin() as connection:
        connection.execute(text(violation.breaking))
    found = [(one["invariant"], one["id"]) for one in broken(office)]
    assert (violation.invariant, expected or row(office, violation.named)) in found


def test_people_read_which_row_and_why(office: Office) -> None:
    office.sql("UPDATE inbound SET state = 'new', received_at = now() - interval '5 minutes' WHERE intent = 'undo'")
    result = office.critter("audit")
    assert result.exit_code == 1
    assert "I1  what was accepted is read within a minute: broken" in result.output
    undo = row(office, "SELECT id FROM inbound WHERE intent = 'undo'")
    assert f"inbound {undo}  accepted 300 s ago" in result.output


def test_what_is_just_accepted_may_wait(office: Office) -> None:
    office.says("sam", "hello")
    assert broken(office) == []
    assert [one["invariant"] for one in broken(office, "--settled", "0")] == ["I1"]


def test_who_left_a_closed_group_was_in_it(office: Office) -> None:
    office.sql("UPDATE follows SET by_text = true WHERE by_text IS false")
    phone = "INSERT INTO addresses (account_id, channel, address) SELECT id, 'sms', '+14155550177' FROM accounts"
    office.sql(f"{phone} WHERE handle = 'dave'")
    office.accept_text("+14155550177", "leave board")
    office.work()
    assert broken(office) == []


def test_who_unsubscribed_by_a_link_was_in_it(office: Office) -> None:
    board = int(row(office, "SELECT id FROM accounts WHERE handle = 'board'"))
    dave = int(row(office, "SELECT id FROM addresses WHERE address = 'dave@demo.example'"))
    with transaction(office.engine) as session:
        ending = unsubscribe.pair(session, board, dave)
        assert ending
        unsubscribe.end(session, ending)
    assert broken(office) == []


def test_marked_duplicates_are_no_breach(office: Office) -> None:
    again = "INSERT INTO attempts (message_id, address_id, number, state) SELECT message_id, address_id, 9, 'sent'"
    office.sql(f"{again} FROM attempts")
    office.sql("DELETE FROM charges")  # what was sent twice was paid for twice; here nothing was
    assert {one["invariant"] for one in broken(office)} == {"I3"}
    office.sql("UPDATE deliveries SET possible_duplicate = true")
    assert broken(office) == []


def test_an_opt_in_allows_texts_again(office: Office) -> None:
    said = """
        INSERT INTO consent (address_id, kind, wording, source, created_at)
        SELECT address_id, :kind, 'word', 'text', min(started_at) - CAST(:before AS interval)
        FROM attempts GROUP BY address_id
    """
    office.sql(said, kind="opt_out", before="9 seconds")
    assert invariants(office) == {"I7"}
    office.sql(said, kind="opt_in", before="5 seconds")
    assert invariants(office) == set()


def invariants(office: Office) -> set[str]:
    """Those that are broken, without I9: the rows of the audit that our SQL caused have no seal."""
    return {one["invariant"] for one in broken(office)} - {"I9"}


def test_an_old_input_that_an_operator_let_in_has_its_minute(office: Office) -> None:
    held = office.says("sam", f"hello {uuid.uuid4()}", trusted=False)
    office.sql("UPDATE inbound SET received_at = now() - interval '1 day' WHERE id = :id", id=held)
    assert broken(office) == []
    office.critter("held", "approve", str(held))
    assert broken(office) == []
