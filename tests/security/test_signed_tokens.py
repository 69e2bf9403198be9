"""Tokens: short, signed, of one kind, readable by any live key, and in one spelling only."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.security.signed_tokens import Signer

OLD, NEW, OTHER = Signer(("old",)), Signer(("new", "old")), Signer(("other",))
ids = st.integers(min_value=0, max_value=2**63 - 1)
BASE32 = string.ascii_lowercase + "234567"


@given(st.lists(ids, min_size=1, max_size=3))
def test_reads_what_it_signed(numbers: list[int]) -> None:
    token = NEW.sign("reply", *numbers)
    assert NEW.read("reply", token) == tuple(numbers)
    assert NEW.read("reply", token.upper()) == tuple(numbers)
    assert set(token) <= set(BASE32)


def test_two_ids_fit_a_local_part() -> None:
    assert len("r+" + NEW.sign("reply", 2**63 - 1, 2**63 - 1)) <= 64


def test_first_key_signs_and_any_live_key_reads() -> None:
    assert NEW.read("page", OLD.sign("page", 7)) == (7,)
    assert OLD.read("page", NEW.sign("page", 7)) is None
    assert OTHER.read("page", NEW.sign("page", 7)) is None


def test_a_token_is_of_one_kind() -> None:
    assert NEW.read("unsubscribe", NEW.sign("reply", 1, 2)) is None


@given(ids, ids, st.data())
def test_no_other_spelling_is_read(first: int, second: int, data: st.DataObject) -> None:
    token = NEW.sign("reply", first, second)
    place = data.draw(st.integers(min_value=0, max_value=len(token) - 1))
    letter = data.draw(st.sampled_from(BASE32).filter(lambda letter: letter != token[place]))
    assert NEW.read("reply", token[:place] + letter + token[place + 1 :]) is None


@given(st.text(max_size=60))
def test_anything_else_is_not_ours(text: str) -> None:
    assert NEW.read("reply", text) is None


@pytest.mark.parametrize("text", ["", "a", "=", "a" * 19, "1" * 32, "ſ" * 32, NEW.sign("reply", 1) + "=", "\x00"])
def test_broken_tokens(text: str) -> None:
    assert NEW.read("reply", text) is None


def test_needs_a_key() -> None:
    with pytest.raises(ValueError, match="key"):
        Signer(())
