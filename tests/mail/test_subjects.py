"""When the subject of a mail is part of its words, and when it says nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.mail.decode.subjects import is_generic, with_subject
from gateway.mail.parse.own_words import read_own_words
from gateway.network.mail import mail_addresses
from gateway.security.signed_tokens import Signer


@pytest.mark.parametrize(
    ("subject", "text", "said"),
    [
        ("Fence painting on Monday at 8", "bring brushes", "Fence painting on Monday at 8: bring brushes"),
        ("Fence?", "who has paint", "Fence? who has paint"),
        ("Zaun streichen!", "um acht", "Zaun streichen! um acht"),
        ("栅栏。", "明天八点", "栅栏。 明天八点"),
        ("fence", "The fence is wet.", "The fence is wet."),
        ("The FENCE", "Careful: the “fence” is wet.", "Careful: the “fence” is wet."),
        ("fences", "The fence is wet.", "fences: The fence is wet."),
        ("", "wet", "wet"),
        ("(no subject)", "wet", "wet"),
        ("<kein Betreff>", "wet", "wet"),
        ("IMG_2031.jpg", "wet", "wet"),
        ("20260303_095811.HEIC", "wet", "wet"),
        ("Screenshot 2026-03-03 09:58", "wet", "wet"),
        ("Sans titre", "wet", "wet"),
        ("Uten emne", "wet", "wet"),
        ("Sent from my iPhone", "wet", "wet"),
        ("The screenshot of Monday", "wet", "The screenshot of Monday: wet"),
        ("IMG 4711", "wet", "IMG 4711: wet"),
        ("MMS", "wet", "wet"),
        ("Foto 2", "wet", "wet"),
        ("Fotos", "wet", "wet"),
        ("(sin asunto)", "wet", "wet"),
        ("Без темы", "wet", "wet"),
        ("無題", "wet", "wet"),
        ("...", "wet", "wet"),
        ("Hello!", "wet", "wet"),
        ("fence", "", ""),
    ],
)
def test_the_subject_before_the_words(subject, text, said):
    assert with_subject(subject, text) == said


REPLIES = [
    "Re:",
    "RE[3]:",
    "Re 2:",
    "AW:",
    "Sv:",
    "VS:",
    "RV: RE:",
    "Odp:",
    "Ynt:",
    "ΑΠ:",
    "回复：",
    "TR: Re:",
    "Antw.:",
    "R:",
    "Rif:",
    "RES:",
    "Отв:",
    "Trả lời:",
    "Balas:",
    "답장:",
    "השב:",
]


@pytest.mark.parametrize("subject", REPLIES)
def test_subjects_of_answers(subject):
    own = read_own_words(f"From: a@b.example\r\nSubject: {subject} x\r\n\r\nwet\r\n".encode())
    assert own.answers or own.forwarded
    assert own.subject == "x"


def test_an_answer_by_its_fields():
    assert read_own_words(b"From: a@b.example\r\nSubject: x\r\nIn-Reply-To: <1@b.example>\r\n\r\nwet\r\n").answers
    assert not read_own_words(b"From: a@b.example\r\nSubject: Reading: x\r\n\r\nwet\r\n").answers


def test_invisible_characters_in_a_subject_change_nothing():
    for subject in ("\u200bRe\u00ad: x", "\u202aRe: x\u202c", "Re\ufeff: x\ufffc"):
        own = read_own_words(
            f"From: a@b.example\r\nSubject: {subject}\r\n\r\nfol\u00adlow\u200b \ufffckim\r\n".encode()
        )
        assert (own.subject, own.answers, own.text) == ("x", True, "follow kim")


@given(st.text(max_size=40), st.text(max_size=80))
def test_words_are_never_lost(subject, text):
    said = with_subject(subject, text)
    assert said.endswith(text)
    assert said == text or not is_generic(subject)


def test_invisible_characters_in_an_address_of_ours_change_nothing():
    signer = Signer(("k" * 32,))
    for plain in ("post", "sales", "sales+join", f"r+{signer.sign('reply', 1, 2)}"):
        for mark in ("\u200b", "\u202a", "\u00ad", "\ufffc", "\ufe0f"):
            assert mail_addresses.read(f"{mark}{plain[:2]}{mark}{plain[2:]}", signer) == mail_addresses.read(
                plain, signer
            )
            assert mail_addresses.read(plain, signer) is not None
