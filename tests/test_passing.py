"""Trouble of the database that passes is nobody's crash: the row is given back, tried again, and not at a hot pace."""

import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta

import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.orm import Session

from gateway.ledger import inbox
from gateway.ledger.inbox import Incoming
from gateway.settings import Settings
from gateway.store.database import claim_mode, concerns_one, connect, passes, transaction
from tests.databases import restructure
from tests.delivering import change, open_room, person, rows
from workers import inbound, passing, proving
from workers import pictures as picture_worker
from workers.room import Room, enter

# https://www.postgresql.org/docs/current/errcodes-appendix.html
OF_ONE = ["57014", "55P03", "40001", "40P01", "25P03", "25P04"]
OF_ALL = ["08000", "08003", "08006", "08001", "08004", "57P01", "57P02", "57P03", "53100", "53200", "53300", "53400",
          "55006", "58030", "58P01", "25006"]  # fmt: skip
OF_THE_ROW = ["22012", "23505", "42601", "XX000", "P0001"]
PHONE = "+14155550123"


@pytest.fixture
def here(settings: Settings, engine: Engine) -> Iterator[Room]:
    with transaction(engine) as session:
        claim_mode(session, "simulated")
    person(engine, "sam", PHONE)
    person(engine, "kim", mailbox="kim@corp.example")
    change(engine, "UPDATE addresses SET state = 'verified'")
    room = open_room(settings)
    enter(room)
    yield room
    room.close()
    enter(None)


def accept(engine: Engine, number: int = 1, words: str = "hello everybody", **more: object) -> int:
    given = {"channel": "sms", "sender": PHONE, "text": words, "trusted": True, "raw": b"", **more}
    incoming = Incoming(identity=b"%d" % number, recipients=("+15005550006",), message_id=str(number), **given)  # type: ignore[arg-type]
    with transaction(engine) as session:
        return next(iter(inbox.accept(session, inbox.hash_key(session), [incoming]).values()))


def break_table(engine: Engine, table: str, state: str, action: str = "INSERT", when: str = "true") -> None:
    """Whoever writes into it gets this SQLSTATE."""
    restructure(
        engine,
        f"CREATE OR REPLACE FUNCTION broken() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF {when} THEN"
        f" RAISE EXCEPTION 'made up' USING ERRCODE = '{state}'; END IF; RETURN NEW; END $$",
    )
    restructure(
        engine, f"CREATE OR REPLACE TRIGGER broken BEFORE {action} ON {table} FOR EACH ROW EXECUTE FUNCTION broken()"
    )


def mend(engine: Engine, table: str) -> None:
    restructure(engine, f"DROP TRIGGER broken ON {table}")


def fails(step, here: Room) -> None:
    """One step, whatever it raises of the database: the drain would log it."""
    with suppress(OperationalError):
        step(here)


def once_more(engine: Engine) -> None:
    change(engine, "UPDATE inbound SET not_before = NULL")


def test_a_text_is_not_blamed(here, engine):
    accept(engine)
    for state in [*OF_ONE, *OF_ALL]:
        break_table(engine, "posts", state)
        for _ in range(4):
            fails(inbound.step, here)
            assert rows(engine, "SELECT state, attempt, lease_until FROM inbound") == [("new", 0, None)], state
            once_more(engine)
        mend(engine, "posts")
    inbound.step(here)
    assert rows(engine, "SELECT state FROM inbound") == [("done",)]


def test_a_mail_that_is_proved_is_not_blamed(here, engine):
    mail = b"From: kim@corp.example\r\nTo: post@mail.example\r\nMessage-ID: <1@x>\r\n\r\nhello\r\n"
    accept(engine, channel="email", sender="kim@corp.example", trusted=False, raw=mail, text=None)
    for state in [*OF_ONE, *OF_ALL]:
        break_table(engine, "inbound", state, "UPDATE", "NEW.state <> OLD.state")
        for _ in range(3):
            fails(proving.step, here)
            assert rows(engine, "SELECT state, attempt, lease_until FROM inbound") == [("unproved", 0, None)], state
            once_more(engine)
        mend(engine, "inbound")
    proving.step(here)
    assert rows(engine, "SELECT count(*) FROM inbound WHERE state = 'unproved' AND not_before IS NULL") == [(0,)]


def test_a_picture_is_not_blamed(here, engine, monkeypatch):
    inbound_id = accept(engine)
    change(engine, f"INSERT INTO media (inbound_id, number, url) VALUES ({inbound_id}, 0, 'https://x.example/1')")
    monkeypatch.setattr(picture_worker, "_brought", lambda *_: b"%PDF-1.4\n%%EOF\n")
    monkeypatch.setattr(picture_worker, "_cleaned", lambda content, _: ((content, None), "application/pdf"))
    for state in [*OF_ONE, *OF_ALL]:
        break_table(engine, "media", state, "UPDATE", "NEW.state = 'fetched'")
        for _ in range(2):
            fails(picture_worker.step, here)
            assert rows(engine, "SELECT state, attempt FROM media") == [("new", 0)], state
            change(engine, "UPDATE media SET not_before = now()")
        mend(engine, "media")
    picture_worker.step(here)
    assert rows(engine, "SELECT state FROM media") == [("fetched",)]


@pytest.mark.parametrize("state", OF_THE_ROW)
def test_its_own_fault_stays_its_own(here, engine, state):
    accept(engine)
    break_table(engine, "posts", state)
    inbound.step(here)
    assert rows(engine, "SELECT state, attempt FROM inbound") == [("working", 1)]


@pytest.mark.parametrize("state", OF_ONE)
def test_a_row_that_always_meets_it_keeps_nobody_waiting(here, engine, state, caplog):
    accept(engine, 1, "the slow one")
    accept(engine, 2, "another", sender="+14155550199")
    break_table(engine, "posts", state, when="NEW.text = 'the slow one'")
    for _ in range(passing.AT_ONCE):
        fails(inbound.step, here)
    inbound.step(here)
    found = dict(rows(engine, "SELECT message_id, state FROM inbound"))
    assert found["1"] == "new"
    assert found["2"] != "new"
    (wait,) = rows(engine, "SELECT not_before - now() FROM inbound WHERE message_id = '1'")
    assert timedelta(seconds=5) < wait[0] <= passing.FIRST


def problem(state: str) -> OperationalError:
    error = Exception()
    error.sqlstate = state  # type: ignore[attr-defined]
    return OperationalError(None, None, error)


def test_the_pause_grows_and_ends_with_success():
    watch = passing.Passing()
    pauses = [watch.pause("inbound", 1, problem("57014")) for _ in range(12)]
    assert pauses[: passing.AT_ONCE + 2] == [None, None, timedelta(seconds=10), timedelta(seconds=20)]
    assert pauses[-1] == passing.LONGEST
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
