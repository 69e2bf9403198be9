"""Real texts of drivers, sales and staff, and what each must be read as: the table data/readings.tsv."""

from pathlib import Path

import pytest

from gateway.language.grammar import read
from gateway.language.model.reading import Channel, Reading
from gateway.mail.parse.own_words import read_own_words as letter
from tests.support.language_table import CONTEXT, VERBS, resolver, unescaped

TABLE = Path(__file__).parents[1] / "data" / "readings.tsv"
BY_MAIL = "by mail:"
# Intents whose third column are the arguments; elsewhere it says why.
ARGUED = frozenset(
    [
        "block", "direct", "follow", "get", "group", "invite", "join_request", "mute", "nudge", "off", "on", "repeat",
        "reply", "report", "setting", "stats", "track", "unfollow", "untrack", "who", "whois",
    ]
)  # fmt: skip


def rows() -> list[tuple[str, str, str]]:
    lines = [line.split("\t") for line in TABLE.read_text(encoding="utf-8").splitlines()[1:]]
    return [(unescaped(text), intent, unescaped(third)) for text, intent, third in lines]


def meant(text: str, channel: Channel) -> Reading:
    return read(text, channel, VERBS, resolver, CONTEXT)


def mailed(text: str) -> Reading:
    mail = "From: kim@demo.example\r\nSubject: hello\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n" + text
    return meant(letter(mail.encode()).text, "email")


@pytest.mark.parametrize(("text", "intent", "third"), rows(), ids=lambda value: value[:30])
def test_the_table(text, intent, third):
    by_mail = third.startswith(BY_MAIL)
    reading = mailed(text) if by_mail else meant(text, "sms")
    assert reading.intent == intent, reading
    if intent in ARGUED:
        assert "; ".join(reading.args) == third.removeprefix(BY_MAIL).strip()
    if intent == "ask" and "private" in third:
        assert reading.privacy == "direct"
