"""Word runs: whatever stands around private words, and however a phone wrote them again, they are recognised."""

import string

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from gateway.language.privacy.fingerprints import MOST_RUNS, find_quoted, runs, tokens, whole
from tests.support.examples import example_count

ALPHABETS = [
    string.ascii_lowercase,
    "абвгдежзиклмнопрстуфхцчшщыэюя",
    "αβγδεζηθικλμνξοπρστυφχψω",
    "äöüéèñçåøæ" + "abcdef",
]
word = st.sampled_from(ALPHABETS).flatmap(lambda letters: st.text(letters, min_size=4, max_size=9))
private = st.lists(word, min_size=6, max_size=30)
around = st.text(max_size=60)
MARKS = ["", "«{}»", "“{}”", "„{}“", '"{}"', "「{}」", "> {}", "| {}", "Понравилось «Kim Lee (private): {} (k7)»"]


@given(private, st.sampled_from(MARKS), around, around, st.sampled_from([" ", "\n", "  ", ", ", " – ", "\u00a0"]))
@settings(deadline=None, max_examples=example_count(600))
def test_private_words_are_found_in_whatever_is_around_them(words, mark, before, after, blank):
    said = f"{before} {(mark or '{}').format(blank.join(words))} {after}"
    assert set(runs(" ".join(words))) <= set(runs(said))


@given(private, st.sampled_from([str.upper, str.title, str.casefold]))
@settings(deadline=None)
def test_case_counts_for_nothing(words, changed):
    assert runs(changed(" ".join(words))) == runs(" ".join(words))


@pytest.mark.parametrize(
    ("written", "again"),
    [
        ("José will not get the Zürich job, naïve as he is", "Jose will not get the Zurich job; naive as he is"),
        ("don't tell the others about Rosa's new job", "dont tell the others about Rosa’s new job"),
        ("the budget is cut by a third", "the\u200b bud\u00adget is cut\ufffc by a third"),
        ("ｔｈｅ ｂｕｄｇｅｔ ｉｓ ｃｕｔ ｂｙ ａ ｔｈｉｒｄ", "the budget is cut by a third"),
        ("今天下午三点在会议室开会请不要告诉别人", "他说：「今天下午三点在会议室开会请不要告诉别人」"),
        ("หัวหน้าบอกว่างบประมาณถูกตัดหนึ่งในสาม", "ได้ยินไหม หัวหน้าบอกว่างบประมาณถูกตัดหนึ่งในสาม"),
        ("Straße nach Großkleinberg ist heute gesperrt", "STRASSE NACH GROSSKLEINBERG IST HEUTE GESPERRT"),
    ],
)  # fmt: skip
def test_what_a_phone_changes_changes_nothing(written, again):
    assert runs(written)
    assert set(runs(written)) & set(runs(again))


@given(private, private)
@settings(deadline=None)
def test_other_words_are_not_taken_for_them(words, others):
    assume(not set(words) & set(others))
    assert not set(runs(" ".join(words))) & set(runs(" ".join(others)))


@pytest.mark.parametrize("said", ["and why I think that it", "see you at the gate at 5", "I will be there in a"])
def test_everyday_words_are_no_run(said):
    assert runs(said) == []
    assert whole(said) == " ".join(tokens(said))


@pytest.mark.parametrize(
    "said",
    [
        "Понравилось «he resigned»", 'Kim wrote "He resigned!"', "„He resigned“, wow", "'he resigned' hat Kim gesagt",
        "“Dana Wu (private): he resigned (k7)”", "「he resigned」にいいね", 'so "he" "resigned": "he resigned"',
    ],
)  # fmt: skip
def test_a_short_item_counts_where_it_is_quoted(said):
    assert whole("he resigned") in find_quoted(said)


@pytest.mark.parametrize("said", ["he resigned", "don't say he resigned, it isn't true", 'the 5" pipe', "", '""', "«»"])
def test_what_is_not_quoted_is_no_quotation(said):
    assert whole("he resigned") not in find_quoted(said)


def test_a_text_of_any_length_has_bounded_runs():
    assert len(runs("word and more words " * 20_000)) <= MOST_RUNS
    assert runs("\u0301" * 50_000) == [] == find_quoted('"' * 50_000)
