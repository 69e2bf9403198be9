"""Where the talk stands: one open question, one that ran out, words that are forgotten in time."""

from datetime import timedelta

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from gateway.network.conversation import conversations
from gateway.network.conversation.conversations import AskedQuestion
from gateway.network.people import accounts, addresses
from gateway.store.database import transaction

ASKED = AskedQuestion("private", [{"label": "ACME", "id": 1}], ["POST", "DROP"], {"draft": 1})


@pytest.fixture
def phone(engine: Engine) -> int:
    with transaction(engine) as session:
        sam = accounts.create_person(session, "sam", "Sam")
        return addresses.add(session, sam.id, "sms", "+14155550102").id


def later(session: Session, span: timedelta) -> None:
    """Everything in the talk becomes that much older."""
    moved = "expires_at = expires_at - CAST(:span AS interval)"
    session.execute(text(f"UPDATE conversations SET {moved}, half_at = half_at - :span"), {"span": span})
    session.execute(text(f"UPDATE drafts SET {moved}"), {"span": span})


def test_a_question_is_open_for_half_an_hour_and_remembered_for_a_day(engine, phone):
    with transaction(engine) as session:
        conversations.ask(session, phone, ASKED)
        assert conversations.read_state(session, phone).asked == ASKED
        later(session, timedelta(minutes=31))
        standing = conversations.read_state(session, phone)
        assert (standing.asked, standing.ran_out) == (None, ASKED)
        assert timedelta(minutes=30) < standing.age < timedelta(minutes=32)
        later(session, timedelta(days=1))
        assert conversations.read_state(session, phone).ran_out is None


def test_a_closed_question_is_neither(engine, phone):
    with transaction(engine) as session:
        conversations.ask(session, phone, ASKED)
        conversations.close(session, phone)
        standing = conversations.read_state(session, phone)
    assert (standing.asked, standing.ran_out) == (None, None)


def test_what_nobody_decided_about_is_forgotten(engine, phone):
    with transaction(engine) as session:
        account = session.execute(text("SELECT account_id FROM addresses WHERE id = :a"), {"a": phone}).scalar_one()
        conversations.keep_draft(session, account, "my salary")
        conversations.ask(session, phone, ASKED)
        conversations.keep_half(
            session, phone, session.execute(text("SELECT now()")).scalar_one(), {"held": "my salary"}
        )
        conversations.forget_old(session)
        assert counted(session) == (1, 1, 1)
        later(session, timedelta(hours=2))
        conversations.forget_old(session)
        assert counted(session) == (0, 1, 0)
        later(session, timedelta(days=1))
        conversations.forget_old(session)
        assert counted(session) == (0, 0, 0)


def counted(session: Session) -> tuple[int, int, int]:
    """Drafts, questions, halves."""
    counts = text("""
        SELECT (SELECT count(*) FROM drafts), (SELECT count(question) FROM conversations),
               (SELECT count(half) FROM conversations)
    """)
    return tuple(session.execute(counts).one())
