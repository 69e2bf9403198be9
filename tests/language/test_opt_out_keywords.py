"""Words that belong to the carriers, in every shape people give them; and sentences that only contain them."""

import pytest

from gateway.language.grammar import read
from gateway.language.model.reading import Reading
from gateway.language.opt_out.keywords import REFUSALS, carrier_word, sounds_like_refusal
from tests.support.language_table import CONTEXT, VERBS, resolver


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
        "Reply STOP", "reply 'stop'", "txt stop", "send stop", "stop2end", "stop2quit", "stop all of it",
        "who dis stop",
        "no thanks stop", "not interested, stop", "hey critter stop", "stop for now", "stop for 2 hours",
        "stop till monday",
        "can you stop", "how can I stop?", "make it stop", "when will this stop", "stop sending stuff",
        "cancel my account", "turn off notifications", "way too many texts", "take this number off your list",
        "block this number", "wrong number dude", "quit blowing up my phone", "I would like to be removed",
        "baja por favor", "pare por favor", "keine SMS mehr bitte", "abmelden bitte", "¡Ya basta!", "déjenme en paz",
        "Número equivocado", "bitte aufhören", "non scrivetemi più", "пожалуйста хватит", "やめて", "proszę przestań",
        "توقف من فضلك", "arrête ça",
    ],
)  # fmt: skip
def test_other_ways_to_say_no_are_asked_and_never_posted(text):
    assert (meant(text).intent, meant(text).privacy) == ("ask", "direct")


@pytest.mark.parametrize(
    "text",
    [
        "stop by my desk", "stop the line", "please stop the line at 4", "no more milk", "message me",
        "Don't wait for me",
        "cancel the 3pm", "end of shift", "out of the office till 4", "I'm out", "never mind", "bus stop",
        "can we stop by at noon", "will the train stop there tonight", "how to stop a leak", "stop right there, thief",
        "never stop", "non stop today", "send the stop sign", "basta pasta is open",
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


@pytest.mark.parametrize(
    "text",
    [
        "sotp", "stpo", "tsop", "Sotp!", "STPO.", "st op", "s top", "S T O P", "st0p", "ustop", "stopo", "sttop",
        "stoppp",
        "stooop", "stp", "sto", "please sotp", "sotp now", "sotp texting me", "sotp all messages",
        "unsubscibe", "Unsubcribe", "unsuscribe me", "unsubscrib", "un subscribe", "unsubsrcibe", "usubscribe",
        "UNSUBSCIRBE!",
        "sotp \U0001f6d1", "stpo\nSent from my iPhone", "stopal", "so tp", "sotp it", "sotp this", "stopstop",
        "STPO STPO",
        "optuot", "cancle", "Canel", "S-T-O-P", "un-subscribe",
    ],
)  # fmt: skip
def test_stop_with_a_typing_error_is_asked_and_flagged(text):
    reading = meant(text)
    assert (reading.intent, reading.privacy, reading.unknown) == ("ask", "direct", "stop"), reading
    assert sounds_like_refusal(text)
    assert read(text.splitlines()[0], "email", VERBS, resolver, CONTEXT).intent in ("ask", "off")


@pytest.mark.parametrize(
    "text",
    [
        "shop", "step", "top", "Spot", "slop", "stow", "stoop", "stomp", "strop", "stops", "swop", "atop", "subscribe",
        "subscribers", "insurance", "the bus stop", "step by step", "top of the list", "shop at noon", "sotheby",
        "stop by the shop", "top texting tips", "describes", "substance", "Scribe", "stock", "spots", "stoic",
        "cancer", "so top", "is top", "sotp by my desk", "tops", "cancle my meeting",
        "the sotp sign",
    ],
)  # fmt: skip
def test_words_that_are_one_letter_away_are_words(text):
    for channel in ("sms", "email"):
        assert read(text, channel, VERBS, resolver, CONTEXT).intent == "update"
    assert not sounds_like_refusal(text)


@pytest.mark.parametrize(
    "text",
    [
        "stop emailing me", "Please take me off this list.", "unsubscribe me", "Unsubscribe me, please\n-- \nKim",
        "no more emails please", "don't send me any more mail", "remove my email address",
        "stop sending me these emails",
        "Please remove me from your mailing list", "I do not want these e-mails anymore", "never email me again",
        "stop all emails", "quit mailing me", "I want to unsubscribe", "dejen de enviarme correos",
        "no m\u00e1s correos",
        "stop texting me", "Take me off your list now\nSent from my Galaxy",
    ],
)  # fmt: skip
def test_a_mail_that_says_it_in_plain_words_turns_the_mailbox_off(text):
    assert read(text, "email", VERBS, resolver, CONTEXT).verb == "off"


@pytest.mark.parametrize(
    "text",
    [
        "stop the line", "don't email Bob", "stop mailing the list to Bob", "delete this mail", "no more mail today",
        "remove the address of ACME", "cancel the mail to ACME", "unsubscribe Bob from the newsletter, he left",
        "please take Bob off this list", "don't forget to email me the list", "never send mail to the plant on Sundays",
    ],
)  # fmt: skip
def test_a_mail_about_something_else_is_an_update(text):
    assert read(text, "email", VERBS, resolver, CONTEXT).intent == "update"


def test_by_text_no_mail_is_meant():
    assert meant("stop emailing me").intent == "ask"


@pytest.mark.parametrize("text", ["\u00a1para!", "\u00a1Para ya!", "Para, por favor", "\u00a1PARAR!", "\u00a1alto!"])
def test_stop_in_spanish(text):
    assert carrier_word(text) == "stop"


@pytest.mark.parametrize(
    "text", ["para ma\u00f1ana", "\u00bfpara qui\u00e9n?", "\u00a1para Kim!", "para el almac\u00e9n"]
)
def test_the_preposition_is_none(text):
    assert meant(text).intent == "update"
