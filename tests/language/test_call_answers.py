"""Which texts answer an urgent call: alone, beside a question of ours, and after other items."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.language.grammar import read
from gateway.language.model.reading import (
    Choice,
    Context,
    HeardCall,
    Item,
    NumberedItems,
    OpenQuestion,
    Reading,
)
from tests.support.language_table import DISPATCH, KIM, PAT, VERBS, resolver

CALL = HeardCall(200, PAT, "dispatch", age=5.0)
ITEM = Item(200, PAT, group=DISPATCH, broadcast=True, age=5.0)
CALLED = Context(last=ITEM, called=lambda: CALL, called_here=True)
PRICE = OpenQuestion("confirm", (), frozenset({"OK", "DROP"}), age=9.0)
NAMES = OpenQuestion("private", (Choice("Kim Lee"),), frozenset({"POST", "DROP"}), age=2.0)
PRIVATE = Item(201, KIM, private=True, age=1.0)


def called(**changes: Any) -> Context:
    """After a call of five minutes ago; the fields of the call and of the context that differ."""
    of_call = {key: changes.pop(key) for key in ("answered", "ended", "age") if key in changes}
    call = replace(CALL, **of_call)
    return replace(CALLED, called=lambda: call, **changes)


def meant(text: str, context: Context = CALLED, channel: Any = "sms") -> Reading:
    return read(text, channel, VERBS, resolver, context)


@pytest.mark.parametrize("text", ["ok", "OK.", "Okay", "k", "yes", "si", "claro", "👍", "👍🏿", "✅"])
@pytest.mark.parametrize("channel", ["sms", "email"])
def test_an_ok_acknowledges(text: str, channel: str) -> None:
    reading = meant(text, CALLED, channel)
    assert (reading.intent, reading.post, reading.text) == ("acknowledge", 200, "")


@pytest.mark.parametrize("text", ["stuck at gate 4", "no", "ok but late", "2 pizzas please", "2", "leave gate 4", "N"])
def test_words_on_the_phone_go_to_the_asker(text: str) -> None:
    reading = meant(text)
    assert (reading.intent, reading.names, reading.text) == ("acknowledge", (PAT,), text) or (
        text == "2" and reading.intent == "error"
    )
    assert reading.privacy == "direct" or reading.intent == "error"


def test_words_in_a_mail_of_their_own_are_an_update() -> None:
    assert meant("stuck at gate 4", replace(CALLED, called_here=False, last=None), "email").intent == "update"


# What an OK means beside a question of ours: the call that came later, or the question that did.
BESIDE = {
    "the call came later": (called(question=PRICE), "acknowledge"),
    "the question came later": (called(question=replace(PRICE, age=1.0)), "choice"),
    "a question that takes no OK": (called(question=NAMES), "acknowledge"),
    "the call is answered": (called(question=PRICE, answered=True), "choice"),
    "a PIN is asked for": (called(question=OpenQuestion("secret", (), frozenset({"DROP"}), True, 1.0)), "acknowledge"),
}


@pytest.mark.parametrize("how", BESIDE)
def test_an_ok_with_two_meanings(how: str) -> None:
    context, intent = BESIDE[how]
    assert meant("ok", context).intent == intent


@pytest.mark.parametrize("answer", ["drop", "no", "1", "post"])
def test_other_answers_still_answer_the_question(answer: str) -> None:
    assert meant(answer, called(question=NAMES)).intent == "choice"


def test_a_yes_after_a_newer_private_message_is_none_to_the_call() -> None:
    assert meant("yes", called(last=PRIVATE)).intent == "ask"
    assert meant("ok", called(last=PRIVATE)).intent == "acknowledge"
    assert meant("see you there", called(last=PRIVATE)).intent == "ask"


# Once it is answered or over, only what comes right after the call answers it.
LATER = Item(300, KIM, age=1.0)
NEWER = Item(301, PAT, group=DISPATCH, broadcast=True, age=1.0)
OVER = [
    ("ok", called(answered=True), "acknowledge"),
    ("ok", called(answered=True, last=LATER), "update"),
    ("ok", called(answered=True, last=replace(ITEM, age=31.0)), "update"),
    ("ok", called(ended=True), "acknowledge"),
    ("ok", called(ended=True, last=LATER), "acknowledge"),
    ("ok", called(ended=True, last=PRIVATE), "ask"),
    ("ok", called(ended=True, last=NEWER), "direct"),
    ("ok", called(last=NEWER), "acknowledge"),
    ("I can", called(last=NEWER), "direct"),
    ("here now", called(answered=True), "acknowledge"),
    ("here now", called(answered=True, last=LATER), "update"),
    ("here now", called(ended=True, last=LATER), "update"),
    ("here now", called(last=LATER), "acknowledge"),
]


@pytest.mark.parametrize(("text", "context", "intent"), OVER)
def test_what_comes_after_the_answer_or_the_end(text: str, context: Context, intent: str) -> None:
    assert meant(text, context).intent == intent


def test_after_a_digest_words_are_asked_about() -> None:
    context = called(digest=NumberedItems(1, (ITEM, Item(2, KIM, private=True))))
    assert meant("here now", context).intent == "ask"


@pytest.mark.parametrize("text", ["STOP", "help", "d kim hello", "follow kim", "@kim thanks", "#sales hello", ".here"])
def test_what_is_for_others_stays_so(text: str) -> None:
    assert meant(text).intent != "acknowledge"


@given(st.text(max_size=60))
def test_nothing_that_answers_a_call_is_read_by_others(text: str) -> None:
    reading = meant(text)
    if reading.intent == "acknowledge":
        assert reading.privacy == "direct"
        assert reading.names == (PAT,)


def test_nobody_is_asked_for_a_call_who_says_nothing_like_it() -> None:
    def never() -> HeardCall | None:
        raise AssertionError

    assert meant("starting the ACME proposal", Context(called=never)).intent == "update"
