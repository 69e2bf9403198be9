"""What is typed into the search box."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.language.search_query import SearchQuery, read


@pytest.mark.parametrize(
    ("typed", "query"),
    [
        ("", SearchQuery()),
        ("   ", SearchQuery()),
        ("acme proposal", SearchQuery(["acme", "proposal"])),
        ('"board meeting" acme', SearchQuery(["acme"], ["board meeting"])),
        ("“board meeting”", SearchQuery([], ["board meeting"])),
        ('acme -draft -"old price"', SearchQuery(["acme"], [], ["draft", "old price"])),
        ("from:dave from:@kim acme", SearchQuery(["acme"], authors=["dave", "kim"])),
        ("in:#sales in:acme", SearchQuery(groups=["sales", "acme"])),
        ("TO:me", SearchQuery(to_me=True)),
        ("before:2026-11-12 after:2026-11-01", SearchQuery(before=date(2026, 11, 12), after=date(2026, 11, 1))),
        ("has:picture", SearchQuery(pictures=True)),
        ("before:tomorrow to:kim has:luck from:", SearchQuery(
            wrong=["before:tomorrow", "to:kim", "has:luck", "from:"])),
        ("- -- \" '", SearchQuery()),
        ('"unclosed words', SearchQuery([], ["unclosed words"])),
        ("10:30 gate:4", SearchQuery(["10:30", "gate:4"])),
        ("board-meeting", SearchQuery(["board-meeting"])),
    ],
)  # fmt: skip
def test_words_and_operators(typed: str, query: SearchQuery) -> None:
    found = read(typed)
    for name in SearchQuery.__slots__:
        one, other = getattr(found, name), getattr(query, name)
        assert (list(one), name) == (list(other), name) if isinstance(other, (list, tuple)) else one == other
    assert found.empty == (not (query.words or query.phrases or query.narrowed))


@given(st.text())
def test_anything_typed_is_read(typed: str) -> None:
    read(typed)
    read(f'from:{typed} -{typed} "{typed}')
