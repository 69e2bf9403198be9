"""What happens to an urgent call when two act at once, and when a worker is lost at any moment of a step, a report, an
end, an answer or `undo`: nobody is told twice, and nobody is forgotten."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from sqlalchemy import event
from sqlalchemy.orm import Session

from gateway.network.calls import call_timers, escalation
from gateway.network.calls import calls as call_rows
from gateway.network.receipts import call_reports
from gateway.store.database import transaction
from tests.support.desk import Desk
from tests.support.urgent_call import begun, ending, forget, later, staff, states
from workers import calls

COPIES = """
    SELECT a.address, d.state, count(*) FROM deliveries d JOIN messages m ON m.id = d.message_id
    JOIN addresses a ON a.id = d.address_id WHERE m.instead_of IS NOT NULL GROUP BY 1, 2 ORDER BY 1, 2
"""
NOTICES = "SELECT count(*) FROM messages WHERE kind = 'notice' AND priority = 0"
BOTH = [("anne@demo.example", "queued", 1), ("pat@demo.example", "queued", 1)]
OPEN = """
    SELECT FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND xact_start IS NOT NULL
"""


def copies(desk: Desk) -> list[tuple[object, ...]]:
    return [tuple(row) for row in desk.office.sql(COPIES)]


def notices(desk: Desk) -> object:
    return desk.office.sql(NOTICES)[0][0]


def due_now(desk: Desk, minutes: int = 5) -> None:
    """Called, and not answered; what is due then is not done yet."""
    begun(desk)
    later(desk, minutes, work=False)


def says(desk: Desk, handle: str, words: str) -> None:
    desk.office.says(handle, words)
    desk.office.read()


class Lost(BaseException):
    """The worker is gone: nothing of it can handle that."""


@contextmanager
def lost_at(desk: Desk, number: int) -> Iterator[list[str]]:
    """The worker is lost when it is about to run its statement of that number; yields what it ran before."""
    ran: list[str] = []

    def count(_conn, _cursor, statement: str, *_: object) -> None:  # type: ignore[no-untyped-def]
        ran.append(statement)
        if len(ran) == number:
            raise Lost

    engines = {desk.context.engine, desk.office.engine}
    for engine in engines:
        event.listen(engine, "before_cursor_execute", count)
    try:
        yield ran
    finally:
        for engine in engines:
            event.remove(engine, "before_cursor_execute", count)


def _let_go(desk: Desk) -> None:
    """Waits until the server has ended the transaction of the lost worker: rows that it holds are skipped."""
    while desk.office.sql(OPEN):
        time.sleep(0.01)


def at_each_place(desk: Desk, do: Callable[[], object], check: Callable[[], None]) -> int:
    """Loses the worker at each of its statements, one after the other, and checks that nothing was done; at last it
    goes through. Returns the number of places."""
    number = 0
    while True:
        number += 1
        try:
            with lost_at(desk, number):
                do()
        except Lost:
            _let_go(desk)
            check()
            continue
        return number - 1


def test_a_step_is_whole_or_nothing_at_each_place(desk: Desk) -> None:
    due_now(desk)

    def nothing() -> None:
        assert copies(desk) == []
        assert states(desk)["anne"] == (0, False, True, None)

    assert at_each_place(desk, lambda: calls.step(desk.context), nothing) >= 4
    assert copies(desk) == BOTH
    desk.clean()


@pytest.mark.parametrize("minutes", [10, 30])
def test_a_report_and_an_end_are_whole_or_nothing_at_each_place(desk: Desk, minutes: int) -> None:
    due_now(desk)
    desk.work()
    later(desk, minutes - 5, work=False)
    while people := _step_people(desk):
        assert people
    forget(desk)

    def nothing() -> None:
        assert notices(desk) == 0
        assert ending(desk) is None

    assert at_each_place(desk, lambda: calls.step(desk.context), nothing) >= 5
    assert notices(desk) == 1
    assert ending(desk) == (None if minutes == 10 else "time")
    assert not calls.step(desk.context)
    desk.clean()


def _step_people(desk: Desk) -> int:
    with transaction(desk.context.engine) as session:
        people = escalation.due(session, 100)
        escalation.take(session, people)
        return len(people)


def test_an_answer_is_whole_or_nothing_at_each_place(desk: Desk) -> None:
    due_now(desk)
    desk.go_on_calling()
    desk.office.sql("DELETE FROM call_people USING accounts a WHERE a.id = account_id AND a.handle <> 'anne'")
    desk.office.says("anne", "ok")

    def nothing() -> None:
        assert states(desk)["anne"] == (1, False, True, None)
        assert ending(desk) is None
        desk.office.sql(
            "UPDATE inbound SET state = 'new', lease_until = NULL, lease_owner = NULL WHERE state = 'working'"
        )

    assert at_each_place(desk, desk.office.read, nothing) >= 10
    assert ending(desk) == "all"
    assert notices(desk) == 1


def test_undo_is_whole_or_nothing_at_each_place(desk: Desk) -> None:
    due_now(desk)
    desk.go_on_calling()
    desk.office.says("dana", "undo")

    def nothing() -> None:
        assert copies(desk) == BOTH
        assert ending(desk) is None
        assert notices(desk) == 0
        desk.office.sql(
            "UPDATE inbound SET state = 'new', lease_until = NULL, lease_owner = NULL WHERE state = 'working'"
        )

    assert at_each_place(desk, desk.office.read, nothing) >= 10
    assert ending(desk) == "undone"
    assert [row[1] for row in copies(desk)] == ["cancelled"] * 2
    desk.work()
    assert not calls.step(desk.context)
    desk.clean()


def test_sending_is_whole_or_nothing_at_each_place(desk: Desk) -> None:
    staff(desk)
    desk.says("dana", "urgent #dispatch gate 4 is closed, use gate 2")
    [asked] = desk.heard("dana")
    code = asked.split("Reply ")[1][:6]
    desk.office.says("dana", code)
    rows = "SELECT (SELECT count(*) FROM calls), (SELECT count(*) FROM call_people), (SELECT count(*) FROM posts)"

    def nothing() -> None:
        assert [tuple(row) for row in desk.office.sql(rows)] == [(0, 0, 0)]
        desk.office.sql(
            "UPDATE inbound SET state = 'new', lease_until = NULL, lease_owner = NULL WHERE state = 'working'"
        )

    assert at_each_place(desk, desk.office.read, nothing) >= 15
    assert [tuple(row) for row in desk.office.sql(rows)] == [(1, 4, 1)]
    desk.work()
    desk.clean()


def test_many_workers_take_each_step_once(desk: Desk) -> None:
    due_now(desk)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: calls.step(desk.context), range(16)))
    assert copies(desk) == BOTH
    later(desk, 5, work=False)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: calls.step(desk.context), range(16)))
    assert notices(desk) == 1
    later(desk, 30, work=False)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: calls.step(desk.context), range(16)))
    assert notices(desk) == 2
    assert ending(desk) == "time"
    desk.clean()


@contextmanager
def meanwhile(do: Callable[[], object]) -> Iterator[threading.Thread]:
    """Another worker begins within the transaction of this one, and comes to an end after it."""
    other = threading.Thread(target=do)
    other.start()
    other.join(0.5)
    yield other


def test_an_answer_that_comes_while_a_step_is_taken_calls_its_mail_back(desk: Desk) -> None:
    due_now(desk)
    desk.office.says("anne", "ok")
    with transaction(desk.context.engine) as session:
        escalation.take(session, escalation.due(session, 100))
        with meanwhile(desk.office.read) as answering:
            assert answering.is_alive()  # it waits for the step
    answering.join(20)
    assert copies(desk) == [("anne@demo.example", "cancelled", 1), ("pat@demo.example", "queued", 1)]
    assert states(desk)["anne"] == (1, True, False, None)
    desk.work()
    desk.clean()


def test_who_answers_first_gets_no_step(desk: Desk) -> None:
    due_now(desk)
    with transaction(desk.office.engine) as session:
        answer(session, desk, "anne")
        calls.step(desk.context)  # it passes her by
    assert copies(desk) == [("pat@demo.example", "queued", 1)]
    desk.clean()


def answer(session: Session, desk: Desk, handle: str) -> str:
    post = desk.office.sql("SELECT max(post_id) FROM calls")[0][0]
    person = desk.office.sql("SELECT id FROM accounts WHERE handle = :handle", handle=handle)[0][0]
    call = call_rows.lock(session, int(str(post)))
    assert call
    found = call_rows.answer(session, call, int(str(person)), None)
    assert found
    return found.state


def test_an_answer_that_commits_first_is_in_time_at_the_end(desk: Desk) -> None:
    due_now(desk, 31)
    while _step_people(desk):
        pass
    with transaction(desk.office.engine) as session:
        assert answer(session, desk, "anne") == "noted"
        assert not calls.step(desk.context)  # the call is locked: it ends when this is over
    assert calls.step(desk.context)
    assert ending(desk) == "time"
    assert states(desk)["anne"] == (1, True, False, None)
    desk.clean()


def test_an_answer_that_waits_for_the_end_is_late(desk: Desk) -> None:
    due_now(desk, 31)
    while _step_people(desk):
        pass
    desk.office.says("anne", "ok")
    with transaction(desk.context.engine) as session:
        call = call_timers.due(session)
        assert call
        assert call_timers.move(session, call) == "end"
        call_reports.tell_end(session, call)
        with meanwhile(desk.office.read) as answering:
            assert answering.is_alive()
    answering.join(20)
    assert desk.office.sql("SELECT count(*) FROM call_people WHERE late") == [(1,)]
    desk.work()
    assert any(one.startswith("Noted, but late: the call ended at ") for one in desk.heard("anne"))
    desk.clean()


def test_undo_that_comes_while_a_step_is_taken_stops_what_it_made(desk: Desk) -> None:
    due_now(desk)
    desk.office.says("dana", "undo")
    with transaction(desk.context.engine) as session:
        escalation.take(session, escalation.due(session, 100))
        with meanwhile(desk.office.read) as undoing:
            assert undoing.is_alive()
    undoing.join(20)
    assert [row[1] for row in copies(desk)] == ["cancelled"] * 2
    desk.work()
    assert not desk.mailed("pat")
    desk.clean()


def test_the_last_two_answers_at_once_end_it_once(desk: Desk) -> None:
    begun(desk)
    desk.office.sql(
        "DELETE FROM call_people USING accounts a WHERE a.id = account_id AND a.handle NOT IN ('bob', 'anne')"
    )
    for handle in ("bob", "anne"):
        desk.office.says(handle, "ok")
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda _: desk.office.read(), range(4)))
    assert ending(desk) == "all"
    assert notices(desk) == 1
    desk.clean()


def test_a_step_that_fails_is_tried_again_and_does_not_keep_the_others(desk: Desk, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    due_now(desk)
    right = escalation.take
    monkeypatch.setattr(escalation, "take", lambda *_: 1 / 0)
    assert calls.step(desk.context)
    assert copies(desk) == []
    monkeypatch.setattr(escalation, "take", right)
    assert not calls.step(desk.context)  # it waits a minute
    later(desk, 1, work=False)
    desk.go_on_calling()
    assert copies(desk) == BOTH
    desk.clean()
