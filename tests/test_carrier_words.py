"""Words that belong to the carriers, in every shape people give them; and sentences that only contain them."""

import pytest

from gateway.language.carrier_words import REFUSALS, carrier_word, sounds_like_refusal


@pytest.mark.parametrize(
    "text",
    [
        "STOP",
        "stop",
        "Stop.",
        "sToP!!!",
        "stop ",
        '"STOP"',
        "StopAll",
        "stop all",
        "UNSUBSCRIBE",
        "cancel",
        "END.",
        "quit",
        "revoke",
        "OptOut",
        "opt out",
        "Opt-out!",
        "BAJA",
        "arrêt",
        "Stopp",
        "СТОП",
        "ＳＴＯＰ",
        "Please stop texting me!",
        "don't text me",
        "Don\u2019t text me again.",
        "Remove me",
        "stop please",
        "pls stop",
        "take me off this list",
    ],
)
def test_a_request_to_stop(text):
    assert carrier_word(text) == "stop"


@pytest.mark.parametrize(
    "text",
    [
        "stop by my desk",
        "cancel the 3pm",
        "end of shift",
        "quit smoking today",
        "please cancel",
        "quit 🎉",
        "the end",
        ".stop",
        "#stop",
        "?",
        "",
        "help me move",
        "bus stop",
        "st",
        "start at 9",
        "yes please",
    ],
)
def test_sentences_and_marks_are_no_carrier_words(text):
    assert carrier_word(text) is None


def test_start_yes_and_help():
    assert [carrier_word(word) for word in ("START", "unstop", "Yes!", "help", "INFO")] == [
        "start",
        "start",
        "yes",
        "help",
        "help",
    ]


def test_the_list_of_refusals_is_closed_and_generous():
    assert len(REFUSALS) >= 60
    assert all(carrier_word(phrase) == "stop" for phrase in REFUSALS)


def test_other_refusals_are_seen():
    assert sounds_like_refusal("I really don't want any of this, stop sending me these texts every day")
    assert not sounds_like_refusal("lunch at noon?")
