"""Reactions by mail: Gmail's part and the words of others are reactions; what people write about them is not."""

import pytest

from gateway.mail.decode import mime
from gateway.mail.parse.own_words import read_own_words
from gateway.mail.parse.reaction_mails import mail_reaction


def read(raw: bytes) -> str | None:
    message = mime.parse(raw)
    own = read_own_words(message)
    return mail_reaction(message, own.text, own.trimmed)


def test_the_writers_own_name_in_it():
    raw = plain(f"❤️\n\nKim Lee reacted via Gmail\n{LINK}").replace(b"a@b.example", b"Kim Lee <a@b.example>")
    assert read(raw) == "❤️"


def gmail(json: str, plain: str = "x") -> bytes:
    head = "From: a@b.example\nSubject: Re: x\nContent-Type: multipart/alternative; boundary=b\n\n"
    return (
        f"{head}--b\nContent-Type: text/plain; charset=utf-8\n\n{plain}\n"
        f"--b\nContent-Type: text/vnd.google.email-reaction+json; charset=utf-8\n\n{json}\n--b--\n"
    ).encode()


def plain(text: str) -> bytes:
    return f"From: a@b.example\nSubject: Re: x\nContent-Type: text/plain; charset=utf-8\n\n{text}\n".encode()


@pytest.mark.parametrize(
    ("json", "kind"),
    [
        ('{"emoji":"👍","version":1}', "👍"),
        ('{"version": 1, "emoji": "\\ud83c\\udf89"}', "🎉"),
        ('{"emoji":"👩🏽‍💻","version":1}', "👩🏽‍💻"),
        ('{"emoji":"words instead","version":1}', "like"),
        ('{"emoji":17}', "like"),
        ("[]", "like"),
        ("{broken", "like"),
        ("[" * 9000, "like"),
    ],
)
def test_gmails_part(json, kind):
    assert read(gmail(json)) == kind


LINK = "<https://www.google.com/gmail/about/?utm_source=gmail-in-product#app>"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (f"❤️\n\nKim Lee reacted via Gmail\n{LINK}", "❤️"),
        (f"🎉\n\nKim Lee hat über Gmail {LINK} reagiert", "🎉"),
        ("Kim Lee reacted to your message:", "like"),
        ("😂 Kim Lee reacted to your message", "😂"),
        ("Kim Lee reacted to your message: 🎉", "🎉"),
        ("Kim Lee hat auf Ihre Nachricht reagiert:", "like"),
        ("Kim Lee a réagi à votre message :", "like"),
        ("Kim Lee reaccionó a su mensaje", "like"),
        ("👍\nKim Lee reagerade på ditt meddelande", "👍"),
        ("Kim Lee reacted to your message:\n\n________________________________\nFrom: Sam <s@b.example>\n"
         "Sent: Tuesday, March 3, 2026 9:58\nTo: Kim\nSubject: x\n\nold words", "like"),
    ],
)  # fmt: skip
def test_reactions_in_words(text, kind):
    assert read(plain(text)) == kind


@pytest.mark.parametrize(
    "text",
    [
        "👍",
        "👍\n\nsee you via Gmail",
        "Sam reacted to your message with anger, so I called him.",
        "Who reacted to your message yesterday?",
        "I like it.",
        "The gate reacted to your message: it opened.",
        "",
    ],
)
def test_words_about_reactions(text):
    assert read(plain(text)) is None
