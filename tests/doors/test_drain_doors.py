"""What `critter drain` says of the doors, each door has confirmed: after it ended well nothing comes in by any."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
import requests
from sqlalchemy import Engine

from critter.commands import drain as command
from critter.processes.app import build
from gateway.carriers.twilio.inbound_list import TwilioInbox
from gateway.ledger.commit import admission
from gateway.ledger.commit.admission import Admission, Closed
from gateway.ledger.inbox.inbox import Incoming
from gateway.ledger.inbox.writer import Intake
from gateway.ledger.operations import heartbeat
from gateway.ledger.operations.heartbeat import Heartbeat, owner
from gateway.settings import Settings
from tests.doors import test_fallback
from tests.doors import test_hook_door as hook
from tests.doors import test_kannel_door as kannel
from tests.support import mail_process
from tests.support.delivering import open_context
from tests.support.office import Office
from tests.support.simulation import ACCOUNT, OURS, TOKEN, simulation
from tests.support.web_process import changed, send, served, text
from workers.missed_texts import ListWatch

LATER = timedelta(minutes=10)
SLOW = 0.3  # seconds that a commit takes here, so that what was handed in before the drain ends after it began


# One process


@dataclass
class Clock:
    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


def test_it_is_confirmed_only_when_nothing_is_inside():
    clock, until = Clock(), datetime.now(UTC)
    gate = Admission(clock=clock)
    assert gate.enter()
    assert gate.confirmed() is None
    gate.hear(until, 15)
    assert not gate.enter()
    assert gate.confirmed() is None
    gate.leave()
    assert gate.confirmed() == until
    clock.now += 15
    assert gate.confirmed() is None
    assert gate.enter()


def test_what_lies_in_a_spool_is_not_stored_yet():
    spooled = [1]
    gate = Admission(lambda: not spooled)
    gate.hear(datetime.now(UTC), 15)
    assert gate.confirmed() is None
    spooled.clear()
    assert gate.confirmed() is not None


def test_who_lost_contact_is_closed_before_others_take_it_for_dead():
    clock = Clock()
    door, fallback_inbox = Admission(needs_contact=True, clock=clock), Admission(clock=clock)
    assert (door.enter(), fallback_inbox.enter()) == (False, True)  # nobody has told the first one anything yet
    door.hear(None)
    assert door.enter()
    clock.now += admission.LOST + 0.1
    assert (door.enter(), door.is_drained(), fallback_inbox.enter()) == (False, False, True)
    door.hear(None)
    assert door.enter()
    assert timedelta(seconds=admission.LOST) < command.drain_mode.ALIVE


def test_every_way_a_ticket_ends_is_counted(engine: Engine, office: Office) -> None:
    gate = Admission()
    intake = Intake(engine, lambda: None, gate)
    good = Incoming("sms", b"1", "+15551230001", ("+15005550006",), b"", True, "1", "hello")
    bad = Incoming("sms", b"2", "+15551230001", ("+15005550006",), b"", True, "2", "no\0body")
    cancelled = intake.submit(good)
    cancelled.cancel()
    for row in (good, bad):
        with suppress(Exception):
            intake.submit(row).result(9)
    gate.hear(datetime.now(UTC), 60)
    assert gate.wait_until_confirmed(5, threading.Event())
    with pytest.raises(Closed):
        intake.submit(good).result(9)
    intake.close()


# All doors, under load


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heartbeat, "BEAT", 0.2)
    monkeypatch.setattr(command, "LOOK", 0.05)


@pytest.fixture
def slow_commits(monkeypatch: pytest.MonkeyPatch) -> None:
    write = Intake._write

    def slow(self: Intake, incoming: list[Incoming]) -> None:
        time.sleep(SLOW)
        write(self, incoming)

    monkeypatch.setattr(Intake, "_write", slow)


@dataclass
class Load:
    """Somebody who sends without a pause, by one door; when the last yes came, and the first no."""

    one: Callable[[int], bool]
    number: int = 0
    yes: list[float] = field(default_factory=list)
    no: list[float] = field(default_factory=list)

    def run(self, ended: threading.Event) -> None:
        while not ended.is_set():
            self.number += 1
            with suppress(OSError):
                (self.yes if self.one(self.number) else self.no).append(time.monotonic())


@contextmanager
def running(*work: Callable[[threading.Event], object]) -> Iterator[None]:
    ended = threading.Event()
    threads = [threading.Thread(target=one, args=(ended,)) for one in work for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        ended.set()
        for thread in threads:
            thread.join(30)


def reader(office: Office) -> Callable[[threading.Event], object]:
    """Has read whatever came in."""

    def read(ended: threading.Event) -> None:
        while not ended.wait(0.02):
            office.sql("UPDATE inbound SET state = 'done', done_at = now() WHERE state <> 'done'")

    return read


def by_mail(place: object, hello: str = "EHLO relay.example") -> Callable[[int], bool]:
    def one(number: int) -> bool:
        mail = mail_process.LETTER + b"%d of %d\r\n" % (number, threading.get_ident())
        with mail_process.Client(place, hello=hello) as client:
            return client.mail(mail).startswith("250")

    return one


def by_web_hook(url: str, settings: Settings) -> Callable[[int], bool]:
    def one(number: int) -> bool:
        form = text(settings, number * 1_000_000 + threading.get_ident() % 1_000_000)
        return send(url, settings, "/sms/inbound", form).status_code == 200

    return one


@contextmanager
def opened_mail(settings: Settings) -> Iterator[list[Load]]:
    with mail_process.opened(settings):
        yield [Load(by_mail(settings.smtp_listen)), Load(by_mail(settings.lmtp_listen, "LHLO relay.example"))]


@contextmanager
def opened_web(settings: Settings) -> Iterator[list[Load]]:
    with served(settings) as url:
        yield [
            Load(by_web_hook(url, settings)),
            Load(lambda n: hook.call(url, "/sms/hook/inbound", {**hook.TEXT, "id": f"in-{n}"}) == 204),
            Load(lambda n: kannel.come_in(url, id=f"{n:08}-8f9a-42e0-8757-419863c81f12") == 200),
        ]


@contextmanager
def opened_fallback(settings: Settings) -> Iterator[list[Load]]:
    with test_fallback.opened(settings) as url:
        yield [Load(by_web_hook(url, settings))]


@pytest.fixture
def all_doors(settings: Settings, free_port: Callable[[], int]) -> Settings:
    return changed(
        settings,
        CRITTER_LMTP_LISTEN=f"127.0.0.1:{free_port()}",
        CRITTER_SMS_NUMBERS=f"+15005550006,{hook.OURS}@hook,{kannel.OURS}@kannel",
        CRITTER_HOOK_URL="http://127.0.0.1:9/out",
        CRITTER_HOOK_SECRET=hook.SECRET,
        CRITTER_SMS_REGION="DE",
        KANNEL_URL="http://127.0.0.1:13013/cgi-bin/sendsms",
        KANNEL_USERNAME="critter",
        KANNEL_PASSWORD="p",
        KANNEL_TOKEN="token",
    )


@pytest.mark.parametrize("opened", [opened_mail, opened_web, opened_fallback])
def test_nothing_comes_in_after_a_drain_that_ended_well(
    opened: Callable, office: Office, all_doors: Settings, quick: None, slow_commits: None
) -> None:
    with opened(all_doors) as loads, running(reader(office), *(load.run for load in loads)):
        wait_for(lambda: all(load.yes for load in loads))
        result = office.critter("drain", "--timeout", "60")
        context, there = time.monotonic(), office.sql("SELECT clock_timestamp()")[0][0]
        assert result.exit_code == 0, result.output
        time.sleep(1)
    assert office.sql("SELECT count(*) FROM inbound WHERE received_at > :ended", ended=there) == [(0,)]
    for load in loads:
        assert [
            moment for moment in load.yes if moment > context + 0.2
        ] == []  # an answer on its way may come a moment late
        assert [moment for moment in load.no if moment > context]


def test_the_polled_list_is_left_alone(office: Office, settings: Settings) -> None:
    """Also when its reading had begun before the doors were closed."""
    with simulation(numbers=(OURS,)) as sim:
        ours = changed(
            settings, TWILIO_API_BASE=sim.url, TWILIO_ACCOUNT_SID=ACCOUNT, TWILIO_AUTH_TOKEN=TOKEN,
            CRITTER_SMS_NUMBERS=OURS, CRITTER_SMS_INTAKE_SECONDS="0.1",
        )  # fmt: skip
        context = open_context(ours)
        context.inbox = TwilioInbox(ACCOUNT, TOKEN, sim.url)
        try:
            sim.faults({"fault": "webhook-drop"})
            sim.text("hello")
            read = context.inbox.page

            async def closed_meanwhile(*given: object) -> object:
                page = await read(*given)
                context.admission.hear(datetime.now(UTC), 60)
                return page

            context.inbox.page = closed_meanwhile  # type: ignore[method-assign, assignment]
            watch = ListWatch(context)
            assert watch.run_once() == 0
            office.sql("UPDATE watermarks SET asked_at = NULL, lease_until = NULL")
            assert watch.run_once() == 0
            context.admission.hear(None)
            context.inbox.page = read  # type: ignore[method-assign]
            assert watch.run_once() == 1
        finally:
            context.close()


# Doors that do not confirm


def wait_for(wanted: Callable[[], object]) -> None:
    end = time.monotonic() + 20
    while not wanted():
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.mark.parametrize("name", ["web", "mail", "fallback", "clock"])
def test_who_has_not_confirmed_is_named(name: str, office: Office, quick: None) -> None:
    office.sql("INSERT INTO processes (owner, name) VALUES (:owner, :name)", owner=f"{name}@there:77:ab", name=name)
    result = office.critter("drain", "--timeout", "0.5")
    assert result.exit_code == command.NOT_CONFIRMED
    assert f"not confirmed by {name} on there (pid 77)" in result.output
    assert "older version" in result.output
    assert office.sql("SELECT draining_until FROM installation") == [(None,)]


def test_a_promise_that_ends_too_soon_is_none(office: Office, quick: None) -> None:
    """It said once that it was closed, and has not been told since that this is to last for the restart."""
    office.sql(
        "INSERT INTO processes (owner, name, closed_until)"
        " VALUES ('mail@there:77:ab', 'mail', now() + interval '1 minute')"
    )
    assert office.critter("drain", "--timeout", "1").exit_code == command.NOT_CONFIRMED
    office.sql("UPDATE processes SET closed_until = now() + interval '11 minutes', seen_at = now()")
    assert office.critter("drain", "--timeout", "1").exit_code == 0


def test_a_door_that_hangs_in_its_commit_is_waited_for(
    office: Office, settings: Settings, quick: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = threading.Event()
    write = Intake._write

    def hung(self: Intake, incoming: list[Incoming]) -> None:
        go_on.wait(20)
        write(self, incoming)

    monkeypatch.setattr(Intake, "_write", hung)
    with mail_process.opened(settings), ExitStack() as stack:
        stack.callback(go_on.set)
        sender = threading.Thread(target=by_mail(settings.smtp_listen), args=(1,))
        sender.start()
        time.sleep(0.3)
        result = office.critter("drain", "--timeout", "1.5")
        assert result.exit_code == command.NOT_CONFIRMED
        assert "not confirmed by web on" in result.output
        go_on.set()
        sender.join()
        with running(reader(office)):
            assert office.critter("drain", "--timeout", "30").exit_code == 0


def test_who_starts_while_a_drain_waits_is_closed_and_who_starts_after_it_is_open(
    office: Office, settings: Settings, quick: None
) -> None:
    office.says("kim", "something to wait for")
    waiting = threading.Thread(target=office.critter, args=("drain", "--timeout", "20"))
    waiting.start()
    wait_for(lambda: office.sql("SELECT 1 FROM installation WHERE draining_until > now()"))
    parts = build(settings)
    try:
        assert parts.pulse.draining()
        with running(reader(office)):
            waiting.join()
        assert office.sql("SELECT drained_at IS NOT NULL FROM installation") == [(True,)]
        assert parts.pulse.draining()
        second = build(settings)
        second.close()
        assert not second.pulse.draining()
    finally:
        parts.close()


def test_the_next_drain_closes_the_new_version_as_well(office: Office, settings: Settings, quick: None) -> None:
    assert office.critter("drain").exit_code == 0
    with Heartbeat(office.engine, "mail", owner("mail")) as new:
        assert new.wait_for_beat()
        assert not new.draining()
        assert office.critter("drain").exit_code == 0
        assert new.draining()


def test_doors_that_somebody_opened_meanwhile_are_not_drained(
    office: Office, quick: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    complete = command.drain_mode.complete

    def opened_first(session: object, until: datetime) -> bool:
        office.sql("UPDATE installation SET draining_until = NULL")
        return complete(session, until)

    monkeypatch.setattr(command.drain_mode, "list_unconfirmed", lambda *_: [])
    monkeypatch.setattr(command, "RESTART", timedelta(minutes=10))
    monkeypatch.setattr(command.drain_mode, "keep_closed", lambda *_: datetime.now(UTC) + LATER)
    monkeypatch.setattr(command.drain_mode, "complete", opened_first)
    assert office.critter("drain").exit_code == 2
    assert office.sql("SELECT drained_at FROM installation") == [(None,)]


def test_open_again_is_confirmed_too(office: Office, quick: None) -> None:
    office.sql(
        "INSERT INTO processes (owner, name, closed_until)"
        " VALUES ('mail@there:77:ab', 'mail', now() + interval '9 minutes')"
    )
    office.sql("UPDATE installation SET draining_since = now(), draining_until = now() + interval '9 minutes'")
    result = office.critter("drain", "--off")
    assert result.output == "Not open again as far as they say: mail on there (pid 77).\n"


def test_a_fallback_door_that_vanished_is_told_of(office: Office, quick: None) -> None:
    office.sql(
        "INSERT INTO processes (owner, name, seen_at)"
        " VALUES ('fallback@there:77:ab', 'fallback', now() - interval '1 hour')"
    )
    result = office.critter("drain")
    assert result.exit_code == 0
    assert "Not heard of for 60 min: fallback on there (pid 77)." in result.output


def test_the_fallback_door_waits_for_its_spool(office: Office, settings: Settings, quick: None) -> None:
    with test_fallback.opened(settings) as url:
        folder = settings.var / "spool"
        (folder / "00000000000000000001-1-000001.json").write_text("{")  # cannot be read: set aside, in a moment
        assert requests.get(f"{url}/readyz", timeout=9).status_code == 200
        wait_for(lambda: office.sql("SELECT 1 FROM processes") != [])
        (folder / "00000000000000000001-1-000001.aside").unlink(missing_ok=True)
        keeper = threading.Event()
        store = test_fallback.door.FallbackInbox.drain

        def kept(self: object) -> bool:
            return False if not keeper.is_set() else store(self)

        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(test_fallback.door.FallbackInbox, "drain", kept)
            row = Incoming("sms", b"9", "+15551230001", (settings.sms_numbers[0],), b"", True, "9", "spooled")
            test_fallback.Spool(folder).keep(row)
            assert office.critter("drain", "--timeout", "1").exit_code == command.NOT_CONFIRMED
