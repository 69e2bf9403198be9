"""What phones quote of a text they got, and what they do not."""

import pytest

from gateway.language.reactions.quote_match import quotes
from gateway.sms.fit import fit

SENT = "Kim Lee: “Starting” the ACME\n proposal — ça va?"


@pytest.mark.parametrize(
    "quote",
    [
        "Kim Lee: “Starting” the ACME\n proposal — ça va?",
        'Kim Lee: "Starting" the ACME proposal - ça va?',
        "kim lee:  “starting” the acme\u00a0proposal – ca va?",
        "Kim Lee: “Starting” the ACME proposal — ça va? (k7)",
        "Kim Lee: “Starting” the…",
        "Kim Lee: “Starting” the ACME prop...",
        "Kim Lee: ‟Starting” the \u200bACME proposal — ça va? ",
    ],
)
def test_a_quotation_is_forgiven_its_looks(quote):
    assert quotes(SENT, quote)


@pytest.mark.parametrize(
    "quote", ["", "…", "Kim Lee:", "Kim Lee: “Starting” the", "Starting the ACME proposal", "Kim Lee: “Started…", "va?"]
)
def test_other_words_are_no_quotation(quote):
    assert not quotes(SENT, quote)


def test_a_shortened_text_is_found_by_its_beginning():
    whole = "Kim Lee: " + "the ACME proposal is on its way, " * 20
    sent = fit(whole, " (k7)", "https://critter.example/p/abc123").text
    for quote in (sent, sent[:-5] + "…", sent[:60] + "…", sent.removesuffix(" (k7)"), fit(whole, "", "text MORE").text):
        assert quotes(whole, quote)
    assert not quotes(whole.replace("ACME", "other"), sent)


@pytest.mark.parametrize("text", ["Kim Lee: día ½ ™ ² … Łódź", "Kim Lee: 日本語 „текст“", "Kim Lee: 🎉🎉"])
def test_what_was_sent_is_a_quotation_of_what_was_written(text):
    assert quotes(text, fit(text, " (k7)").text)


def test_a_text_of_marks_alone():
    assert quotes("...", "…")
    assert not quotes("...", "?")
