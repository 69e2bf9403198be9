"""The audit: chained row to row, never changed, and naming nobody, whoever writes into it."""

from threading import Thread

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import ProgrammingError

import migrations
from critter.servers import Servers
from gateway.ledger.audit import audit_log
from gateway.ledger.audit.audit_log import ChainHead
from gateway.settings import embedded
from gateway.store.database import connect, transaction
from tests.conftest import _administer as administer
from tests.support.office import Office


def chain(engine: Engine) -> list[tuple[int, bool]]:
    """Number of each row, and whether its hash is its own and follows the one before."""
    asked = """SELECT number, hash = audit_hash(audit)
               AND prev IS NOT DISTINCT FROM lag(hash) OVER (ORDER BY number) FROM audit ORDER BY number"""
    with engine.connect() as connection:
        return [(row[0], row[1]) for row in connection.execute(text(asked))]


@pytest.mark.parametrize(
    "change", ["UPDATE audit SET actor = 'me'", "DELETE FROM audit", "TRUNCATE audit", "UPDATE audit SET detail = '{}'"]
)
def test_the_database_refuses_every_change_even_to_the_owner(engine: Engine, owner: Engine, change: str) -> None:
    with transaction(engine) as session:
        audit_log.record(session, "root", "people.role", 7)
    for who, words in ((engine, "permission denied"), (owner, "audit is only ever added to")):
        with pytest.raises(ProgrammingError, match=words), transaction(who) as session:
            session.execute(text(change))
    assert chain(engine) == [(1, True)]


def test_rows_written_at_once_make_one_chain(engine: Engine) -> None:
    def write() -> None:
        for _ in range(10):
            with transaction(engine) as session:
                audit_log.record(session, "root", "people.role", 7)

    writers = [Thread(target=write) for _ in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert chain(engine) == [(number, True) for number in range(1, 41)]


def test_nobody_is_named(office: Office) -> None:
    kim = office.sql("SELECT id FROM accounts WHERE handle = 'kim'")[0][0]
    with transaction(office.engine) as session:
        audit_log.record(session, "@kim", "reports.show", None, {"by": "@kim", "handle": "kim", "group": "sales"})
    [(actor, detail)] = office.sql("SELECT actor, detail FROM audit")
    assert actor == f"account:{kim}"
    assert detail == {"by": f"account:{kim}", "handle": f"account:{kim}", "group": "sales"}


def test_a_reason_that_names_somebody_is_refused(office: Office) -> None:
    for reason in ("Kim lost her phone", "call 4155550101", "kim@demo.example writes spam"):
        result = office.critter("people", "suspend", "kim", "--reason", reason)
        assert (result.exit_code, "keeps the reason for ever" in result.output) == (2, True)
    assert office.sql("SELECT state FROM accounts WHERE handle = 'kim'") == [("active",)]


def test_every_opt_out_is_audited(office: Office) -> None:
    office.says("bob", "stop")
    office.work()
    [(action, same)] = office.sql(
        "SELECT a.action, c.address_id = a.subject_id FROM audit a"
        " JOIN consent c ON c.id = (a.detail ->> 'consent')::bigint"
    )
    assert (action, same) == ("address.opt_out", True)


def test_a_head_that_was_noted_tells_of_a_cut_tail(engine: Engine) -> None:
    with transaction(engine) as session:
        assert audit_log.head(session) == ChainHead(0, "")
        audit_log.record(session, "root", "people.role", 7)
        noted = audit_log.head(session)
    with transaction(engine) as session:
        assert noted.number == 1
        assert audit_log.chain_stands(session, noted)
        assert not audit_log.chain_stands(session, noted._replace(hash="00"))
        assert not audit_log.chain_stands(session, noted._replace(number=2))


def test_the_migration_chains_what_was_there(servers: Servers) -> None:
    administer(servers, "CREATE DATABASE chained")
    engine = connect(embedded.database_url(servers.var, "chained", embedded.OWNER))
    migrations.migrate(engine, "0002")
    with engine.begin() as old:
        kim = old.scalar(text("INSERT INTO accounts (kind, handle, name) VALUES ('person', 'kim', 'Kim') RETURNING id"))
        for actor, action, detail in (
            ("root", "people.suspend", '{"handle": "kim", "reason": "Kim lost it"}'),
            ("@kim", "people.alias", '{"added": ["kimmy"]}'),
        ):
            row = {"actor": actor, "action": action, "detail": detail}
            old.execute(text("INSERT INTO audit (actor, action, detail) VALUES (:actor, :action, :detail)"), row)
    migrations.migrate(engine)
    assert chain(engine) == [(1, True), (2, True)]
    with engine.begin() as now:
        rows = now.execute(text("SELECT actor, detail FROM audit ORDER BY number")).all()
    assert [tuple(row) for row in rows] == [
        ("root", {"handle": f"account:{kim}"}),
        (f"account:{kim}", {"added": 1}),
    ]
    engine.dispose()
    administer(servers, "DROP DATABASE chained WITH (FORCE)")
