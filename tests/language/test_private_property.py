"""Whatever looks private is never public: not by a slip, not by a mark, not by what came before or after it."""

import string

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from gateway.language.grammar import read
from gateway.language.model.reading import (
    Choice,
    Context,
    NamedAccount,
    OpenQuestion,
    PendingFragment,
    Reading,
    ResolvedName,
)
from gateway.language.opt_out.keywords import carrier_word
from gateway.language.privacy.plain_words import plainly_private
from gateway.language.privacy.private_messages import private_reading
from gateway.language.reactions.reactions import reaction
from gateway.language.words.normalize import OPENING_QUOTES, clean
from tests.support import private_texts
from tests.support.examples import example_count
from tests.support.language_table import BROADCAST, CONTEXT, DISPATCH, KIM, PRIVATE, SALES, VERBS, WORLD, resolver

SAM, SAMUEL = NamedAccount(8, "sam", "person", "Sam Ortiz"), NamedAccount(9, "samw", "person", "Sam Wu")
CAMERON = NamedAccount(10, "cameron", "person", "Ike Cameron")
MIKE = NamedAccount(11, "mike", "person", "Mike Ode")
PRIVATE_QUESTION = OpenQuestion("private", (Choice("ACME"), Choice("Kim Lee")), frozenset({"POST", "DROP"}))
ASKED = Context(question=PRIVATE_QUESTION, last=CONTEXT.last)
THREAD = Context(last=PRIVATE.last, last_by=PRIVATE.last_by, private_thread=101)
RAN_OUT = Context(last=PRIVATE.last, last_by=PRIVATE.last_by, ran_out=PRIVATE_QUESTION)
SENT_HALF = Context(half=PendingFragment((KIM, SALES), 500), last=CONTEXT.last)
HELD_HALF = Context(half=PendingFragment(held="d ACNE " + "margin " * 30), question=PRIVATE_QUESTION, last=CONTEXT.last)
ANY = [CONTEXT, PRIVATE, BROADCAST, ASKED, THREAD, RAN_OUT, SENT_HALF, HELD_HALF, Context(), Context(opted_out=True)]

QUIET = frozenset({"direct", "ask", "error", "optout", "optin", "dropped", "reaction", "choice", "machine"})
channels = st.sampled_from(["sms", "email"])
contexts = st.sampled_from(ANY)


def several(word: str) -> ResolvedName:
    """A company in which two are called sam, Ike Cameron has another handle, and Mike's begins like a verb's rest."""
    if word == "sam":
        return ResolvedName((SAM, SAMUEL))
    others = (CAMERON, MIKE)
    exact = tuple(each for each in others if word in (each.handle, each.name.split()[0].casefold()))
    return ResolvedName(exact) if exact else resolver(word)


def meant(text: str, context: Context = CONTEXT, channel: str = "sms") -> Reading:
    return read(text, "email" if channel == "email" else "sms", VERBS, several, context)


def kept_private(reading: Reading) -> bool:
    """Nobody but those named can get it: sent to them, asked about, refused, or nothing of the text's at all."""
    return reading.privacy == "direct" if reading.intent in ("direct", "ask") else reading.intent in QUIET


def looks_private(text: str) -> bool:
    """Whether the stage for private messages has anything to say about a text."""
    return (private_reading(text, several) or plainly_private(text, several)) is not None


@given(private_texts.private, contexts, channels)
@settings(deadline=None, max_examples=example_count(1500))
@example("dmike my salary is low", CONTEXT, "sms")
@example("dike my salary is low", CONTEXT, "sms")
@example("d@kim.lee my salary is low", CONTEXT, "sms")
@example("d@" + "kim," * 2000 + " hi", CONTEXT, "sms")
@example("d_kim hi", CONTEXT, "sms")
@example("f kim my salary is low", CONTEXT, "sms")
@example("\u2026d kim my salary is low", CONTEXT, "sms")
def test_what_looks_private_is_never_public(text, context, channel):
    assume(clean(text)[:1] not in OPENING_QUOTES)
    reading = meant(text, context, channel)
    assert kept_private(reading), reading


@given(private_texts.written, contexts, channels)
@settings(deadline=None, max_examples=example_count(500))
def test_it_goes_to_those_named_alone_or_to_nobody(text, context, channel):
    assume(context.half is None)
    reading = meant(text, context, channel)
    if reading.intent == "direct":
        said = text.casefold()
        assert all(each in WORLD or each in (CAMERON, MIKE) for each in reading.names), said
        assert reading.args[0] == ",".join(each.handle for each in reading.names)
        assert reading.text
        assert reading.text in clean(text)


@given(private_texts.verbs, private_texts.slips(), private_texts.secrets, contexts)
@settings(deadline=None, max_examples=example_count(500))
def test_a_slip_in_a_name_is_never_sent_to(verb, name, secret, context):
    assume(context.half is None and not several(name).exact)
    reading = meant(f"{verb} {name} {secret}", context)
    assert reading.intent in ("ask", "error")
    assert reading.privacy == "direct"


@given(private_texts.lists, private_texts.secrets)
@settings(deadline=None, max_examples=example_count(300))
def test_a_list_with_one_unknown_name_goes_to_nobody(people, secret):
    reading = meant(f"d kim,zzyzx,{people} {secret}")
    assert reading.intent in ("ask", "error")


@given(private_texts.private, st.text(max_size=300), channels)
@settings(deadline=None, max_examples=example_count(300))
def test_a_private_first_line_makes_the_whole_private(first, more, channel):
    assume(clean(first)[:1] not in OPENING_QUOTES)
    reading = meant(f"{first}\n{more}", CONTEXT, channel)
    assert kept_private(reading), reading


# Forced, addressed, or a command: what is none of that is a bare text.
OPENINGS = (*OPENING_QUOTES, ".", "/", "@", "#", "\uff20", "\uff03")


def is_bare(text: str) -> bool:
    text = clean(text)
    if not text or text[0] in OPENINGS or carrier_word(text) or reaction(text):
        return False
    return meant(text, Context()).intent == "update"


bare_texts = st.one_of(
    st.text(max_size=80),
    st.sampled_from(["see you there", "ok", "no", "yes", "5pm", "Kim said so", "on my way", "leave it there", "10"]),
    st.lists(st.sampled_from(["on", "sales", "kim", "the", "gate", "mute", "now"]), max_size=6).map(" ".join),
).filter(is_bare)  # fmt: skip


@given(bare_texts, st.sampled_from([PRIVATE, BROADCAST, THREAD, RAN_OUT]), channels)
@settings(deadline=None, max_examples=example_count(500))
def test_a_bare_text_after_something_private_is_never_public(text, context, channel):
    reading = meant(text, context, channel)
    assert kept_private(reading), reading


@given(bare_texts)
@settings(deadline=None, max_examples=example_count(200))
def test_after_a_broadcast_it_goes_to_its_posters(text):
    reading = meant(text, BROADCAST)
    assert (reading.intent, reading.names) == ("direct", (DISPATCH,))


@given(st.text(min_size=1, max_size=80))
@settings(deadline=None, max_examples=example_count(200))
def test_a_reply_to_something_private_is_private(text):
    assume(clean(text))
    for written in (f"r {text}", f"RE: {text}", f"reply {text}", f"@kim {text}", f"\uff20kim {text}"):
        assert kept_private(r := meant(written, PRIVATE)) or (r.intent, r.privacy) == ("reply", "direct"), r


@given(st.one_of(st.text(max_size=200), private_texts.private, bare_texts), st.sampled_from([SENT_HALF, HELD_HALF]))
@settings(deadline=None, max_examples=example_count(500))
@example('"my salary', SENT_HALF)
@example(".my salary", HELD_HALF)
@example("/on sales", SENT_HALF)
@example("#sales my salary", HELD_HALF)
@example("@pat my salary", SENT_HALF)
def test_a_second_half_is_as_private_as_the_first(text, context):
    reading = meant(text, context)
    undone = reading.intent == "undo"
    assert kept_private(reading) or undone or reading.intent == "help", reading
    if reading.intent == "direct" and context is SENT_HALF and not looks_private(clean(text)):
        assert reading.names == (KIM, SALES)


@given(private_texts.private)
@settings(deadline=None, max_examples=example_count(300))
def test_the_stage_alone_sees_what_would_be_an_update(text):
    text = clean(text)
    assume(text and text[0] not in OPENINGS and not carrier_word(text) and not reaction(text))
    assert looks_private(text) or meant(text).intent != "update"


WORDS_OF_D = ["dave is late", "Dear all", "d'accord", "Did kim call", "D-day", "data for kim", "don't", "dd form"]


@pytest.mark.parametrize("text", WORDS_OF_D)
def test_a_word_that_begins_with_d_is_a_word(text):
    assert meant(text).intent == "update"
    assert not looks_private(text)


def test_every_letter_before_a_name_is_decided():
    """`f`, `s` and `x` lie around d; other letters are words, verbs, or nobody's slip."""
    held = {letter for letter in string.ascii_lowercase if kept_private(meant(f"{letter} pat raise is through"))}
    assert held == {"d", "f", "s", "x"}
    assert meant("f kim 2h").intent == "follow"
