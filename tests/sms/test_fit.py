"""Texts fitted to their parts: what they cost, what is transliterated, where they are cut."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.sms.fit import fit, segments, thrifty, to_gsm7
from gateway.sms.gsm7 import ALPHABET


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ("GSM-7", 0)),
        ("a" * 160, ("GSM-7", 1)),
        ("a" * 161, ("GSM-7", 2)),
        ("a" * 306, ("GSM-7", 2)),
        ("a" * 307, ("GSM-7", 3)),
        ("€" * 80, ("GSM-7", 1)),
        ("€" * 81, ("GSM-7", 2)),
        ("a" * 152 + "€" * 10, ("GSM-7", 2)),
        ("€" * 153, ("GSM-7", 3)),  # 76 to a part: an escape is never split from its character
        ("日" * 70, ("UCS-2", 1)),
        ("日" * 71, ("UCS-2", 2)),
        ("😀" * 35, ("UCS-2", 1)),
        ("😀" * 36, ("UCS-2", 2)),
        ("😀" * 67, ("UCS-2", 3)),  # 33 to a part: a surrogate pair is never split
    ],
)
def test_what_a_text_costs(text, expected):
    assert segments(text) == expected


def test_smart_punctuation_does_not_double_the_price():
    assert thrifty("it\u2019s \u201cgo\u201d \u2014 now\u2026\u00a0ok") == 'it\'s "go" - now... ok'
    assert thrifty("ü é ñ à stay") == "ü é ñ à stay"
    assert thrifty("“日本”") == "“日本”"
    assert to_gsm7("\u2022 a \u2013 b") == "* a - b"


def test_acutes_go_only_when_that_saves_a_part_and_is_wanted():
    assert thrifty("mañana sí") == "mañana sí"
    assert thrifty("sí " * 30) == "si " * 30
    assert thrifty("sí " * 30, accents=True) == "sí " * 30
    assert thrifty("привет " * 20) == "привет " * 20


def test_what_fits_is_sent_whole():
    fitted = fit("lunch?", " (k7)")
    assert (fitted.text, fitted.rest, fitted.segments, fitted.encoding) == ("lunch? (k7)", "", 1, "GSM-7")


def test_what_does_not_fit_is_cut_between_words():
    text = "word " * 100
    fitted = fit(text, " (k7)", "https://x.example/p/abc")
    assert fitted.segments == 2
    assert fitted.text.endswith("word... https://x.example/p/abc (k7)")
    assert fitted.rest.startswith("word")
    assert len(fitted.text) > 280


def test_an_emoji_is_never_cut():
    family = "👩\u200d👩\u200d👧"
    fitted = fit(family * 60, limit=1)
    assert fitted.text.removesuffix("...").replace(family, "") == ""


@given(
    st.text(max_size=700), st.sampled_from(["", " (k7)"]), st.sampled_from([None, "https://x.example/p/" + "a" * 40])
)
@settings(deadline=None)
def test_whatever_is_fitted_fits(text, tail, link):
    fitted = fit(text, tail, link)
    assert fitted.segments <= 2
    assert segments(fitted.text) == (fitted.encoding, fitted.segments)
    assert fitted.text.endswith(tail)
    assert not fitted.rest or text.endswith(fitted.rest)
    assert fitted.encoding == "UCS-2" or set(fitted.text) <= ALPHABET
