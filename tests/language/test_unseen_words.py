"""`unseen`: the times that it takes, as people write them, and the sentences that only begin with the word."""

import pytest

import handlers
from gateway.inbound.commands import TABLE
from gateway.language.grammar import read
from gateway.language.usage.verbs import spoken, table
from tests.support.language_table import CONTEXT, resolver

assert handlers.MODULES


def meant(text, language="en"):
    return read(text, "sms", spoken(table(TABLE.verbs), language), resolver, CONTEXT)


@pytest.mark.parametrize(
    ("text", "args"),
    [
        ("unseen", ()), ("unseen off", ("off",)),
        ("Unseen 5m", ("5",)), ("unseen 5 min.", ("5",)), ("unseen 5", ("5",)),
        ("unseen after 10 minutes", ("10",)), ("unseen 1h", ("60",)), ("unseen 3 hours", ("180",)),
        ("unseen 0", ("0",)), ("unseen 5m please", ("5",)), ("/unseen 5m", ("5",)), ("unseen off thanks", ("off",)),
    ],
)  # fmt: skip
def test_a_time_is_taken(text, args):
    found = meant(text)
    assert (found.intent, found.verb, found.args) == ("unseen", "unseen", args)


@pytest.mark.parametrize(("text", "args"), [("no visto 5 minutos", ("5",)), ("novisto", ())])
def test_it_is_taken_in_spanish(text, args):
    assert (meant(text, "es").intent, meant(text, "es").args) == ("unseen", args)


@pytest.mark.parametrize(
    "text",
    [
        "unseen footage of the concert", "unseen by most of us, the door was open", "unseen 5 movies this week",
        "unseenly weather", "unseen heroes", "unseen 5 m of cable lie in the yard",
    ],
)  # fmt: skip
def test_sentences_stay_updates(text):
    assert meant(text).intent in ("update", "ask")


@pytest.mark.parametrize("text", ["unseen 5 movies", "unsen 5m", "unseen 5d", "unseen till 9", "unseen 99999"])
def test_what_may_be_meant_is_never_done(text):
    assert meant(text).intent in ("ask", "update")


@pytest.mark.parametrize(
    ("text", "args"),
    [
        ("prefer push", ("push",)), ("prefer push for mentions", ("push", "for", "mentions")),
        ("prefer web", ("web",)), ("prefer web for kim", ("web", "for", "kim")),
        ("prefer web for #win", ("web", "for", "#win")),
        ("prefer web for mentions", ("web", "for", "mentions")),
    ],
)  # fmt: skip
def test_the_web_is_a_way(text, args):
    assert (meant(text).intent, meant(text).args) == ("setting", args)


@pytest.mark.parametrize("text", ["prefer web design to print", "prefer the web for this"])
def test_and_a_sentence_about_it_is_none(text):
    assert meant(text).intent in ("update", "ask")
