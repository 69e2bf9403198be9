"""Words that belong to the carriers, in every shape people give them; and sentences that only contain them."""

import pytest

from gateway.language.carrier_words import REFUSALS, carrier_word, sounds_like_refusal
from gateway.language.grammar import read
from gateway.language.named import Reading
from tests.language_table import CONTEXT, VERBS, resolver


def meant(text: str) -> Reading:
    return read(text, "sms", VERBS, resolver, CONTEXT)


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
        "STOP 🛑",
        "🛑🛑 stop",
        "STOP\n\nSent from my iPhone",
        "Stop\n- Bob",
        "STOP\nBob Reyes",
        "unsubscribe ✋\n--\nBob Reyes, Sales, +1 415 555 0104",
        "END\nGet Outlook for Android",
    ],
)
def test_a_request_to_stop(text):
    assert carrier_word(text) == "stop"


@pytest.mark.parametrize(
    "text",
    [
        "do not ever contact me again", "stop all messages from this number please", "Stop texting me!! 🛑",
        "please don't send me any more of these texts", "I do not want to receive these messages anymore",
        "remove me from your list", "no more messages please", "unsubscribe me from all of this",
        "never text this number again", "quit texting me already", "I want to opt out please",
        "Take me off your list now\nSent from my Galaxy",
    ],
)  # fmt: skip
def test_plain_ways_of_saying_it_opt_out_at_once(text):
    assert meant(text).intent == "optout"


@pytest.mark.parametrize(
    "text",
    ["quit 🎉", "STOP it", "stop this already", "don't text Bob", "please stop these", "stop the alerts at dock 4"],
)
def test_what_may_be_a_no_is_asked(text):
    assert (meant(text).intent, meant(text).privacy) == ("ask", "direct")


@pytest.mark.parametrize(
    "text",
    [
        "stop by my desk", "stop the line", "please stop the line at 4", "no more milk", "message me",
        "Don't wait for me",
        "cancel the 3pm", "end of shift", "out of the office till 4", "I'm out", "never mind", "bus stop",
        "we must stop texting customers after eight in the evening, the law says so",
    ],
)  # fmt: skip
def test_sentences_are_updates(text):
    assert meant(text).intent == "update"


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
