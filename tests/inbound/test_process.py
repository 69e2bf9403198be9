"""What an inbound does beyond its words: what a phone that was never verified, or that nobody has, may change."""

import uuid
from datetime import timedelta

import pytest
from sqlalchemy import Engine, select

import handlers
from gateway.inbound.commands import build_registry
from gateway.inbound.outcome import InboundOutcome
from gateway.inbound.process import process
from gateway.ledger.inbox import inbox
from gateway.ledger.inbox.inbox import Incoming
from gateway.network.people import accounts, addresses
from gateway.settings import Settings
from gateway.store.database import transaction
from gateway.store.tables import Address, Consent, Installation, Post
from tests.support import personas

assert handlers.MODULES
PHONE = "+14155550177"


@pytest.fixture
def company(engine: Engine) -> Engine:
    """The cast, and Ida, whose phone is only invited."""
    with transaction(engine) as session:
        session.add(Installation(mode="simulated"))
        personas.assemble(session)
        ida = accounts.create_person(session, "ida", "Ida Moss")
        addresses.add(session, ida.id, "sms", PHONE, state="invited")
    return engine


def say(
    engine: Engine, settings: Settings, text: str, phone: str = PHONE, opt_out: str | None = None
) -> InboundOutcome:
    identity = uuid.uuid4().bytes
    incoming = Incoming("sms", identity, phone, (personas.NUMBER,), b"", True, text=text, opt_out_type=opt_out)
    with transaction(engine) as session:
        inbox.accept(session, inbox.hash_key(session), [incoming])
        row, _ = inbox.take(session, inbox.claim(session, "test", timedelta(seconds=60), 1)[0]) or (None, None)
        assert row is not None
        outcome = process(session, build_registry(settings), row)
        inbox.finish(session, row, outcome.state, outcome.intent, outcome.reason, outcome.account_id)
    return outcome


def state(engine: Engine, phone: str = PHONE) -> tuple[str, list[str]]:
    """Of a phone, and what it is on record to have agreed to."""
    with transaction(engine) as session:
        row = session.scalars(select(Address).where(Address.address == phone)).one()
        kinds = session.scalars(select(Consent.kind).where(Consent.address_id == row.id).order_by(Consent.id))
        return row.state, list(kinds)


def test_stop_from_an_invited_phone_is_no_consent(company: Engine, settings: Settings) -> None:
    say(company, settings, "STOP")
    assert state(company) == ("stopped", ["opt_out"])


def test_any_other_text_of_an_invited_phone_verifies_it(company: Engine, settings: Settings) -> None:
    say(company, settings, "hello all")
    assert state(company) == ("verified", ["opt_in"])


def test_a_dropped_text_verifies_nothing(company: Engine, settings: Settings) -> None:
    say(company, settings, "Liked an image")
    assert state(company) == ("invited", [])


@pytest.mark.parametrize("word", ["no more of this", "d kim no more", ""])
def test_the_carrier_says_it_was_stop(company: Engine, settings: Settings, word: str) -> None:
    """Twilio's customer may have keywords of their own: what it has blocked is blocked, and never a post."""
    assert say(company, settings, word, opt_out="STOP").intent == "optout"
    assert state(company)[0] == "stopped"
    assert say(company, settings, "back again", opt_out="START").answer is None
    assert state(company)[0] == "verified"
    assert say(company, settings, "what now", opt_out="HELP").answer is None
    with transaction(company) as session:
        assert not session.scalars(select(Post)).all()


def test_a_strangers_stop_and_start(company: Engine, settings: Settings) -> None:
    phone = "+14155550188"
    assert say(company, settings, "STOP", phone).intent == "optout"
    assert state(company, phone) == ("stopped", ["opt_out"])
    assert say(company, settings, "START", phone).intent == "optin"
    assert state(company, phone) == ("invited", ["opt_out", "opt_in"])
    with transaction(company) as session:
        lou = accounts.create_person(session, "lou", "Lou Berg")
        assert addresses.add(session, lou.id, "sms", phone).state == "verified"
