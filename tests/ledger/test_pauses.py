"""A carrier that refuses us and an operator's pause, on the real road: nothing leaves, and nothing is lost."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import Engine

from gateway.carriers.common.protocol import Outcome
from gateway.ledger.outbox.outbox import Target
from gateway.ledger.senders import pauses
from gateway.settings import Settings
from gateway.store.database import claim_mode, transaction
from tests.support.delivering import Carrier, change, open_context, person, post, states
from workers import deliver
from workers.runtime.context import WorkerContext, enter


@pytest.fixture
def emails() -> Carrier:
    return Carrier("email")


@pytest.fixture
def texts() -> Carrier:
    return Carrier("sms")


@pytest.fixture(autouse=True)
def context(settings: Settings, engine: Engine, texts: Carrier, emails: Carrier) -> Iterator[WorkerContext]:
    with transaction(engine) as session:
        claim_mode(session, "simulated")
    context = open_context(settings, texts, emails)
    enter(context)
    yield context
    enter(None)
    context.close()


@pytest.fixture
def waiting(engine: Engine) -> None:
    """A text and a mail of Kim's."""
    kim = person(engine, "kim", phone="+14155550101")[0]
    sam = person(engine, "sam", phone="+14155550102")[1]
    mia = person(engine, "mia", mailbox="mia@demo.example")[1]
    post(engine, kim, "hello", [Target(sam, "sms"), Target(mia, "email")])


def asked(engine: Engine, which: str, wait: timedelta | None = None) -> None:
    with transaction(engine) as session:
        assert pauses.pause(session, which, wait, "test")


def paused(engine: Engine) -> dict[str, str | None]:
    with transaction(engine) as session:
        return {row.number: row.reason for row in pauses.list_pauses(session) if row.paused}


def test_a_relay_that_refuses_us_is_paused_for_all(engine: Engine, emails: Carrier, waiting: None) -> None:
    emails.answers = lambda _: Outcome("retry", reason="535", pause=True)
    deliver.drain_email()
    assert paused(engine) == {"mail": "535"}
    assert states(engine) == ["queued", "queued"]


def test_nothing_leaves_by_a_relay_that_is_paused(engine: Engine, emails: Carrier, waiting: None) -> None:
    asked(engine, "smtp")
    deliver.drain_email()
    assert emails.taken == []
    with transaction(engine) as session:
        pauses.resume(session, "smtp")
    deliver.drain_email()
    assert len(emails.taken) == 1


def test_a_refusal_does_not_shorten_what_an_operator_said(engine: Engine) -> None:
    asked(engine, "mail", timedelta(hours=2))
    with transaction(engine) as session:
        pauses.mail_refused(session, timedelta(minutes=1), "535")
    assert paused(engine) == {"mail": "test"}


def test_nothing_leaves_from_a_number_that_is_paused(
    engine: Engine, settings: Settings, texts: Carrier, waiting: None, context: WorkerContext
) -> None:
    deliver.drain_sms()
    assert len(texts.taken) == 1  # the numbers are known now
    change(engine, "UPDATE deliveries SET state = 'queued', ended_at = NULL WHERE channel = 'sms'")
    asked(engine, settings.sms_numbers[0])
    other = open_context(settings, texts, Carrier("email"))  # a worker of its own, so that it has read nothing yet
    enter(other)
    deliver.drain_sms()
    assert len(texts.taken) == 1
    with transaction(engine) as session:
        pauses.resume(session, "twilio")
    enter(context)
    other.close()
    again = open_context(settings, texts, Carrier("email"))
    enter(again)
    deliver.drain_sms()
    enter(context)
    again.close()
    assert len(texts.taken) == 2
