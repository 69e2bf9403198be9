"""Texts that are private in people's own words, or behind a courtesy or a gateway's mark, are kept and asked about."""

import pytest

from gateway.language.grammar import read
from gateway.language.model.reading import Context, Item, Reading
from tests.support.language_table import CONTEXT, KIM, PRIVATE, VERBS, resolver


def meant(text: str, context: Context = CONTEXT) -> Reading:
    return read(text, "sms", VERBS, resolver, context)


@pytest.mark.parametrize(
    "before",
    [
        "please ", "pls ", "ok ", "oops ", "Hey ", "fwd: ", "FW: ", "Re: ", "reply ", "1. ", "1) ", "(hello) ",
        "(no subject) ", "<no subject> ", "no subject\n", "MSG:", "FRM:kim@corp.example\nSUBJ:hi\nMSG:",
        "FROM: Kim MSG: ", "pt. 1/2 ", "Message 1 of 2: ", "1|2 ", "(1-2) ", "<1/2> ", "\u30101/2\u3011",
        "(1\uff0f2) ", "(1/3) (1/2) ", "Page 1/2 ", "1of2 ", "Edited to \u201c", "Sorry, again: ", "I meant ",
        "sorry meant: ", "thanks! ", "@kim ", "#sales ", "sent: ", "critter, ",
    ],
)  # fmt: skip
@pytest.mark.parametrize("command", ["d dave the salary is 90k", "DM dave: the salary", "d dave,pat salary"])
def test_what_stands_before_a_private_command_does_not_publish_it(before, command):
    reading = meant(before + command)
    assert (reading.intent, reading.privacy) == ("ask", "direct"), reading
    assert reading.names[0].handle == "dave"


@pytest.mark.parametrize(
    "text",
    [
        "To: dave\nwe will close", "@dave in private your raise",
        "@dave (just you) your raise", "dave - private - your raise", "dave, between you and me, we will close",
        "dave just between us we will close", "dave: for your eyes only, we will close", "@dave don't tell anyone: 90k",
        "dave, keep this to yourself: 90k", "eyes only dave: 90k", "Private - Dave - salary", "(private to dave) 90k",
        "prviate dave: salary", "privte dave salary", "mesage dave: salary", "messge to dave salary", "pvt dave salary",
        "wisper dave salary", "privmsg dave hi", "direct-message dave: hi",
        "direct msg to dave: 90k", "email dave: 90k", "psst dave 90k",
        "hey dave, privately: 90k",
        "dear dave, confidential: 90k", "strictly private: dave, 90k", "only dave: 90k",
        "only dave should read this: 90k",
        "between dave and me: 90k", "between me and dave: 90k", "tell dave confidentially 90k", "let dave know: 90k",
        "send dave privately 90k", "send this only to dave: 90k", "can you tell dave privately that we close",
        "reply to dave: 90k", "reply privately to dave: 90k", "warn dave privately: 90k", "private\ndave: 90k",
        "\U0001f512 dave salary", "\U0001f92b dave: salary",
    ],
)  # fmt: skip
def test_plain_words_are_kept(text):
    reading = meant(text)
    assert (reading.intent, reading.privacy) == ("ask", "direct"), reading
    assert "dave" in {each.handle for each in reading.names}


@pytest.mark.parametrize(
    "text",
    [
        "dile a dave: 90k", "dile a dave en secreto 90k", "solo dave: 90k", "md a dave 90k", "escribe a dave: 90k",
        "m\u00e1ndale a dave: 90k", "env\u00eda un mensaje a dave: 90k", "confidencial dave: 90k",
        "directo a dave: 90k",
        "entre t\u00fa y yo dave: 90k", "dave, entre t\u00fa y yo: 90k", "dave no se lo digas a nadie: 90k",
        "oye dave, en privado: 90k", "privadamente a dave: 90k",
    ],
)  # fmt: skip
def test_plain_words_in_spanish_are_kept(text):
    assert (meant(text).intent, meant(text).privacy) == ("ask", "direct"), meant(text)


@pytest.mark.parametrize(
    "text", ["reply privately: 90k", "r privately 90k", "Reply in private, 90k", "respond to him privately: 90k"]
)
def test_a_reply_that_says_private_answers_no_public_update(text):
    reading = meant(text)
    assert (reading.intent, reading.names, reading.args[1]) == ("ask", (KIM,), "90k")


def test_a_reply_that_says_private_to_something_private_is_a_private_reply():
    assert meant("r privately 90k", PRIVATE).privacy == "direct"
    assert meant("r privately 90k", Context(last=Item(1, KIM, private=True))).intent == "reply"


@pytest.mark.parametrize(
    "text",
    [
        "please tell everyone the door is open", "hi kim, how are you", "ok kim will be there", "send kim my love",
        "only kim can fix this", "just kim and me at the office", "to kim with love", "for kim this is a big day",
        "kim is in a private meeting", "kim only works mondays", "kim, keep it up!", "mail kim if you need a badge",
        "let kim know if you can come", "between kim and dave there is a desk free", "private party tonight at 8",
        "could you ask kim to call", "also d block is closed", "no d batteries left", "part 2 of the training is on",
        "private parking is full", "massage chairs are in", "@kim thanks for keeping it private", "1. coffee 2. tea",
        "@kim private parking is full", "i was with kim", "thanks kim", "@dave dm me", "#sales message received",
        "should be fun, kim", "reply by friday", "messages kim sent are lost", "primate day at the zoo",
    ],
)  # fmt: skip
def test_everyday_prose_is_no_secret(text):
    assert meant(text).intent in ("update", "reply", "group"), meant(text)
