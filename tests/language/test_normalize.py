"""Characters: what is kept of a text, and how its first word and its names are compared, in any script."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.language.grammar import read
from gateway.language.words.normalize import clean, first_token, fold_case, name_of, verb_of
from tests.support.language_table import CONTEXT, VERBS, resolver


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("  hello\t", "hello"),
        ("\u200e\u200fhello\u202c", "hello"),
        ("he\u200bl\u2060lo\ufeff", "hello"),
        ("a\r\nb\rc\u2028d\x85e\x0bf\x0cg\x1dh", "a\nb\nc\nd\ne\nf\ng\nh"),
        ("a\x07b\x00", "ab"),
        ("a\u200c\u200bb", "ab"),
        ("می\u200cخواهم", "می\u200cخواهم"),  # Persian needs its non-joiner
        ("क\u094d\u200dष", "क\u094d\u200dष"),  # and Hindi its joiner
        ("👩🏽\u200d💻", "👩🏽\u200d💻"),
        ("\u3000你好\u3000", "你好"),
        ("\u3164", ""),
        ("\ud800x", "x"),
        ("\ufffcfollow sales", "follow sales"),  # as dictation leaves it
        ("follow\ufe0f \ufe0esales", "follow sales"),
        ("❤️ 1️⃣ 🏴\U000e0067\U000e007f", "❤️ 1️⃣ 🏴\U000e0067\U000e007f"),
        ("ｆｕｌｌ", "ｆｕｌｌ"),  # what is posted stays as it was written
    ],
)
def test_what_is_kept(text, kept):
    assert clean(text) == kept


@given(st.text())
def test_cleaning_twice_is_cleaning_once(text):
    assert clean(clean(text)) == clean(text)


@pytest.mark.parametrize(
    ("word", "compared"),
    [
        ("FOLLOW", "follow"),
        ("Ｆｏｌｌｏｗ", "follow"),
        ("ﬁona", "fiona"),
        ("STRASSE", "strasse"),
        ("straße", "strasse"),
        ("Jose\u0301", "josé"),
        ("\u0130NV\u0130TE", "invite"),
        ("ki\u200bm\u00ad", "kim"),
        ("\u200fאבי", "אבי"),
    ],
)
def test_how_words_are_compared(word, compared):
    assert fold_case(word) == compared


@given(st.text(max_size=20))
def test_folding_is_stable(word):
    once = fold_case(word)
    assert fold_case(once) == once
    assert unicodedata.is_normalized("NFKC", once)


SPELLINGS = [
    "follow sales", "FOLLOW! sales", "Follow: sales", "follow, sales", "follow. sales", "follow... sales",
    "follow… sales", "follow！ sales", "follow： sales", "follow。 sales", "follow\nsales", "follow\r\nsales",
    "follow\u2028sales", "follow\tsales", "follow\x0bsales", "follow\u00a0sales", "follow\u3000sales",
    "follow \u2009 sales", "follow   sales", "ｆｏｌｌｏｗ\u3000ｓａｌｅｓ", "\u200efollow sales",
    "\u202bfollow sales\u202c", "fol\u200blow sales", "\ufefffollow sales", "follow\u2060 sales", "Follow sales.",
    "join #sales", "join ＃sales", "follow “sales”", "follow sales！", "follow sales。", "follow (sales)",
    "/follow sales", "／follow sales", "/ follow sales",
]  # fmt: skip


@pytest.mark.parametrize("text", SPELLINGS)
def test_a_verb_in_many_spellings(text):
    reading = read(text, "sms", VERBS, resolver, CONTEXT)
    assert (reading.intent, reading.args) == ("follow", ("sales",))


@pytest.mark.parametrize(
    "text",
    [
        "D kim my salary",
        "ｄ kim my salary",
        "d\nkim my salary",
        "d\u3000kim\u3000my salary",
        "\u200fd kim, my salary",
        "d: @kim my salary",
        "d “kim” my salary",
        "／d kim my salary",
        "d\u00a0＠kim my salary",
        "d KİM my salary",
    ],
)
def test_private_in_any_spelling(text):
    reading = read(text, "sms", VERBS, resolver, CONTEXT)
    assert (reading.intent, reading.privacy, [each.handle for each in reading.names]) == ("direct", "direct", ["kim"])


@pytest.mark.parametrize("text", ["follow?", "¿follow", "fóllow", "follow-up", "follow/sales"])
def test_other_words_are_no_verb(text):
    assert verb_of(text) != "follow"


@pytest.mark.parametrize(
    ("token", "name"),
    [
        ("@Kim", "kim"),
        ("＠ｋｉｍ", "kim"),
        ("@kim,", "kim"),
        ("#sales.", "sales"),
        ("“@kim”", "kim"),
        ("(#sales)", "sales"),
        ("@李明", "李明"),
        ("@李明，", "李明"),
        ("李明、", "李明"),
        ("\u200fאבי\u200f", "אבי"),
        ("@محمد،", "محمد"),
        ("محمد؟", "محمد"),
        ("म्हात्रे।", "म्हात्रे"),
        ("Zoë", "zoë"),
        ("O'Brien", "o'brien"),
        ("@", ""),
        ("...", ""),
    ],
)
def test_a_name_in_any_script(token, name):
    assert name_of(token) == name


@given(st.text(max_size=30))
def test_the_first_token_and_the_rest_are_the_text(text):
    kept = clean(text)
    token, rest = first_token(kept)
    assert kept.startswith(token)
    assert kept.endswith(rest)
    assert kept[len(token) :].strip() == rest.strip()
    assert not any(each.isspace() for each in token)
