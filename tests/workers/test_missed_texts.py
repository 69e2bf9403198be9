"""Texts whose web hooks never came, found in the carrier's list: all of them, once, whatever the list does."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine

from gateway.carriers.twilio import inbound_list
from gateway.carriers.twilio.inbound_list import TwilioInbox
from gateway.ledger.inbox import poll_cursors
from gateway.settings import Settings
from gateway.store.database import claim_mode, transaction
from tests.support.delivering import change, open_context, person, rows
from tests.support.simulation import ACCOUNT, KIM, OURS, SAM, SECOND, TOKEN, Simulation, simulation
from tests.support.web_process import changed, served
from workers import inbound, missed_texts
from workers.missed_texts import ListWatch
from workers.runtime.context import WorkerContext, enter

NOW = "0.1"  # seconds between two readings


@pytest.fixture
def sim(settings: Settings) -> Iterator[Simulation]:
    """Calls the web hook of the settings' own door."""
    hooks = {"webhook_url": f"{settings.public_url}/sms/inbound", "fallback_url": None}
    with simulation(numbers=(OURS, SECOND), hook_timeout=5.0, **hooks) as running:
        yield running


@pytest.fixture
def context(sim: Simulation, settings: Settings, engine: Engine) -> Iterator[WorkerContext]:
    ours = changed(
        settings,
        TWILIO_API_BASE=sim.url,
        TWILIO_ACCOUNT_SID=ACCOUNT,
        TWILIO_AUTH_TOKEN=TOKEN,
        CRITTER_SMS_NUMBERS=f"{OURS},{SECOND}",
        CRITTER_SMS_INTAKE_SECONDS=NOW,
    )
    with transaction(engine) as session:
        claim_mode(session, "simulated")
    context = open_context(ours)
    context.inbox = TwilioInbox(ACCOUNT, TOKEN, sim.url)
    enter(context)
    yield context
    context.close()
    enter(None)


def read(context: WorkerContext, watch: ListWatch | None = None) -> int:
    """One reading of every list, however soon after the last."""
    change(context.engine, "UPDATE watermarks SET asked_at = NULL, lease_until = NULL")
    return (watch or ListWatch(context)).run_once()


def texts(context: WorkerContext) -> list[str]:
    return [row.text for row in rows(context.engine, "SELECT text FROM inbound ORDER BY id")]


def marks(context: WorkerContext) -> dict[str, tuple[bool, int, str | None]]:
    found = rows(context.engine, "SELECT number, read_until, failures, reason FROM watermarks")
    return {row.number: (row.read_until is not None, row.failures, row.reason) for row in found}


def test_a_tenth_of_the_web_hooks_is_lost_and_no_text(context, sim):
    """All appear within two readings, each once, those that came by web hook too."""
    sim.faults({"fault": "webhook-drop", "share": 0.1}, {"fault": "webhook-repeat", "share": 0.1, "n": 2})
    with served(context.settings):
        for number in range(120):
            sim.text(f"update {number}", phone=f"+1555123{number:04}", to=(OURS, SECOND)[number % 2])
    came = len(texts(context))
    assert came < 120, "no web hook was lost"
    found = read(context)
    read(context)
    assert came + found == 120
    assert sorted(texts(context)) == sorted(f"update {number}" for number in range(120))
    assert read(context) == 0
    assert {row.recipients[0] for row in rows(context.engine, "SELECT recipients FROM inbound")} == {OURS, SECOND}
    print(f"\n{120 - came} of 120 web hooks lost, {found} texts found in the first reading")


def test_it_is_the_text_that_the_web_hook_would_have_brought(context, sim):
    person(context.engine, "sam", SAM)
    change(context.engine, "UPDATE addresses SET state = 'verified'")
    sim.faults({"fault": "webhook-drop"})
    sim.text("starting the ACME proposal 👍 %41 +")
    assert read(context) == 1
    (row,) = rows(context.engine, "SELECT * FROM inbound")
    assert (row.channel, row.sender, row.recipients, row.trusted) == ("sms", SAM, [OURS], True)
    assert row.message_id == json.loads(row.raw)["sid"]
    assert datetime.now(UTC) - row.sent_at < timedelta(seconds=20)
    inbound.drain()
    assert [post.text for post in rows(context.engine, "SELECT text FROM posts")] == [
        "starting the ACME proposal 👍 %41 +"
    ]


def test_a_late_web_hook_and_the_list_are_one_text(context, sim):
    sim.faults({"fault": "webhook-drop"})
    sim.text("once")
    assert read(context) == 1
    sim.faults({"fault": "webhook-repeat", "n": 3, "together": True})
    with served(context.settings):
        sim.text("twice")
    assert read(context) == 0
    assert texts(context) == ["once", "twice"]


def test_stop_counts_when_it_was_found_late(context, sim):
    person(context.engine, "sam", SAM)
    change(context.engine, "UPDATE addresses SET state = 'verified'")
    sim.faults({"fault": "webhook-drop"})
    sim.text("Stop.")
    read(context)
    inbound.drain()
    (consent,) = rows(context.engine, "SELECT * FROM consent")
    assert (consent.kind, consent.wording, consent.our_address) == ("opt_out", "Stop.", OURS)
    assert [row.state for row in rows(context.engine, "SELECT state FROM addresses")] == ["stopped"]


@pytest.mark.parametrize("known", [True, False])
def test_a_start_that_came_late_does_not_undo_a_later_stop(context, sim, known):
    if known:
        person(context.engine, "sam", SAM)
    sim.faults({"fault": "webhook-drop"})
    sim.text("START")
    sim.text("STOP")
    read(context)
    change(context.engine, "UPDATE inbound SET state = 'held' WHERE text = 'START'")
    inbound.drain()
    change(
        context.engine, "UPDATE inbound SET state = 'new', sent_at = now() - interval '1 minute' WHERE text = 'START'"
    )
    inbound.drain()
    assert [row.kind for row in rows(context.engine, "SELECT kind FROM consent ORDER BY id")] == ["opt_out"]
    assert rows(context.engine, "SELECT FROM addresses WHERE stopped_at IS NOT NULL")
    assert [row.state for row in rows(context.engine, "SELECT state FROM inbound")] == ["done", "done"]


def test_pictures_come_along(context, sim):
    import requests

    sim.faults({"fault": "webhook-drop"})
    files = {"media": ("cat.png", b"\x89PNG\r\n\x1a\n" + b"0" * 20, "image/png")}
    requests.post(f"{sim.url}/phones/{SAM}/texts", data={"body": "look"}, files=files, timeout=9).raise_for_status()
    assert read(context) == 1
    (picture,) = rows(context.engine, "SELECT url, content_type FROM media")
    assert picture.url.startswith(f"{sim.url}/2010-04-01/Accounts/{ACCOUNT}/Messages/MM")
    assert picture.content_type == "image/png"
    assert requests.get(picture.url, auth=(ACCOUNT, TOKEN), timeout=9).content.startswith(b"\x89PNG")


def test_a_text_waits_for_its_pictures(context, sim):
    import requests

    sim.faults({"fault": "webhook-drop"})
    files = {"media": ("cat.png", b"\x89PNG\r\n\x1a\n", "image/png")}
    requests.post(f"{sim.url}/phones/{SAM}/texts", data={"body": "look"}, files=files, timeout=9).raise_for_status()
    sim.text("plain", phone=KIM)
    sim.faults({"fault": "500", "on": "fetch"})
    assert read(context) == 1
    assert texts(context) == ["plain"]
    assert marks(context)[OURS] == (False, 1, "pictures: 500")
    sim.faults()
    assert read(context) == 1
    assert marks(context)[OURS] == (True, 0, None)


def test_many_pages_in_the_order_they_were_said(context, sim, monkeypatch):
    monkeypatch.setattr(inbound_list, "PAGE_SIZE", 7)
    sim.faults({"fault": "webhook-drop"})
    for number in range(50):
        sim.text(str(number))
    assert read(context) == 50
    assert texts(context) == [str(number) for number in range(50)]
    assert len(sim.ledger("list")) >= 8


@pytest.mark.parametrize("fault", ["500", "503", "half-body", "garbage"])
def test_a_list_that_fails_halfway_moves_no_mark_and_skips_nothing(context, sim, monkeypatch, fault):
    monkeypatch.setattr(inbound_list, "PAGE_SIZE", 5)
    monkeypatch.setattr(missed_texts, "TRIES", 1)
    sim.faults({"fault": "webhook-drop"})
    watch = ListWatch(context)
    for number in range(20):
        sim.text(str(number))
    sim.faults({"fault": "webhook-drop"}, {"fault": fault, "on": "list", "for": OURS, "every": 3})
    assert read(context, watch) == 0
    assert marks(context)[OURS][:2] == (False, 1)
    sim.faults({"fault": "webhook-drop"})
    sim.text("20")
    assert read(context, watch) == 21
    assert texts(context) == [str(number) for number in range(21)]
    assert marks(context)[OURS] == (True, 0, None)


def test_after_three_failures_half_a_list_is_better_than_none(context, sim, monkeypatch):
    monkeypatch.setattr(inbound_list, "PAGE_SIZE", 5)
    monkeypatch.setattr(missed_texts, "AGAIN", 0.0)
    sim.faults({"fault": "webhook-drop"})
    for number in range(8):
        sim.text(str(number))
    broken = context.inbox.page

    async def second_page_never(number, since, path=None):
        if path:
            raise missed_texts.CarrierError("500", "transient")
        return await broken(number, since, path)

    monkeypatch.setattr(context.inbox, "page", second_page_never)
    assert [read(context) for _ in range(3)] == [0, 0, 5]
    assert marks(context)[OURS] == (False, 3, "500")
    monkeypatch.undo()
    assert read(context) == 3


BAD_ENTRIES = [
    None,
    "text",
    {},
    {"direction": 7},
    {"direction": "inbound"},
    {"direction": "inbound", "sid": "SM1", "from": SAM, "to": OURS, "body": "x"},
    {"direction": "inbound", "sid": "SM" + "0" * 32, "from": SAM, "to": OURS, "body": None},
    {"direction": "inbound", "sid": "SM" + "0" * 32, "from": SAM, "to": OURS, "body": "x", "date_sent": "soon"},
    {"direction": "inbound", "sid": "SM" + "0" * 32, "from": SAM, "to": OURS, "body": "x", "date_sent": {}},
]
FOREIGN_ENTRIES = [
    {"direction": "outbound-api", "sid": 1},
    {"direction": "inbound", "sid": "SM" + "0" * 32, "from": "ACME", "to": OURS, "body": "x"},
    {"direction": "inbound", "sid": "SM" + "0" * 32, "from": SAM, "to": KIM, "body": "x"},
]
GOOD = {"direction": "inbound", "sid": "SM" + "1" * 32, "from": SAM, "to": OURS, "body": "g\0ood \ud83d"}


def answering(monkeypatch, context, body: object) -> None:
    """The list is this JSON, or this text."""
    from twilio.http.response import Response

    words = body if isinstance(body, str) else json.dumps(body)

    async def request(*_: object, **__: object) -> Response:
        return Response(200, words)

    monkeypatch.setattr(context.inbox._client, "request_async", request)


@pytest.mark.parametrize("entry", BAD_ENTRIES)
def test_an_entry_that_cannot_be_read_hides_no_other_and_moves_no_mark(context, monkeypatch, entry):
    good = {**GOOD, "date_sent": datetime.now(UTC).strftime("%a, %d %b %Y %H:%M:%S +0000")}
    answering(monkeypatch, context, {"messages": [entry, good], "next_page_uri": None})
    read(context)
    assert texts(context) == ["good \ufffd"]
    assert marks(context)[OURS] == (False, 1, "entries that cannot be read")


@pytest.mark.parametrize("entry", FOREIGN_ENTRIES)
def test_what_the_door_would_refuse_is_passed_over(context, monkeypatch, entry):
    answering(monkeypatch, context, {"messages": [entry], "next_page_uri": None})
    assert read(context) == 0
    assert marks(context)[OURS] == (True, 0, None)


@pytest.mark.parametrize(
    "body",
    ["", "<html>", "[]", "[" * 100_000, "{}", '{"messages": {}}', '{"messages": [], "next_page_uri": 7}', "\udcff"],
)
def test_a_list_that_is_none_is_written_down_and_ends_nothing(context, monkeypatch, body):
    monkeypatch.setattr(missed_texts, "AGAIN", 0.0)
    answering(monkeypatch, context, body)
    assert read(context) == 0
    assert marks(context)[OURS] == (False, 1, "malformed")


def test_a_page_elsewhere_never_gets_our_credentials(context, monkeypatch, sim):
    monkeypatch.setattr(missed_texts, "AGAIN", 0.0)
    get = context.inbox._get

    async def elsewhere(path):
        return await get(path) | {"next_page_uri": "@198.51.100.1/steal"}

    monkeypatch.setattr(context.inbox, "_get", elsewhere)
    assert read(context) == 0
    assert marks(context)[OURS][:2] == (False, 1)


def test_a_list_without_end_ends(context, monkeypatch, sim):
    monkeypatch.setattr(missed_texts, "MOST_PAGES", 3)
    answering(monkeypatch, context, {"messages": [], "next_page_uri": "/again"})
    assert read(context) == 0
    assert marks(context)[OURS] == (False, 1, "the list does not end")


def test_one_process_at_a_time_and_one_reading_a_period(context, sim):
    ours, other = ListWatch(context), ListWatch(replace(context, owner="another", settings=context.settings))
    period, lease = timedelta(seconds=60), timedelta(seconds=60)
    with transaction(context.engine) as session:
        poll_cursors.watch(session, [OURS])
        (taken,) = poll_cursors.take(session, [OURS], "first", period, lease)
        assert poll_cursors.take(session, [OURS], "second", period, lease) == []
        assert poll_cursors.keep(session, taken, "first", lease)
        assert not poll_cursors.keep(session, taken, "second", lease)
        poll_cursors.complete(session, taken, "second", whole=True)
    assert marks(context)[OURS] == (False, 0, None), "a late process wrote into another's reading"
    with transaction(context.engine) as session:
        poll_cursors.complete(session, taken, "first", whole=True)
        assert poll_cursors.take(session, [OURS], "second", period, lease) == []
    assert marks(context)[OURS] == (True, 0, None)
    assert ours.run_once() == other.run_once() == 0


def test_texts_from_before_the_database_was_made_are_not_ours(context, sim):
    sim.faults({"fault": "webhook-drop"})
    sim.text("long before")
    change(context.engine, "UPDATE installation SET created_at = now() + interval '10 minutes'")
    assert read(context) == 0
    change(context.engine, "UPDATE watermarks SET since = now() - interval '1 day'")
    assert read(context) == 1


def test_a_poll_reads_the_newest_and_sometimes_all(context, sim, monkeypatch):
    """A text that the list shows late, behind newer ones, is found by the next reading of the whole."""
    monkeypatch.setattr(inbound_list, "PAGE_SIZE", 2)
    watch = ListWatch(context)
    sim.faults({"fault": "webhook-drop"})
    for number in range(10):
        sim.text(str(number))
    assert read(context, watch) == 10
    change(context.engine, "DELETE FROM inbound WHERE text = '0'")
    change(context.engine, "UPDATE watermarks SET since = now() - interval '1 day'")
    sim.run(_age(sim, hours=-2))
    before = len(sim.ledger("list"))
    sim.text("new")
    assert read(context, watch) == 1
    assert len(sim.ledger("list")) - before <= 3  # two for the one number, one for the other
    watch.memories[OURS].whole_at = float("-inf")
    assert read(context, watch) == 1
    assert texts(context)[-2:] == ["new", "0"]


async def _age(sim: Simulation, hours: int) -> None:
    for message in list(sim.running.world.messages.newest(OURS)):
        message.created += hours * 3600
        message.sent = message.created


def test_a_late_answer_is_none_to_a_question_that_was_put_after_it(context, sim):
    from gateway.network.conversation import conversations
    from gateway.network.conversation.conversations import AskedQuestion

    _, phone = person(context.engine, "sam", SAM)
    now = datetime.now(UTC)
    with transaction(context.engine) as session:
        conversations.ask(session, phone, AskedQuestion("cost", (), ("OK",), {}))
        assert conversations.read_state(session, phone, now).asked
        assert conversations.read_state(session, phone, now, now + timedelta(seconds=1)).asked
        late = conversations.read_state(session, phone, now, now - timedelta(minutes=1))
        assert late.asked is late.ran_out is None
