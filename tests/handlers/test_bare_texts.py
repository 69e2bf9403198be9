"""Nothing that was kept is replaced by what comes next: many texts, long ones, many questions, limits and failures."""

import uuid
from datetime import timedelta

import pytest
from sqlalchemy import Engine, select, text

import handlers
from gateway.inbound.commands import build_registry
from gateway.inbound.outcome import InboundOutcome
from gateway.inbound.process import process
from gateway.ledger.inbox import inbox
from gateway.ledger.inbox.inbox import Incoming
from gateway.ledger.outbox import fanouts
from gateway.network.audience import recipients
from gateway.network.conversation import conversations, reply_limits
from gateway.network.conversation.conversations import AskedQuestion
from gateway.settings import Settings
from gateway.store.database import transaction
from gateway.store.tables import Conversation, Delivery, Draft, Installation, Post
from handlers import bare_texts
from tests.support import personas

assert handlers.MODULES
KIM, SAM, ANNE = "+14155550101", "+14155550102", "+14155550108"


@pytest.fixture
def company(engine: Engine) -> Engine:
    with transaction(engine) as session:
        session.add(Installation(mode="simulated"))
        personas.assemble(session)
    return engine


def say(engine: Engine, config: Settings, words: str, phone: str = SAM, *, fails: bool = False) -> InboundOutcome:
    """One text is heard; `fails`: everything of it is rolled back, as when a process dies before its commit."""
    incoming = Incoming("sms", uuid.uuid4().bytes, phone, (personas.NUMBER,), b"", True, text=words)
    with transaction(engine) as session:
        inbox.accept(session, inbox.hash_key(session), [incoming])
        row, _ = inbox.take(session, inbox.claim(session, "test", timedelta(seconds=60), 1)[0]) or (None, None)
        assert row is not None
        if fails:
            with session.begin_nested() as point:
                outcome = process(session, build_registry(config), row)
                point.rollback()
            row = session.merge(row)
            inbox.finish(session, row, "done", None, None, None)
            return outcome
        outcome = process(session, build_registry(config), row)
        inbox.finish(session, row, outcome.state, outcome.intent, outcome.reason, outcome.account_id)
        _arrive(session)
    return outcome


def _arrive(session) -> None:  # type: ignore[no-untyped-def]
    session.execute(text("UPDATE fanouts SET not_before = now()"))
    session.execute(text("UPDATE deliveries SET state = 'sent', sent_at = clock_timestamp(), ended_at = now()"
                         " WHERE ended_at IS NULL"))  # fmt: skip


def privately(engine: Engine, config: Settings, words: str = "can you talk?", phone: str = KIM) -> None:
    """A private message reaches Sam's phone."""
    say(engine, config, f"d sam {words}", phone)
    with transaction(engine) as session:
        while fanout := fanouts.claim(session):
            chunk = recipients.expand(session, fanout, fanouts.priority(session, fanout), 10)
            fanouts.advance(session, fanout, chunk, done=chunk.upto == recipients.END)
        _arrive(session)


def written(engine: Engine) -> list[tuple[str, str]]:
    with transaction(engine) as session:
        rows = session.execute(select(Post.visibility, Post.text).order_by(Post.id)).all()
    return [(row[0], row[1]) for row in rows]


def test_ten_texts_and_a_long_one_are_all_kept_and_sent_in_order(company: Engine, settings: Settings) -> None:
    privately(company, settings)
    said = [f"text number {number}" for number in range(10)]
    said.append("a long one " * 41)
    answers = [say(company, settings, each).answer or "" for each in said]
    assert answers[-1].startswith("11 texts kept. Reply 1 to send them to Kim Lee privately")
    say(company, settings, "1")
    assert [words for kind, words in written(company) if kind == "direct"][1:] == [each.strip() for each in said]
    assert {kind for kind, _ in written(company)} == {"direct"}


def test_a_text_whose_work_failed_is_kept_once(company: Engine, settings: Settings) -> None:
    privately(company, settings)
    say(company, settings, "first")
    say(company, settings, "second", fails=True)
    assert (say(company, settings, "second").answer or "").startswith("2 texts kept.")
    say(company, settings, "1")
    assert [words for _, words in written(company)][1:] == ["first", "second"]


def test_what_is_kept_holds_for_half_an_hour_from_the_last_text(company: Engine, settings: Settings) -> None:
    privately(company, settings)
    for number in range(3):
        say(company, settings, f"text {number}")
        with company.begin() as connection:
            span = "interval '9 minutes'"
            connection.execute(text(f"UPDATE drafts SET expires_at = expires_at - {span}"))
            connection.execute(text(f"UPDATE conversations SET expires_at = expires_at - {span}"))
    with transaction(company) as session:
        kept = session.scalars(select(Draft.text).where(Draft.expires_at > text("now()")).order_by(Draft.id)).all()
    assert kept == ["text 0", "text 1", "text 2"]


def test_beyond_the_most_it_is_said_and_nothing_is_lost(
    company: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bare_texts, "MOST", 3)
    privately(company, settings)
    for number in range(3):
        say(company, settings, f"text {number}")
    assert (say(company, settings, "one more").answer or "").startswith("3 texts are kept already, and this one is not")
    say(company, settings, "1")
    assert [words for _, words in written(company)][1:] == ["text 0", "text 1", "text 2"]


def test_a_text_that_may_not_be_answered_joins_all_the_same(
    company: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    privately(company, settings)
    say(company, settings, "first")
    monkeypatch.setattr(reply_limits, "HOURLY", 1)
    say(company, settings, "second")
    monkeypatch.undo()
    assert (say(company, settings, "third").answer or "").startswith("3 texts kept.")


def test_a_question_of_the_version_before_is_joined(company: Engine, settings: Settings) -> None:
    privately(company, settings)
    say(company, settings, "first")
    with transaction(company) as session:
        talk = session.scalars(select(Conversation).where(Conversation.question.is_not(None))).one()
        about = {key: value for key, value in talk.question["about"].items() if key not in ("kept", "said")}  # type: ignore[index]
        talk.question = {**(talk.question or {}), "about": about}
    say(company, settings, "second")
    say(company, settings, "1")
    assert [words for _, words in written(company)][1:] == ["first", "second"]


def test_what_repeats_private_words_is_asked_about_when_all_are_posted(company: Engine, settings: Settings) -> None:
    privately(company, settings, "the margin of the harbor contract is twelve percent this year")
    say(company, settings, "did you say the margin of the harbor contract is twelve percent this year")
    say(company, settings, "lunch is served")
    answer = say(company, settings, "POST").answer or ""
    assert answer.startswith("This repeats what Kim Lee told you privately.")
    assert [words for kind, words in written(company) if kind != "direct"] == ["lunch is served"]


def test_questions_wait_in_a_row_and_each_comes_back(company: Engine, settings: Settings) -> None:
    for number in range(4):
        say(company, settings, f"d nobody{number} words {number}")
    answers = [say(company, settings, "drop").answer or "" for _ in range(4)]
    assert ["nobody2" in answers[0], "nobody1" in answers[1], "nobody0" in answers[2]] == [True] * 3
    assert answers[3] == "Deleted."


def test_the_row_of_questions_has_an_end(company: Engine, settings: Settings) -> None:
    with transaction(company) as session:
        address = (
            session.scalars(select(Delivery.address_id)).first()
            or session.execute(text("SELECT id FROM addresses LIMIT 1")).scalar_one()
        )
        for number in range(conversations.DEEPEST + 10):
            conversations.ask(
                session, address, AskedQuestion("verb", [], ("DROP",), {"reading": {"text": str(number)}})
            )
        depth, asked = 0, conversations.open_question(session, address)
        while asked:
            depth += 1
            conversations.close(session, address)
            asked = conversations.open_question(session, address)
    assert depth == conversations.DEEPEST + 1


def test_what_changed_something_is_answered_beyond_the_hourly_limit(
    company: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reply_limits, "HOURLY", 2)
    monkeypatch.setattr(reply_limits, "CHANGING", 5)

    def answered(words: str) -> bool:
        say(company, settings, words)
        with transaction(company) as session:
            last = "SELECT id FROM inbound ORDER BY id DESC LIMIT 1"
            return bool(session.scalar(text(f"SELECT count(*) FROM messages WHERE inbound_id = ({last})")))

    assert answered("whois kim")
    assert answered("groups")
    assert not answered("stats")
    assert answered("follow dana")
    assert answered("leave dana")
    assert not answered("whois dana")
    assert answered("mute dana")
    assert not answered("follow pat")  # two machines do not go on for ever
    with transaction(company) as session:
        assert session.scalar(text("SELECT count(*) FROM follows f JOIN accounts a ON a.id = f.account_id"
                                   " WHERE a.handle = 'pat'")) == 1  # fmt: skip
