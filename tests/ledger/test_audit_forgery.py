"""Nobody who has the processes' role of the database can change the audit (F40); who has more is found out."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from sqlalchemy import text

from critter.servers.postgres import SUPERUSER
from gateway.ledger.audit import audit_log
from gateway.ledger.audit.hash_chain import BEGUN, ChainCount, ChainEntry, SealKeys, digest, wrong
from gateway.store.database import connect, transaction
from tests.support.office import Office

ROWS = 5


@pytest.fixture
def noted(office: Office) -> str:
    """A head of the audit as an operator keeps it, after some rows."""
    with transaction(office.engine) as session:
        for number in range(ROWS):
            audit_log.record(session, "root", "people.role", number, {"to": "admin"})
    return office.critter("audit", "--head").output


@pytest.fixture
def superuser(database: str) -> Iterator["psycopg.Connection[object]"]:
    """Whoever has all of PostgreSQL in their hands."""
    with psycopg.connect(database, user=SUPERUSER, autocommit=True) as connection:
        yield connection


def found(office: Office, *arguments: str) -> list[str]:
    """What critter audit says is wrong with the chain."""
    result = office.critter("audit", "--json", *arguments)
    proof = json.loads(result.output)
    assert result.exit_code == (1 if proof["broken"] else 0)
    assert not proof["audit"]["unprotected"]
    return [row["why"] for row in proof["broken"] if row["invariant"] == "I9"]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit SET actor = 'me'",
        "UPDATE audit SET hash = ''",
        "DELETE FROM audit",
        "TRUNCATE audit",
        "TRUNCATE accounts CASCADE",
        "ALTER TABLE audit DISABLE TRIGGER ALL",
        "ALTER TABLE audit DISABLE TRIGGER audit_link",
        "ALTER TABLE audit ADD COLUMN x int",
        "DROP TRIGGER audit_stays ON audit",
        "CREATE TRIGGER x BEFORE INSERT ON audit FOR EACH ROW EXECUTE FUNCTION audit_link()",
        "CREATE RULE x AS ON INSERT TO audit DO INSTEAD NOTHING",
        "ALTER TABLE consent DISABLE TRIGGER consent_is_audited",
        "SET session_replication_role = replica",
        "DROP TABLE audit",
        "DROP SCHEMA public CASCADE",
        "ALTER TABLE audit OWNER TO critter",
        "SET ROLE critter_owner",
        "GRANT critter_owner TO critter",
        "CREATE TABLE x (id int)",
        "CREATE FUNCTION public.sha256(bytea) RETURNS bytea LANGUAGE sql AS 'SELECT $1'",
        "CREATE OR REPLACE FUNCTION audit_hash(entry audit) RETURNS bytea LANGUAGE sql AS 'SELECT NULL::bytea'",
        "ALTER FUNCTION audit_link() SET session_replication_role = replica",
        "DROP FUNCTION audit_link() CASCADE",
        "SELECT drop_partition('audit')",
        "SELECT drop_partition('deliveries_default')",
        "SELECT drop_partition('accounts; DROP TABLE audit')",
        "COPY audit FROM PROGRAM 'true'",
        "UPDATE alembic_version SET version_num = '0001'",
        "DELETE FROM alembic_version",
    ],
)
def test_the_processes_role_may_not(office: Office, noted: str, statement: str) -> None:
    with (
        pytest.raises((psycopg.errors.InsufficientPrivilege, psycopg.errors.InvalidParameterValue)),
        psycopg.connect(office.settings.database_url) as connection,
    ):
        connection.execute(statement.encode())
    assert found(office, "--since-head", noted) == []


def test_a_grant_to_oneself_gives_nothing(office: Office, noted: str) -> None:
    """PostgreSQL only warns."""
    with psycopg.connect(office.settings.database_url) as connection:
        connection.execute("GRANT UPDATE ON audit TO critter")
    assert found(office, "--since-head", noted) == []


@pytest.mark.parametrize(
    "values",
    [
        "(actor, action) VALUES ('root', 'people.role')",
        "(actor, action, key, mac) SELECT 'root', 'people.role', key, mac FROM audit LIMIT 1",
        "(actor, action, key, mac) VALUES ('root', 'people.role', 'ffff', 'x')",
        "(actor, action, created_at) VALUES ('root', 'people.role', '2020-01-01')",
        "(actor, action, number, prev, hash) VALUES ('root', 'people.role', 2, '', '')",
    ],
)
def test_a_row_that_no_process_wrote_is_found(office: Office, noted: str, values: str) -> None:
    """Also when a genuine row follows it."""
    with psycopg.connect(office.settings.database_url) as connection:
        connection.execute(f"INSERT INTO audit {values}".encode())
    assert len(found(office)) == 1
    with transaction(office.engine) as session:
        audit_log.record(session, "root", "people.role", 9)
    assert len(found(office, "--since-head", noted)) == 1


def test_a_table_of_the_same_name_leads_nobody_astray(office: Office, noted: str) -> None:
    with psycopg.connect(office.settings.database_url) as connection:
        connection.execute("CREATE TEMP TABLE audit (LIKE public.audit)")
        connection.execute("INSERT INTO pg_temp.audit SELECT * FROM public.audit")
        connection.execute("UPDATE pg_temp.audit SET number = 99, hash = 'x'")
        connection.execute("INSERT INTO public.audit (actor, action) VALUES ('root', 'people.role')")
    [(number, same)] = office.sql(
        "SELECT number, prev = (SELECT hash FROM audit WHERE number = :last) FROM audit WHERE mac IS NULL", last=ROWS
    )
    assert (number, same) == (ROWS + 1, True)


REWRITE = """
    DO $$ DECLARE one audit; last audit; BEGIN
        FOR one IN SELECT * FROM audit ORDER BY number LOOP
            one.prev := last.hash;
            one.hash := audit_hash(one);
            UPDATE audit SET prev = one.prev, hash = one.hash WHERE id = one.id;
            last := one;
        END LOOP;
    END $$
"""


def test_a_chain_worked_out_anew_is_found(office: Office, noted: str, superuser: psycopg.Connection) -> None:
    superuser.execute("SET session_replication_role = replica")
    superuser.execute("UPDATE audit SET actor = 'somebody else' WHERE number = 2")
    superuser.execute(REWRITE)
    assert found(office) == ["has a seal that its key did not make"] * (ROWS - 1)


def test_a_chain_without_its_seals_is_found_by_the_head(
    office: Office, noted: str, superuser: psycopg.Connection
) -> None:
    superuser.execute("SET session_replication_role = replica")
    superuser.execute("UPDATE audit SET key = NULL, mac = NULL, actor = 'somebody else'")
    superuser.execute(REWRITE)
    assert found(office, "--since-head", noted) == ["was there once: rows were cut off the end, or rewritten"]


def test_a_tail_that_was_cut_off_is_found_by_the_head(
    office: Office, noted: str, superuser: psycopg.Connection
) -> None:
    superuser.execute("SET session_replication_role = replica")
    superuser.execute("DELETE FROM audit WHERE number > 3")
    assert found(office) == []
    for head in (noted, noted.split()[0]):
        assert found(office, "--since-head", head) == ["was there once: rows were cut off the end, or rewritten"]


def test_functions_of_the_database_are_not_believed(office: Office, noted: str, superuser: psycopg.Connection) -> None:
    superuser.execute(
        "CREATE OR REPLACE FUNCTION audit_hash(entry audit) RETURNS bytea LANGUAGE sql AS 'SELECT entry.hash'"
    )
    superuser.execute("SET session_replication_role = replica")
    superuser.execute("UPDATE audit SET actor = 'somebody else' WHERE number = 2")
    assert found(office) == ["is not what it was when it was written"]


def test_a_head_is_read_as_it_was_printed(office: Office, noted: str) -> None:
    number, colon, _ = noted.partition(":")
    assert (number, colon) == (str(ROWS), ":")
    for nonsense in ("", "5", "five:ab", "5:xyz", ":" * 3, "-1:" + "a" * 64):
        result = office.critter("audit", "--since-head", nonsense)
        assert (result.exit_code, result.output[:15]) == (2, "That is no head")


def test_an_opt_out_is_sealed_whichever_way_it_came(office: Office) -> None:
    office.says("bob", "stop")
    office.work()
    assert office.sql("SELECT count(*), count(mac) FROM audit WHERE action = 'address.opt_out'") == [(1, 1)]
    assert found(office) == []
    office.sql("UPDATE consent SET audit_id = 1 WHERE kind = 'opt_out'")
    assert found(office) == ["says that the audit has a row of it, and it has not"]


def test_an_older_version_goes_on_writing(office: Office, database: str) -> None:
    """Its rows have no seal; those that come within a day of the first seal are taken."""
    old = connect(database)
    with transaction(old) as session:
        audit_log.record(session, "root", "people.role", 1)
    with transaction(office.engine) as session:
        audit_log.begin_seals(session)
        audit_log.begin_seals(session)
    office.sql("INSERT INTO consent (address_id, kind, wording, source) SELECT id, 'opt_out', 'stop', 'text'"
               " FROM addresses LIMIT 1")  # fmt: skip
    assert office.sql("SELECT action, mac IS NULL FROM audit ORDER BY number") == [
        ("people.role", True), (BEGUN, False), ("address.opt_out", True),
    ]  # fmt: skip
    assert "not sealed yet: the last 1 row" in office.critter("audit").output
    assert found(office) == []
    old.dispose()


START = datetime(2026, 1, 1, 12, tzinfo=UTC)
OLD, NEW = SealKeys(["the old one"]), SealKeys(["the new one"])


def written(*rows: tuple[SealKeys | None, float], action: str = "people.role") -> Iterator[ChainEntry]:
    """Rows that follow each other rightly: who sealed each, and when, in hours."""
    before = None
    for number, (keys, hours) in enumerate(rows, 1):
        at = START + timedelta(hours=hours)
        bare = ChainEntry(number * 7, number, "root", action, None, '{"a": "\u00fc"}', at, before, None, None, None)
        own = digest(bare)
        key, mac = keys.seal(own) if keys else (None, None)
        yield bare._replace(hash=own, key=key, mac=mac)
        before = own


@pytest.mark.parametrize(
    ("rows", "count"),
    [
        ([(None, 0), (None, 1), (None, 900)], 0),  # nothing was ever sealed
        ([(None, 0), (NEW, 1), (None, 2), (NEW, 3), (None, 24.9)], 0),  # an upgrade
        ([(None, 0), (NEW, 1), (None, 25.1)], 1),
        ([(None, 0), (NEW, 1), (NEW, 26), (None, 2)], 1),  # its own time is not believed
        ([(NEW, 0), (None, 0.1)], 1),  # no older version was ever here
        ([(OLD, 0), (OLD, 1), (NEW, 900), (OLD, 901), (NEW, 902)], 0),  # the key was changed, and the old one is gone
        ([(OLD, 0), (NEW, 900), (OLD, 925)], 1),
    ],
)
def test_who_may_write_without_a_seal_of_ours(rows: list[tuple[SealKeys | None, float]], count: int) -> None:
    assert len(list(wrong(written(*rows), NEW, ChainCount()))) == count


def test_each_key_in_the_list_checks_what_it_sealed() -> None:
    both = SealKeys(["the new one", "the old one"])
    rows = list(written((OLD, 0), (NEW, 900), (OLD, 925)))
    count = ChainCount()
    assert list(wrong(rows, both, count)) == []
    assert (count.rows, count.sealed, count.unsealed_tail) == (3, 3, 0)
    changed = [rows[0]._replace(mac=rows[1].mac), *rows[1:]]
    assert [row.why for row in wrong(changed, both, ChainCount())] == ["has a seal that its key did not make"]


def test_our_hash_is_the_databases(office: Office) -> None:
    details = ({}, {"b": 1, "aa": [1.5, 1e30, True, None]}, {"words": 'quote " \\ \t \u0001 \u00e9 \U0001f600'})
    with transaction(office.engine) as session:
        for number, detail in enumerate(details):
            audit_log.record(session, f'r\u00f6\u00f6t {number} "', "people.role", 2**62, detail)
        session.execute(text("UPDATE accounts SET name = name"))
    assert office.sql("SELECT bool_and(hash = audit_hash(audit)), count(*) FROM audit") == [(True, 3)]
    assert found(office) == []
