"""`prefer` and `digest` with what is marked: what is a command, and which ordinary sentences never become one."""

import pytest

import handlers  # noqa: F401 - fills the table of commands
from gateway.attention.causes import DeliveryCause
from gateway.inbound.commands import TABLE
from gateway.language.grammar import read
from gateway.language.usage.verbs import table
from gateway.language.usage.way_words import CAUSE_WORDS, CHANNELS, WAYS
from tests.support.language_table import CONTEXT, PRIVATE, resolver

VERBS = table(TABLE.verbs)

COMMANDS = (
    ("prefer", ()),
    ("prefer mail", ("mail",)),
    ("Prefer E-Mail.", ("e-mail",)),
    ("prefer text please", ("text",)),
    ("connect off please", ("off",)),
    ("prefer mail for mentions", ("mail", "for", "mentions")),
    ("prefer nothing for groups", ("nothing", "for", "groups")),
    ("prefer digest for kim", ("digest", "for", "kim")),
    ("prefer digest for #sales", ("digest", "for", "#sales")),
    ("prefer digest for #win", ("digest", "for", "#win")),
    ('prefer usual for "board meeting"', ("usual", "for", '"board meeting"')),
    ("prefer usual for \u201cboard meeting\u201d", ("usual", "for", '"board meeting"')),
    ("digest #win", ("#win",)),
    ('digest "board meeting"', ('"board meeting"',)),
    ('digest "8am"', ('"8am"',)),
    ("digest 8am", ("8am",)),
    ("digest kim", ("kim",)),
)
KEPT = (
    "prefre mail", "perfer text", "conect off", "conenct on please",
    "prefer tea", "prefer mail for nobody", "prefer tea for kim", "prefer mail for that", "digest nobody",
    "prefer both",
)  # fmt: skip
UPDATES = (
    "conect the printer", "perfect mail", "correct that", "prefers to be called",
    "prefer tea to coffee", "prefer mail for all of the invoices please", "prefer text messages over calls, call me",
    "digest of the week is out", 'digest "the board" is the name of the new paper', "digest #win is a nice tag",
    "prefer nothing for lunch today thanks all", "prefer text over",
)  # fmt: skip


@pytest.mark.parametrize(("text", "args"), COMMANDS, ids=[each[0] for each in COMMANDS])
def test_what_is_a_command(text: str, args: tuple[str, ...]) -> None:
    reading = read(text, "sms", VERBS, resolver, CONTEXT)
    assert (reading.verb, reading.args) == (text.split()[0].lower(), args)
    assert reading.intent in ("setting", "digest")


@pytest.mark.parametrize("text", KEPT)
def test_what_is_nearly_one_is_kept_and_asked_about(text: str) -> None:
    for context in (CONTEXT, PRIVATE):
        assert read(text, "sms", VERBS, resolver, context).intent == "ask"


@pytest.mark.parametrize("text", UPDATES)
def test_sentences_that_begin_so_are_no_commands(text: str) -> None:
    assert read(text, "sms", VERBS, resolver, CONTEXT).intent in ("update", "ask")


def test_each_word_means_something() -> None:
    assert {DeliveryCause[each.upper()] for each in CAUSE_WORDS.values()} == set(DeliveryCause) - {DeliveryCause.OURS}
    assert set(WAYS.values()) == {"text", "push", "mail", "digest", "web", "nothing", None}
    assert CHANNELS.keys() <= WAYS.keys()
