"""Codes and PINs however people type them: an answer while one is asked for, and never an update (R57)."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.language.grammar import read
from gateway.language.model.reading import Choice, Context, OpenQuestion
from gateway.language.typed_codes import find_code
from tests.support.language_table import VERBS, resolver

SECRET = OpenQuestion("secret", (), frozenset({"DROP"}), secret=True)
OTHER = OpenQuestion("thread", (Choice("Kim Lee"),), frozenset({"POST", "DROP"}))

ALONE = [
    "481748", "481748.", "481 748", "481-748", "4 8 1 7 4 8", "48 17 48", "４８１７４８", "٤٨١٧٤٨",
    "#481748", "(481748)",
]  # fmt: skip
NAMED = [
    "code 481748", "Code: 481748", "my code is 481748", "The code is 481-748.", "código 481748", "mi código es 481748",
    "here's the code: 481748", "481748 is the code", "481748 is my PIN", "verification code: 481748", "PIN 481748",
    "my PIN is 4 8 1 7 4 8", "Sorry, the code was 481748!",
]  # fmt: skip
ANSWERED = [
    "yes 481748", "Yes, 481748", "Reply 481748", "reply with 481748", "ok 481748 thanks", "481748 please",
    "it's 481748", "sí 481748", "responde 481748", "here is 481748", "to confirm: 481748", '"481748"',
]  # fmt: skip
PROSE = [
    "1000", "2026", "10-4", "12345 boxes arrived", "meet at 1430", "yes 2026 was good", "invoice 481748 is paid",
    "call 5551234", "481748 is the order", "the pin is bent", "code 7", "code freeze on 12 12 2026 at noon",
    "3.14159265", "+14155550123", "555 0123",
]  # fmt: skip


def meant(text: str, question: OpenQuestion | None = None, **context: object):
    return read(text, "sms", VERBS, resolver, Context(question=question, **context))  # type: ignore[arg-type]


@pytest.mark.parametrize("text", [*ALONE, *NAMED, *ANSWERED])
def test_while_one_is_asked_for_it_is_the_answer(text):
    found = meant(text, SECRET)
    assert (found.intent, found.args, found.text) == ("choice", ("481748",), "")


@pytest.mark.parametrize("text", [*ALONE, *NAMED])
@pytest.mark.parametrize("question", [None, OTHER], ids=["nothing asked", "something else asked"])
@pytest.mark.parametrize("channel", ["sms", "email"])
def test_when_none_is_asked_for_it_is_no_update(text, question, channel):
    found = read(text, channel, VERBS, resolver, Context(question=question))
    assert found.intent == "error", found
    assert "481" not in found.reason


@pytest.mark.parametrize("text", [*ALONE, *NAMED, *ANSWERED])
def test_one_that_comes_too_late_is_no_update(text):
    assert "run out" in meant(text, ran_out=SECRET).reason


@pytest.mark.parametrize("text", ["code 1234", "4 8 2 6", "pin: 4826", "mi clave es 4826", "the password is 48261"])
def test_a_named_one_of_any_length_is_no_update(text):
    assert meant(text).intent == "error"


@pytest.mark.parametrize("text", PROSE)
def test_prose_with_numbers_stays_an_update(text):
    assert find_code(text, asked=False) is None
    assert meant(text).intent in ("update", "ask")


@pytest.mark.parametrize("text", [*ALONE, *NAMED])
def test_a_dot_in_front_posts_it(text):
    assert find_code(f".{text}", asked=True) is None
    assert meant(f".{text}").intent == "update"
    assert meant(f".{text}", SECRET).intent == "update"


@given(st.text(st.sampled_from("yes code pin is my the 0123456789 -:'.,"), max_size=60), st.booleans())
def test_whatever_comes_it_ends_soon_and_gives_digits(text, asked):
    began = time.thread_time()
    found = find_code(text, asked=asked)
    assert time.thread_time() - began < 0.2
    assert found is None or (found.isdigit() and 4 <= len(found) <= 8)
