"""`limit`: the numbers that it takes, as people write them, and the sentences that only begin with the word."""

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
        ("limit", ()), ("limit off", ("off",)), ("Limit 20", ("20",)), ("limit 20.", ("20",)), ("limit 007", ("7",)),
        ("limit 20 texts", ("20",)), ("limit 20 texts a day", ("20",)), ("limit 20/day", ("20",)),
        ("limit 20 a day please", ("20",)), ("limit 0", ("0",)), ("limit 501", ("501",)), ("/limit 5", ("5",)),
        ("limit\n20", ("20",)), ("limit off thanks", ("off",)),
    ],
)  # fmt: skip
def test_a_number_of_texts_is_taken(text, args):
    found = meant(text)
    assert (found.intent, found.verb, found.args) == ("limit", "limit", args)


@pytest.mark.parametrize(("text", "args"), [("límite 20", ("20",)), ("limite 20 mensajes al día", ("20",))])
def test_it_is_taken_in_spanish(text, args):
    assert (meant(text, "es").intent, meant(text, "es").args) == ("limit", args)


@pytest.mark.parametrize(
    "text",
    [
        "limit your comments please", "limit is 5 people", "limit 3 people per room in the lab", "limits are set",
        "limited seats left", "limit reached for today in all rooms", "limits 20", "limiting to 20",
        "limit the meeting to 20 minutes", "limit 20-30 people",
    ],
)  # fmt: skip
def test_sentences_stay_updates(text):
    assert meant(text).intent == "update"


@pytest.mark.parametrize(
    "text",
    ["limit of 3 each please", "limit reached", "limit twenty", "limt 20", "limit 1000000000", "limit -5", "limit 2.5"],
)
def test_what_may_be_meant_is_asked_about_and_never_done(text):
    assert meant(text).intent == "ask"


@pytest.mark.parametrize("text", ["limit ²", "limit ٣", "limit 1e3", "limit 20 20"])
def test_odd_numbers_are_not_taken(text):
    assert meant(text).intent in ("ask", "update", "limit")
    assert meant(text).intent != "limit" or meant(text).args == ("2",)
