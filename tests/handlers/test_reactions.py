"""Reactions from phones land on the item they quote, are counted, and are never posted."""

import uuid
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from gateway.inbound.commands import build_registry
from gateway.inbound.process import process
from gateway.ledger.inbox import inbox
from gateway.ledger.inbox.inbox import Incoming
from gateway.network.posts import posts
from gateway.settings import Settings
from gateway.store.database import transaction
from gateway.store.tables import Account, Inbound, Post, Reaction
from tests.support import personas
from tests.support.conversation_player import play

FIRST_AND_SECOND = """
kim > starting the ACME proposal
sam < Kim Lee: starting the ACME proposal
priya << Kim Lee: starting the ACME proposal
kim > “lunch” – at noon?
sam < Kim Lee: "lunch" - at noon?
priya << Kim Lee: “lunch” – at noon?
"""


@pytest.fixture
def told(engine: Engine, settings: Settings, tmp_path: Path):
    """Plays a story; gives what was reacted to, by whom and how: {words: {(handle, kind)}}."""

    def tell(story: str) -> dict[str, set[tuple[str, str]]]:
        path = tmp_path / "story.txt"
        path.write_text(story)
        play(path, engine, settings)
        return reactions(engine)

    return tell


def reactions(engine: Engine) -> dict[str, set[tuple[str, str]]]:
    found: dict[str, set[tuple[str, str]]] = {}
    with transaction(engine) as session:
        rows = select(Post.text, Account.handle, Reaction.kind).join(Reaction, Reaction.post_id == Post.id)
        for words, who, kind in session.execute(rows.join(Account, Account.id == Reaction.account_id)):
            found.setdefault(words, set()).add((who, kind))
    return found


def ends(engine: Engine) -> list[tuple[str, str | None]]:
    """How each thing said ended: its state, and what it was read as."""
    with transaction(engine) as session:
        rows = session.execute(select(Inbound.state, Inbound.intent).order_by(Inbound.id))
        return [(state, intent) for state, intent in rows]


@pytest.mark.parametrize(
    "text",
    [
        "Liked “Kim Lee: starting the ACME proposal”",
        'Liked "Kim Lee: starting the ACME proposal (k7)"',
        "Liked “starting the ACME proposal”",
        "Liked “Kim Lee: starting the…”",
        "Gefällt: „Kim Lee: starting the ACME proposal“",
        "A aimé « kim lee: starting the ACME proposal ».",
        "Vond ‘Kim Lee: starting the ACME proposal’ leuk",
    ],
)
def test_a_reaction_is_to_the_item_that_it_quotes(told, text):
    assert told(f"{FIRST_AND_SECOND}sam > {text}") == {"starting the ACME proposal": {("sam", "like")}}


def test_transliterated_words_are_found(told):
    found = told(f'{FIRST_AND_SECOND}sam > Reacted 🎉 to “Kim Lee: "lunch" - at noon?”')
    assert found == {"“lunch” – at noon?": {("sam", "🎉")}}


def test_by_mail_too(told):
    found = told(f"{FIRST_AND_SECOND}priya >> post: Liked “starting the ACME proposal”")
    assert found == {"starting the ACME proposal": {("priya", "like")}}


def test_the_newest_of_two_with_the_same_words(told, engine: Engine):
    told("kim > hello\nsam < Kim Lee: hello\npriya << Kim Lee: hello\n" * 2 + "sam > Liked “Kim Lee: hello”")
    with transaction(engine) as session:
        last = session.scalars(select(Post.id).order_by(Post.id.desc()).limit(1)).one()
        assert posts.reaction_counts(session, [last]) == {last: {"like": 1}}


def test_a_quotation_of_nothing_here_is_dropped(told, engine: Engine):
    assert told(f"{FIRST_AND_SECOND}sam > Liked “some other words”\npriya hears nothing\nkim hears nothing") == {}
    assert ends(engine)[-1] == ("dropped", "reaction")


def test_a_reaction_to_an_answer_of_ours_does_nothing(told, engine: Engine):
    liked = "You liked Kim Lee's last update."
    story = f"{FIRST_AND_SECOND}sam > like kim\nsam < {liked}\nsam > Loved “{liked}”"
    assert told(story) == {"“lunch” – at noon?": {("sam", "like")}}
    assert ends(engine)[-1] == ("dropped", "reaction")


def test_what_was_not_sent_to_this_person_cannot_be_quoted(told):
    assert told(f"{FIRST_AND_SECOND}bob > Liked “Kim Lee: starting the ACME proposal”") == {}


def test_a_lone_emoji_is_to_the_last_item(told, engine: Engine):
    assert told(f"{FIRST_AND_SECOND}sam > ❤️\nbob > 👍") == {"“lunch” – at noon?": {("sam", "❤️")}}
    assert ends(engine)[-2:] == [("done", "reaction"), ("dropped", "reaction")]


def test_a_removal_takes_that_kind_off(told):
    story = f"""{FIRST_AND_SECOND}
sam > Liked “Kim Lee: starting the ACME proposal”
sam > Loved “Kim Lee: starting the ACME proposal”
sam > 👍
sam > Removed a like from “Kim Lee: starting the ACME proposal”
sam > Removed a laugh from “Kim Lee: starting the ACME proposal”
"""
    assert told(story) == {"starting the ACME proposal": {("sam", "love")}, "“lunch” – at noon?": {("sam", "👍")}}


def test_like_a_group_is_its_last_item(told):
    story = """
kim > #acme first draft is ready
sam < Kim Lee #acme: first draft is ready
kim > lunch
sam < Kim Lee: lunch
priya << Kim Lee: lunch
sam > like acme
sam < You liked Kim Lee's last update in ACME.
sam > like acme
sam < You liked Kim Lee's last update in ACME already.
sam > like dispatch
sam < There is nothing to like: no such update has reached you here yet.
"""
    assert told(story) == {"first draft is ready": {("sam", "like")}}


def test_a_like_can_be_undone(told):
    story = f"{FIRST_AND_SECOND}sam > like\nsam < You liked Kim Lee's last update.\nsam > undo\n"
    assert told(f"{story}sam < Your reaction is taken back.") == {}


def hear_sam(engine: Engine, settings: Settings, words: str) -> str:
    phone = next(person.phone for person in personas.PEOPLE if person.handle == "sam")
    incoming = Incoming("sms", uuid.uuid4().bytes, phone or "", (personas.NUMBER,), b"", True, text=words)
    with transaction(engine) as session:
        inbox.accept(session, inbox.hash_key(session), [incoming])
        row, _ = inbox.take(session, inbox.claim(session, "test", timedelta(seconds=60), 1)[0]) or (None, None)
        assert row is not None
        outcome = process(session, build_registry(settings), row)
        inbox.finish(session, row, outcome.state, outcome.intent, outcome.reason, outcome.account_id)
        return outcome.state


@pytest.mark.parametrize("said", ["👍", 'Reacted 👍 to “Kim Lee: "lunch" - at noon?”'])
def test_a_reaction_to_a_repeat_is_to_the_original(told, engine: Engine, settings: Settings, said):
    told(FIRST_AND_SECOND)
    with transaction(engine) as session:
        first, last = session.scalars(select(Post).order_by(Post.id)).all()
        last.repeat_of = first.id
    assert hear_sam(engine, settings, said) == "done"
    assert reactions(engine) == {"starting the ACME proposal": {("sam", "👍")}}


def test_googles_unseen_characters_reach_the_reader(told, engine: Engine, settings: Settings):
    told(FIRST_AND_SECOND)
    said = "\u200a\u200b👍\u200b till ”\u200aKim Lee: starting the ACME proposal\u200a”\u200a"
    assert hear_sam(engine, settings, said) == "done"
    assert reactions(engine) == {"starting the ACME proposal": {("sam", "👍")}}
    taken_back = "\u200aFjernet \u200c👍\u200c fra ”\u200aKim Lee: starting the ACME proposal\u200a”\u200a"
    assert hear_sam(engine, settings, taken_back) == "done"
    assert reactions(engine) == {}


def test_counts(told, engine: Engine):
    by_sam = "sam > like\nsam < You liked Kim Lee's last update.\nsam > 👍\n"
    told(f"{FIRST_AND_SECOND}{by_sam}priya >> post: Liked “Kim Lee: “lunch” – at noon?”")
    with transaction(engine) as session:
        first, last = session.scalars(select(Post.id).order_by(Post.id)).all()
        assert posts.reaction_counts(session, [first, last]) == {last: {"like": 2, "👍": 1}}
        assert posts.reaction_counts(session, []) == {}
