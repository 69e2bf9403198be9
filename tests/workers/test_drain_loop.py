"""`critter drain`: nothing comes in, what is there gets done, and whatever happens the doors do not stay closed."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest
import requests

from critter.processes.app import DoorResources, build
from gateway.ledger.operations import heartbeat
from gateway.settings import Settings
from tests.support import mail_process
from tests.support.office import Office
from tests.support.web_process import send, served, text


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heartbeat, "BEAT", 0.05)
    monkeypatch.setattr("critter.commands.drain.LOOK", 0.05)


def until(wanted: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not wanted():
        assert time.monotonic() < end
        time.sleep(0.02)


def said(settings: Settings) -> str:
    """What the mail door says to a mail."""
    with mail_process.Client(settings.smtp_listen) as client:
        return client.mail()


@contextmanager
def working(office: Office) -> Iterator[None]:
    """Somebody who reads, spreads and sends."""
    done = threading.Event()

    def work() -> None:
        while not done.wait(0.02):
            office.work()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def test_what_was_accepted_is_finished_first(office: Office) -> None:
    for number in range(5):
        office.says("kim", f"hello {number}")
    with working(office):
        result = office.critter("drain", "--timeout", "60")
    assert result.exit_code == 0
    assert result.output.splitlines()[-1].startswith("Drained. Restart now")
    assert office.sql("SELECT count(*) FROM inbound WHERE state <> 'done'") == [(0,)]
    assert office.sql("SELECT count(*) FROM deliveries WHERE ended_at IS NULL") == [(0,)]
    assert office.sql("SELECT action FROM audit") == [("drain.begin",)]


def test_what_is_left_is_shown_and_the_doors_open_again(office: Office) -> None:
    office.says("kim", "hello")
    result = office.critter("drain", "--timeout", "0.3")
    assert result.exit_code == 1
    assert "left: 1 inputs" in result.output
    assert "Not drained within 0.3 s: 1 inputs. The doors are open again." in result.output
    assert office.sql("SELECT draining_until FROM installation") == [(None,)]


def test_what_waits_for_later_holds_nothing_up(office: Office) -> None:
    office.says("kim", "hello")
    office.work()
    office.sql("UPDATE deliveries SET state = 'retry', ended_at = NULL, not_before = now() + interval '1 hour'")
    assert office.critter("drain").exit_code == 0


def test_the_sms_door_says_later_and_opens_again(office: Office, settings: Settings) -> None:
    parts: list[DoorResources] = []

    def kept(made: DoorResources) -> DoorResources:
        parts.append(made)
        return made

    with served(settings, kept) as url:
        until(lambda: office.sql("SELECT 1 FROM processes") != [])
        assert send(url, settings, "/sms/inbound", text(settings, 1)).status_code == 200
        with working(office):
            assert office.critter("drain").exit_code == 0
        assert send(url, settings, "/sms/inbound", text(settings, 2)).status_code == 503
        ready = requests.get(f"{url}/readyz", timeout=9)
        assert (ready.status_code, ready.json()["draining"]) == (503, True)
        assert requests.get(f"{url}/healthz", timeout=9).status_code == 200
        assert office.critter("drain", "--off").output == "The doors are open again.\n"
        until(lambda: not parts[0].pulse.draining())
        assert send(url, settings, "/sms/inbound", text(settings, 2)).status_code == 200
    assert office.sql("SELECT count(*) FROM inbound") == [(2,)]


def test_the_mail_door_says_later(office: Office, settings: Settings) -> None:
    with mail_process.opened(settings) as door:
        until(lambda: office.sql("SELECT 1 FROM processes") != [])
        assert office.critter("drain").exit_code == 0
        assert said(settings).startswith("451")
        office.critter("drain", "--off")
        until(lambda: not door.parts.pulse.draining())
        assert said(settings).startswith("250")


def test_it_waits_for_doors_that_have_not_heard(office: Office) -> None:
    office.sql("INSERT INTO processes (owner, name) VALUES ('web@there', 'web'), ('sms@there', 'worker-sms')")
    result = office.critter("drain", "--timeout", "0.3")
    assert (result.exit_code, "left: not confirmed by web on there" in result.output) == (3, True)
    office.sql("UPDATE processes SET seen_at = now() - interval '1 minute'")  # killed: it takes nothing in
    assert office.critter("drain", "--timeout", "0.3").exit_code == 0


def test_the_new_version_is_open(office: Office, settings: Settings) -> None:
    assert office.critter("drain").exit_code == 0
    parts = build(settings)
    try:
        parts.pulse.wait_for_beat()
        assert not parts.pulse.draining()
    finally:
        parts.close()


def test_a_killed_command_leaves_no_door_closed(office: Office, settings: Settings) -> None:
    parts = build(settings)
    try:
        parts.pulse.wait_for_beat()
        office.sql("UPDATE installation SET draining_since = now(), draining_until = now() + interval '0.5 seconds'")
        until(parts.pulse.draining)
        until(lambda: not parts.pulse.draining())
    finally:
        parts.close()


def test_an_interrupted_command_opens_the_doors(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(_: object) -> None:
        raise KeyboardInterrupt

    office.says("kim", "hello")
    monkeypatch.setattr("gateway.ledger.operations.drain_mode.left", interrupt)
    with suppress(KeyboardInterrupt):
        office.critter("drain")
    assert office.sql("SELECT draining_until FROM installation") == [(None,)]


def test_open_doors_are_said_to_be_open(office: Office) -> None:
    assert office.critter("drain", "--off").output == "The doors were open.\n"
