"""Each task of the clock fails alone (R63): counted, written down, alarmed, tried again; the others go on."""

import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psycopg
import pytest
import structlog
from sqlalchemy import Engine, text
from sqlalchemy.exc import OperationalError

from gateway.ledger.commit import counters
from gateway.ledger.operations import partitions, retention, task_failures
from gateway.ledger.operations.task_failures import OFTEN
from gateway.ledger.outbox.outbox import Target
from gateway.settings import Settings
from gateway.store.database import transaction
from tests.support.databases import restructure
from tests.support.delivering import change, open_context, people, person, post, rows
from tests.support.office import Office
from workers.runtime import periodic_tasks
from workers.runtime.context import WorkerContext
from workers.runtime.periodic_tasks import Failures, Task
from workers.upkeep import media_gc, scheduler
from workers.upkeep.retention import Cleaning, ages


@pytest.fixture
def context(settings: Settings) -> Iterator[WorkerContext]:
    context = open_context(settings)
    yield context
    context.close()


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is tried again is tried again soon."""
    monkeypatch.setattr(periodic_tasks, "SECOND", 0.01)
    monkeypatch.setattr(periodic_tasks, "OFTEN_DONE", 0.05)
    monkeypatch.setattr(periodic_tasks, "LONGEST", 0.05)
    monkeypatch.setattr(periodic_tasks, "LOOK", 0.05)


@pytest.fixture
def logged() -> Iterator[list[dict[str, Any]]]:
    with structlog.testing.capture_logs() as lines:
        yield lines  # type: ignore[misc]


@contextmanager
def ticking(context: WorkerContext, tasks: Sequence[Task] | None) -> Iterator[None]:
    thread = threading.Thread(target=scheduler.run, args=(context, tasks))
    thread.start()
    try:
        yield
    finally:
        context.stop()
        thread.join(20)
        assert not thread.is_alive()


def until(true: Callable[[], Any], seconds: float = 10.0) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.02)


def listed(context: WorkerContext) -> list[Task]:
    """Every task that stands in the code, whatever the settings."""
    return scheduler.tasks(context.settings, reads=True)


def names() -> list[str]:
    from gateway.settings import load

    with TemporaryDirectory() as var:  # a key is kept there
        return [task.name for task in scheduler.tasks(load({"CRITTER_VAR": var}), reads=True)]


class Counting:
    """The tasks, each of which is counted and done often; one of them does something else."""

    def __init__(self, tasks: Sequence[Task], bad: str, does: Callable[[], None]) -> None:
        self.done: Counter[str] = Counter()
        self.bad, self._does = bad, does
        self.tasks = [replace(task, every=0.03, make=self._make(task)) for task in tasks]

    def _make(self, task: Task) -> Callable[[WorkerContext, Failures], Callable[[], float | None]]:
        def make(context: WorkerContext, failures: Failures) -> Callable[[], float | None]:
            turn = task.make(context, failures) if task.name not in (self.bad, "texts_listed") else self._does

            def counted() -> None:
                self.done[task.name] += 1
                if task.name == self.bad:
                    self._does()
                elif task.name != "texts_listed":  # there is no carrier here
                    turn()

            return counted

        return make

    def others_go_on(self) -> bool:
        return all(self.done[task.name] >= 3 for task in self.tasks if task.name != self.bad)


def breaks() -> None:
    raise RuntimeError("a bug")


def ends() -> None:
    raise SystemExit(3)


def failures(engine: Engine) -> dict[str, tuple[int, str]]:
    with transaction(engine) as session:
        return {row.task: (row.failures, row.reason) for row in session.execute(text("SELECT * FROM task_failures"))}


@pytest.mark.parametrize("name", names())
@pytest.mark.usefixtures("hurried")
def test_each_task_fails_alone(context: WorkerContext, engine: Engine, name: str, logged: list[dict[str, Any]]) -> None:
    counting = Counting(listed(context), name, breaks)
    counters.take_counts()
    with ticking(context, counting.tasks):
        until(lambda: counting.done[name] > OFTEN)
        counting.done.clear()
        until(counting.others_go_on)
        until(lambda: failures(engine).get(name, (0,))[0] >= OFTEN)
    assert set(failures(engine)) == {name}
    assert failures(engine)[name][1] == "RuntimeError"
    assert counters.take_counts()["task_failures", name] >= OFTEN
    assert any(line["event"] == "a task of the clock keeps failing" and line["task"] == name for line in logged)


@pytest.mark.usefixtures("hurried")
def test_what_would_end_a_process_ends_no_clock(context: WorkerContext, engine: Engine) -> None:
    counting = Counting(listed(context), "months", ends)
    with ticking(context, counting.tasks):
        until(lambda: counting.done["months"] > 2)
        counting.done.clear()
        until(counting.others_go_on)
    assert failures(engine)["months"][1] == "SystemExit"


@pytest.mark.usefixtures("hurried")
def test_a_task_that_hangs_stops_no_other_and_is_told(
    context: WorkerContext, engine: Engine, logged: list[dict[str, Any]]
) -> None:
    released = threading.Event()
    counting = Counting(listed(context), "due", lambda: released.wait(20) and None)
    tasks = [replace(task, longest=0.3) if task.name == "due" else task for task in counting.tasks]
    with ticking(context, tasks):
        until(lambda: failures(engine) == {"due": (OFTEN, "hangs")})
        counting.done.clear()
        until(counting.others_go_on)
        assert sum(line["event"] == "a task of the clock hangs" for line in logged) == 1
        released.set()
        until(lambda: failures(engine) == {})


@pytest.mark.usefixtures("hurried")
def test_a_statement_that_takes_too_long_is_the_tasks_fault(context: WorkerContext, engine: Engine) -> None:
    def slow() -> None:
        with transaction(context.engine) as session:
            session.execute(text("SET LOCAL statement_timeout = '20ms'"))
            session.execute(text("SELECT pg_sleep(5)"))

    counting = Counting(listed(context), "delays", slow)
    with ticking(context, counting.tasks):
        until(lambda: failures(engine).get("delays", (0, ""))[0] >= 2)
    assert failures(engine)["delays"][1] == "QueryCanceled"


@pytest.mark.usefixtures("hurried")
def test_a_lost_connection_is_nobodys_fault(
    context: WorkerContext, engine: Engine, logged: list[dict[str, Any]]
) -> None:
    mine = {"due": 0}

    def lose() -> None:
        mine["due"] += 1
        with transaction(context.engine) as session:
            session.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))

    counting = Counting(listed(context), "due", lose)
    with ticking(context, counting.tasks):
        until(lambda: mine["due"] > 2 * OFTEN)
    assert failures(engine) == {}
    assert not any("a task of the clock" in line["event"] for line in logged)
    assert any(line["event"] == "database is away" for line in logged)


@pytest.mark.usefixtures("hurried")
def test_success_ends_the_alarm(context: WorkerContext, engine: Engine, office: Office) -> None:
    broken = [True]
    counting = Counting(listed(context), "months", lambda: breaks() if broken[0] else None)
    with ticking(context, counting.tasks):
        until(lambda: failures(engine).get("months", (0,))[0] >= OFTEN)
        told = office.critter("check").output
        assert "wrong  clock       its task months keeps failing" in told
        broken[0] = False
        until(lambda: failures(engine) == {})
    assert "none of its tasks keeps failing" in office.critter("check").output


def test_it_waits_longer_after_each_failure() -> None:
    runner = periodic_tasks.TaskRunner.__new__(periodic_tasks.TaskRunner)
    for every, most in ((1.0, periodic_tasks.OFTEN_DONE), (3600.0, periodic_tasks.LONGEST)):
        runner.task = Task("one", every, lambda *_: breaks)
        waits = [runner._later(failures) for failures in range(1, 15)]
        assert waits == sorted(waits)
        assert (waits[0], waits[-1]) == (periodic_tasks.SECOND, most)


@pytest.mark.parametrize(
    ("problem", "away"),
    [
        (psycopg.OperationalError("server closed the connection"), True),
        (psycopg.errors.AdminShutdown(), True),
        (psycopg.errors.CannotConnectNow(), True),
        (psycopg.errors.TooManyConnections(), True),
        (psycopg.errors.QueryCanceled(), False),
        (psycopg.errors.LockNotAvailable(), False),
        (psycopg.errors.DiskFull(), False),
        (psycopg.errors.DeadlockDetected(), False),
    ],
)
def test_what_counts_as_away(problem: Exception, away: bool) -> None:
    assert periodic_tasks.is_away(OperationalError("SELECT", {}, problem)) is away


@pytest.mark.parametrize("kind", [kind.name for kind in retention.KINDS])
def test_each_kind_of_what_is_old_fails_alone(
    engine: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    real, done = retention.batch, set()

    def batch(session: Any, what: Any, old: Any) -> int | None:
        if what.name == kind:
            raise RuntimeError("a bug")
        done.add(what.name)
        return real(session, what, old)

    monkeypatch.setattr(retention, "batch", batch)
    cleaning = Cleaning(engine, retention.KINDS, ages(settings), Failures(engine))
    while cleaning.run_once() is not None:
        pass
    assert done == {one.name for one in retention.KINDS} - {kind}
    assert failures(engine) == {f"retention_{kind}": (1, "RuntimeError")}


def test_each_shelf_of_the_media_folder_fails_alone(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for shelf in ("00", "11", "22"):
        (tmp_path / "media" / shelf).mkdir(parents=True)
        (tmp_path / "media" / shelf / f"{shelf}.part").touch()
        os.utime(tmp_path / "media" / shelf / f"{shelf}.part", (0, 0))
    real = media_gc.clear

    def clear(engine: Engine, var: Path, shelf: Path) -> int:
        if shelf.name == "11":
            raise PermissionError("not ours")
        return real(engine, var, shelf)

    monkeypatch.setattr(media_gc, "clear", clear)
    sweeping = media_gc.Sweeping(engine, tmp_path, Failures(engine))
    while sweeping.run_once() is not None:
        pass
    assert [path.name for path in tmp_path.rglob("*.part")] == ["11.part"]
    assert failures(engine) == {media_gc.SHELVES: (1, "PermissionError")}
    monkeypatch.undo()
    while sweeping.run_once() is not None:
        pass
    assert failures(engine) == {}


def test_a_table_that_cannot_be_read_keeps_no_other_bell_silent(
    context: WorkerContext, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    woken: list[str] = []
    monkeypatch.setattr(context.notifier, "notify", lambda name, job=False: woken.append(name))
    change(engine, "INSERT INTO inbound (channel, natural_key, sender, recipients, trusted)"
                   " VALUES ('sms', '\\x01', '+1', '{}', true)")  # fmt: skip
    restructure(engine, "ALTER TABLE media RENAME TO media_elsewhere")
    with pytest.raises(Exception, match="media"):
        scheduler.look(context)
    assert woken == ["inbound"]


def in_default(engine: Engine, month: str, count: int, *, first: int = 0) -> None:
    """Rows of a month that has no partition, as a clock that stood still leaves them."""
    change(
        engine,
        f"INSERT INTO deliveries (message_id, address_id, channel, priority, give_up_at)"
        f" SELECT id_at('{month}-10 12:00+00') + {first} + n, 1, 'email', 5, now() FROM generate_series(1, {count}) n",
    )


def placed(engine: Engine) -> dict[str, int]:
    found = rows(engine, "SELECT tableoid::regclass::text AS part, count(*) AS n FROM deliveries GROUP BY 1")
    return {row.part: row.n for row in found}


def test_rows_move_out_of_the_default_partition_first(context: WorkerContext, engine: Engine, office: Office) -> None:
    coming = rows(engine, "SELECT relname FROM pg_class WHERE relkind = 'r' AND relname ~ '^deliveries_20' ORDER BY 1")
    last = coming[-1].relname
    restructure(engine, f"DROP TABLE {last}")
    month = last.removeprefix("deliveries_").replace("_", "-")
    in_default(engine, month, 3)
    in_default(engine, "2031-01", 2)
    assert "wrong  months      5 deliveries without a partition of the month" in office.critter("check").output
    while scheduler.ensure_months(context) is not None:
        pass
    assert placed(engine) == {last: 3, "deliveries_2031_01": 2}
    assert "each delivery is in its month" in office.critter("check").output
    in_default(engine, month, 1, first=100)
    assert placed(engine)[last] == 4


def test_they_move_in_small_steps_and_whole_messages(engine: Engine) -> None:
    in_default(engine, "2031-01", 25)
    change(
        engine,
        "INSERT INTO deliveries (message_id, address_id, channel, priority, give_up_at)"
        " SELECT id_at('2031-01-10 12:00+00') + 7, n, 'email', 5, now() FROM generate_series(2, 20) n",
    )
    steps = []
    while True:
        with transaction(engine) as session:
            if not partitions.move(session, 10):
                break
        steps.append(placed(engine).get("deliveries_2031_01", 0))
        assert sum(placed(engine).values()) == 44
    assert steps == sorted(set(steps))
    assert len(steps) > 1
    assert placed(engine) == {"deliveries_2031_01": 44}
    made = "SELECT indexdef FROM pg_indexes WHERE tablename = '{}' ORDER BY 1"
    shapes = [
        [row.indexdef.partition(" USING ")[2] for row in rows(engine, made.format(table))]
        for table in ("deliveries_2031_01", "deliveries_default")
    ]
    assert sorted(shapes[0]) == sorted(shapes[1])


def test_who_holds_the_table_is_not_made_to_wait_long(engine: Engine) -> None:
    in_default(engine, "2031-01", 3)
    with engine.connect() as busy:
        busy.execute(text("SELECT count(*) FROM deliveries"))
        began = time.monotonic()
        with pytest.raises(OperationalError), transaction(engine) as session:
            partitions.move(session)
        assert time.monotonic() - began < 2
    with transaction(engine) as session:
        assert partitions.move(session)


def test_nothing_is_lost_while_rows_come_in_and_are_claimed(engine: Engine) -> None:
    in_default(engine, "2031-01", 2_000)
    stop, problems, count = threading.Event(), [], [2_000]

    def write() -> None:
        while not stop.is_set():
            try:
                in_default(engine, "2031-01", 5, first=count[0])
                count[0] += 5
                change(
                    engine,
                    "UPDATE deliveries SET attempt = attempt + 1 WHERE (message_id, address_id) IN (SELECT message_id,"
                    " address_id FROM deliveries WHERE ended_at IS NULL ORDER BY random() LIMIT 3"
                    " FOR UPDATE SKIP LOCKED)",
                )
                claims[0] += 3
            except Exception as problem:  # noqa: BLE001  told by the test
                problems.append(problem)

    claims = [0]
    writers = [threading.Thread(target=write)]
    for each in writers:
        each.start()
    try:
        end = time.monotonic() + 30
        while time.monotonic() < end:
            try:
                with transaction(engine) as session:
                    if not partitions.move(session, 200):
                        break
            except OperationalError:
                time.sleep(0.02)
    finally:
        stop.set()
        for each in writers:
            each.join(10)
    assert problems == []
    found = rows(engine, "SELECT count(*) AS n, sum(attempt) AS attempts FROM deliveries")[0]
    assert (found.n, found.attempts) == (count[0], claims[0])
    with transaction(engine) as session:
        assert partitions.outside(session) == 0


@pytest.mark.parametrize("year", ["1970", "1999", "2090"])
def test_rows_of_a_wrong_clock_stop_no_others(context: WorkerContext, engine: Engine, year: str) -> None:
    """A machine without a clock of its own begins in 1970: those rows stay, and the months are made all the same."""
    last = rows(engine, "SELECT max(relname) AS name FROM pg_class WHERE relname ~ '^deliveries_20.{5}$'")[0].name
    restructure(engine, f"DROP TABLE {last}")
    in_default(engine, f"{year}-02", 2)
    in_default(engine, "2031-01", 3)
    while scheduler.ensure_months(context) is not None:
        pass
    assert placed(engine) == {"deliveries_default": 2, "deliveries_2031_01": 3}
    assert rows(engine, f"SELECT to_regclass('{last}') IS NOT NULL AS there")[0].there


def test_a_migration_moves_them_too(engine: Engine) -> None:
    import migrations

    in_default(engine, "2031-01", 3)
    migrations.migrate(engine)
    assert placed(engine) == {"deliveries_2031_01": 3}


def test_failures_of_tasks_that_are_no_more_are_forgotten(engine: Engine) -> None:
    with transaction(engine) as session:
        task_failures.record_failure(session, "gone", OFTEN, "RuntimeError")
        task_failures.record_failure(session, "due", OFTEN, "RuntimeError")
        task_failures.forget_others(session, ["due"])
        assert [one.task for one in task_failures.list_failing(session)] == ["due"]


@pytest.mark.usefixtures("hurried")
def test_the_clock_goes_on_although_a_row_stands_in_the_default_partition(
    context: WorkerContext, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    woken: set[str] = set()
    monkeypatch.setattr(context.notifier, "notify", lambda name, job=False: woken.add(name))
    kim = person(engine, "kim", phone="+14155550101")[0]
    post(engine, kim, "hello", [Target(people(engine, 1)[0], "sms")])
    last = rows(engine, "SELECT max(relname) AS name FROM pg_class WHERE relname ~ '^deliveries_20.{5}$'")[0].name
    restructure(engine, f"DROP TABLE {last}")
    in_default(engine, last.removeprefix("deliveries_").replace("_", "-"), 1)
    with ticking(context, None):
        until(lambda: "sms" in woken and placed(engine).get(last) == 1)
    assert failures(engine) == {}
