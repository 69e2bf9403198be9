"""Words that a thread had before are history in whatever form they stand, and a few of them in a sentence are not."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.mail.history.known_words import known_words
from gateway.mail.parse.own_words import read_own_words

ITEM = "Omar leaves the company on Friday, and nobody is to know before Thursday evening."
SHORT = "Roof meeting moved"
KNOWN = known_words([ITEM, SHORT, "ok"])
OWN = "I will talk to him."


def reply(body: str, subject: str = "Re: news") -> bytes:
    head = f"From: Kim Lee <kim@corp.example>\nSubject: {subject}\nContent-Type: text/plain; charset=utf-8\n\n"
    return (head + body).replace("\n", "\r\n").encode()


@pytest.mark.parametrize(
    "body",
    [
        f"{OWN}\n\n{ITEM}",
        f"{OWN}\n\nSam Ortiz\n3 March\n{ITEM}\nmore of theirs",
        f"{OWN}\n{ITEM}",
        f"{OWN}\n\n    {ITEM}",
        f"{OWN}\n\n* {ITEM} *",
        f"{OWN}\n\nSam Ortiz, Tuesday 9:58:\n\n{ITEM[:40]}\n{ITEM[40:]}",
        f"{OWN}\n\nQuelle: Sam\n{ITEM.upper()}",
        f"{OWN}\n\n«{ITEM}»",
        f"{OWN}\n\nSam, on Tuesday\n{ITEM}",
        f"{OWN}\n\n{SHORT}",
        f"{OWN}\n\n~~~~~~~~\nsam@corp.example\n{SHORT}\n",
        f"{ITEM}\n\n{OWN}",
        f"{ITEM}\n\n{OWN}\n\nOn 3 Mar 2026, Sam wrote:\n> x",
        f"{SHORT}\n\n{OWN}",
    ],
)
def test_known_words_are_history(body):
    found = read_own_words(reply(body), KNOWN)
    lines = [line for line in found.text.split("\n") if line.strip()]
    assert lines[0] == OWN
    assert "nobody" not in found.text.lower()
    assert SHORT not in found.text


@pytest.mark.parametrize(
    "body",
    [
        "That Omar leaves the company on Friday, and nobody is to know before Thursday, is not fair to the whole crew.",
        "ok",
        "You wrote that the roof meeting moved: where to?",
        "Nobody is to know? I do not like that.",
    ],
)
def test_words_that_are_taken_up_stay(body):
    assert read_own_words(reply(body), KNOWN).text == body


def test_a_mail_sent_on_stays_whole():
    body = f"FYI\n\n---------- Forwarded message ---------\nFrom: Sam\n\n{ITEM}"
    assert read_own_words(reply(body, "Fwd: news"), KNOWN).text == body


def test_nothing_but_known_words():
    """With a line that says whose they are it is a quote; alone somebody says the same again."""
    assert read_own_words(reply(f"Sam wrote on Tuesday, 9:58:\n{ITEM}"), KNOWN).text == ""
    assert read_own_words(reply(ITEM), KNOWN).text == ITEM


WORD = st.sampled_from(
    [
        "crate",
        "dock",
        "roof",
        "gate",
        "fence",
        "north",
        "south",
        "early",
        "late",
        "truck",
        "pallet",
        "strap",
        "seven",
        "nine",
    ]
)


@given(st.lists(WORD, min_size=8, max_size=30), st.integers(3, 12), st.sampled_from(["", "| ", "  ", "* ", "- "]))
def test_a_known_text_is_found_however_it_is_wrapped(item, width, mark):
    lines = [mark + " ".join(item[at : at + width]) for at in range(0, len(item), width)]
    text = read_own_words(reply("\n".join([OWN, "", *lines])), known_words([" ".join(item)])).text
    assert text == OWN


def test_it_takes_no_time():
    begun = time.process_time()
    read_own_words(reply("crate dock roof gate fence north south\n" * 10_000), KNOWN)
    assert time.process_time() - begun < 3
