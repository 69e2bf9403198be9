"""Trouble of the database that passes is nobody's crash: the row is given back, tried again, and not at a hot pace."""

import time
from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.orm import Session

from gateway.ledger.inbox import inbox
from gateway.ledger.inbox.inbox import Incoming
from gateway.ledger.operations import redactions
from gateway.ledger.outbox import fanouts
from gateway.settings import Settings
from gateway.store.database import claim_mode, concerns_one, connect, passes, transaction
from tests.support.database_errors import OF_ALL, OF_ONE, break_table, fails, mend
from tests.support.delivering import change, open_context, person, rows
from workers import inbound, mail_auth
from workers import media as picture_worker
from workers.runtime import transient_errors
from workers.runtime.context import WorkerContext, enter

OF_THE_ROW = ["22012", "23505", "42601", "XX000", "P0001"]
PHONE = "+14155550123"


@pytest.fixture
def context(settings: Settings, engine: Engine) -> Iterator[WorkerContext]:
    with transaction(engine) as session:
        claim_mode(session, "simulated")
    person(engine, "sam", PHONE)
    person(engine, "kim", mailbox="kim@corp.example")
    change(engine, "UPDATE addresses SET state = 'verified'")
    context = open_context(settings)
    enter(context)
    yield context
    context.close()
    enter(None)


def accept(engine: Engine, number: int = 1, words: str = "hello everybody", **more: object) -> int:
    given = {"channel": "sms", "sender": PHONE, "text": words, "trusted": True, "raw": b"", **more}
    incoming = Incoming(identity=b"%d" % number, recipients=("+15005550006",), message_id=str(number), **given)  # type: ignore[arg-type]
    with transaction(engine) as session:
        return next(iter(inbox.accept(session, inbox.hash_key(session), [incoming]).values()))


def once_more(engine: Engine) -> None:
    change(engine, "UPDATE inbound SET not_before = NULL")


def test_a_text_is_not_blamed(context, engine):
    accept(engine)
    for state in [*OF_ONE, *OF_ALL]:
        break_table(engine, "posts", state)
        for _ in range(4):
            fails(inbound.step, context)
            assert rows(engine, "SELECT state, attempt, lease_until FROM inbound") == [("new", 0, None)], state
            once_more(engine)
        mend(engine, "posts")
    inbound.step(context)
    assert rows(engine, "SELECT state FROM inbound") == [("done",)]


def test_a_mail_that_is_proved_is_not_blamed(context, engine):
    mail = b"From: kim@corp.example\r\nTo: post@mail.example\r\nMessage-ID: <1@x>\r\n\r\nhello\r\n"
    accept(engine, channel="email", sender="kim@corp.example", trusted=False, raw=mail, text=None)
    for state in [*OF_ONE, *OF_ALL]:
        break_table(engine, "inbound", state, "UPDATE", "NEW.state <> OLD.state")
        for _ in range(3):
            fails(mail_auth.step, context)
            assert rows(engine, "SELECT state, attempt, lease_until FROM inbound") == [("unproved", 0, None)], state
            once_more(engine)
        mend(engine, "inbound")
    mail_auth.step(context)
    assert rows(engine, "SELECT count(*) FROM inbound WHERE state = 'unproved' AND not_before IS NULL") == [(0,)]


def test_a_picture_is_not_blamed(context, engine, monkeypatch):
    inbound_id = accept(engine)
    change(engine, f"INSERT INTO media (inbound_id, number, url) VALUES ({inbound_id}, 0, 'https://x.example/1')")
    monkeypatch.setattr(picture_worker, "_brought", lambda *_: b"%PDF-1.4\n%%EOF\n")
    monkeypatch.setattr(
        picture_worker, "_cleaned", lambda content, _: picture_worker.CleanedFile(content, "application/pdf")
    )
    for state in [*OF_ONE, *OF_ALL]:
        break_table(engine, "media", state, "UPDATE", "NEW.state = 'fetched'")
        for _ in range(2):
            fails(picture_worker.step, context)
            assert rows(engine, "SELECT state, attempt FROM media") == [("new", 0)], state
            change(engine, "UPDATE media SET not_before = now()")
        mend(engine, "media")
    picture_worker.step(context)
    assert rows(engine, "SELECT state FROM media") == [("fetched",)]


@pytest.mark.parametrize("state", OF_THE_ROW)
def test_its_own_fault_stays_its_own(context, engine, state):
    accept(engine)
    break_table(engine, "posts", state)
    inbound.step(context)
    assert rows(engine, "SELECT state, attempt FROM inbound") == [("working", 1)]


@pytest.mark.parametrize("state", OF_ONE)
def test_a_row_that_always_meets_it_keeps_nobody_waiting(context, engine, state, caplog):
    accept(engine, 1, "the slow one")
    accept(engine, 2, "another", sender="+14155550199")
    break_table(engine, "posts", state, when="NEW.text = 'the slow one'")
    for _ in range(transient_errors.AT_ONCE):
        fails(inbound.step, context)
    inbound.step(context)
    found = dict(rows(engine, "SELECT message_id, state FROM inbound"))
    assert found["1"] == "new"
    assert found["2"] != "new"
    (wait,) = rows(engine, "SELECT not_before - now() FROM inbound WHERE message_id = '1'")
    assert timedelta(seconds=5) < wait[0] <= transient_errors.FIRST


def test_what_comes_after_it_waits_for_it_and_a_stop_does_not(context, engine):
    accept(engine, 1, "the slow one")
    break_table(engine, "posts", "57014", when="NEW.text = 'the slow one'")
    for _ in range(transient_errors.AT_ONCE + 1):
        fails(inbound.step, context)
    accept(engine, 2, "another")
    accept(engine, 3, "STOP")
    inbound.step(context)
    found = "SELECT message_id, state, attempt, not_before = max(not_before) OVER () FROM inbound ORDER BY id"
    assert rows(engine, found) == [("1", "new", 0, True), ("2", "new", 0, True), ("3", "done", 1, None)]
    for _ in range(2):  # the first one meets it again, the second one has waited before
        once_more(engine)
        change(engine, "UPDATE inbound SET not_before = now() WHERE message_id = '2'")
        inbound.step(context)
        assert [row.state for row in rows(engine, "SELECT state FROM inbound ORDER BY id")] == ["new", "new", "done"]
    mend(engine, "posts")
    change(engine, "UPDATE inbound SET not_before = now()")
    inbound.step(context)
    inbound.step(context)
    done = "SELECT message_id, state FROM inbound WHERE state = 'done' ORDER BY done_at, id"
    assert [row.message_id for row in rows(engine, done)] == ["3", "1", "2"]


def test_what_has_met_it_for_an_hour_holds_up_nobody(context, engine):
    accept(engine, 1, "the slow one")
    change(engine, "UPDATE inbound SET id = id - (4000::bigint * 1000 << 16), not_before = now() + interval '1 minute'")
    accept(engine, 2, "another")
    inbound.step(context)
    assert [row.state for row in rows(engine, "SELECT state FROM inbound ORDER BY id")] == ["new", "done"]


HELPED = "SELECT set_config('tests.helper', 'on', true)"
NOT_HELPED = "current_setting('tests.helper', true) IS DISTINCT FROM 'on'"


def test_what_could_not_be_given_back_is_no_crash(context, engine):
    """The database is away when the worker gives its row back, and a sweep takes it back for a crash meanwhile."""
    accept(engine)
    break_table(engine, "inbound", "57P01", "UPDATE", f"OLD.state = 'working' AND {NOT_HELPED}")
    for _ in range(inbox.CRASHES + 1):
        fails(inbound.step, context)
        with transaction(engine) as session:
            session.execute(text(HELPED))
            session.execute(text("UPDATE inbound SET lease_until = now() - interval '1 s' WHERE state = 'working'"))
            inbox.expire(session)
    mend(engine, "inbound")
    inbound.step(context)
    assert rows(engine, "SELECT state, attempt FROM inbound") == [("done", 1)]


def test_a_fan_out_that_fails_for_days_holds_up_no_other(context, engine):
    """No interval can be made of two to the power of its tries."""
    change(engine, "INSERT INTO redactions (carrier_id, attempt) VALUES ('SM1', 500)")
    with transaction(engine) as session:
        assert redactions.due(session, 10) == ["SM1"]
    accept(engine)
    inbound.step(context)
    change(engine, "UPDATE fanouts SET state = 'waiting', attempt = 500")
    with transaction(engine) as session:
        fanout = fanouts.claim(session)
        assert fanout
        fanouts.postpone(session, fanout.message_id, fanout.source_id)
    assert rows(engine, "SELECT attempt, not_before > now() + interval '59 minutes' FROM fanouts") == [(501, True)]


def problem(state: str) -> OperationalError:
    error = Exception()
    error.sqlstate = state  # type: ignore[attr-defined]
    return OperationalError(None, None, error)


def test_the_pause_grows_and_ends_with_success():
    watch = transient_errors.TransientErrors()
    pauses = [watch.pause("inbound", 1, problem("57014")) for _ in range(12)]
    assert pauses[: transient_errors.AT_ONCE + 2] == [None, None, timedelta(seconds=10), timedelta(seconds=20)]
    assert pauses[-1] == transient_errors.LONGEST
    assert watch.pause("inbound", 2, problem("57014")) is None
    watch.over("inbound", 1)
    assert watch.pause("inbound", 1, problem("57014")) is None
    assert watch.pause("inbound", 1, problem("53300")) is None
    with pytest.raises(OperationalError):
        watch.pause("inbound", 1, problem("22012"))


def test_whatever_passes_looks_alike_to_workers(settings, engine):
    ours = connect(settings.database_url)
    for state in [*OF_ONE, *OF_ALL]:
        with pytest.raises(OperationalError) as raised, transaction(ours) as session:
            session.execute(text(f"DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '{state}'; END $$"))
        assert passes(raised.value)
        assert concerns_one(raised.value) == (state in OF_ONE)


@pytest.mark.parametrize("state", OF_THE_ROW)
def test_what_does_not_pass_is_left_as_it_is(settings, engine, state):
    with pytest.raises(DBAPIError) as raised, transaction(connect(settings.database_url)) as session:
        session.execute(text(f"DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '{state}'; END $$"))
    assert not isinstance(raised.value, OperationalError) or not passes(raised.value)


def test_the_real_ones(settings, engine):
    """A statement that takes too long, a transaction that stands still, a pool without a connection."""
    ours = connect(settings.database_url)
    for does in (_sleep_long, _stand_still):
        with pytest.raises(OperationalError) as met, transaction(ours) as session:
            does(session)
        assert passes(met.value)
        assert concerns_one(met.value)
    with transaction(ours) as session:
        assert session.scalar(text("SELECT 1")) == 1  # on another connection
    full = create_engine(settings.database_url, pool_size=1, max_overflow=0, pool_timeout=0.1)
    with transaction(full) as first:
        first.execute(text("SELECT 1"))
        with pytest.raises(OperationalError) as none_free, transaction(full) as second:
            second.execute(text("SELECT 1"))
    assert passes(none_free.value)
    assert not concerns_one(none_free.value)


def _sleep_long(session: Session) -> None:
    session.execute(text("SET LOCAL statement_timeout = '20ms'"))
    session.execute(text("SELECT pg_sleep(5)"))


def _stand_still(session: Session) -> None:
    session.execute(text("SET LOCAL idle_in_transaction_session_timeout = '20ms'"))
    session.execute(text("SELECT 1"))
    time.sleep(0.3)
    session.execute(text("SELECT 1"))


def test_a_pool_leaves_a_server_that_only_reads_now(engine: Engine) -> None:
    """Another has taken its place, and it goes on answering on the connections that it had."""
    write = text("DELETE FROM tallies")
    with engine.connect() as connection:
        connection.exec_driver_sql("SET default_transaction_read_only = on")
        connection.commit()
    with pytest.raises(OperationalError), transaction(engine) as session:
        session.execute(write)
    with transaction(engine) as session:
        session.execute(write)
