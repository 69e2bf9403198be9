"""The corpus of mails in tests/mails: each gives exactly the words beside it, from its plain and from its rich part."""

from collections import Counter
from email import message_from_bytes
from email.message import Message
from pathlib import Path
from typing import Any

import pytest

from gateway.mail.decode import body_parts, mime
from gateway.mail.parse.own_words import read_own_words

MAILS = sorted((Path(__file__).parents[1] / "mails").glob("*.eml"))
LEAST, LEAST_OF_CLIENTS = 120, 60
CLIENTS = ("gmail", "outlook", "exchange", "apple", "iphone", "thunderbird", "yahoo", "k9", "fairemail", "samsung")


def expected(path: Path) -> str:
    return path.with_suffix(".txt").read_text(encoding="utf-8").rstrip("\n")


def alternative(path: Path) -> "Message[Any, Any] | None":
    message = message_from_bytes(path.read_bytes())
    kinds = [part.get_content_type() for part in message.walk()]
    return message if {"text/plain", "text/html"} <= set(kinds) and "multipart/alternative" in kinds else None


def one_text(path: Path) -> bool:
    """A mail of one plain text, not signed in it: its signature is neither words nor history. Nor are fields that
    slipped into the text."""
    message = message_from_bytes(path.read_bytes())
    whole = message.get_content_type() == "text/plain" and body_parts.unwrap(message) is message
    return whole and "pgp" not in path.stem


def letters(text: str) -> Counter[str]:
    return Counter(filter(str.isalnum, text))


@pytest.mark.parametrize("path", MAILS, ids=lambda path: path.stem)
def test_own_words(path):
    assert read_own_words(path.read_bytes()).text == expected(path)


@pytest.mark.parametrize("path", [path for path in MAILS if alternative(path)], ids=lambda path: path.stem)
def test_the_rich_part_alone_says_the_same(path):
    message = alternative(path)
    for part in message.walk():
        if part.get_content_type() == "text/plain":
            part.set_payload("")
    assert read_own_words(message.as_bytes()).text == expected(path)


@pytest.mark.parametrize("path", [path for path in MAILS if one_text(path)], ids=lambda path: path.stem)
def test_what_was_cut_can_be_read(path):
    message = message_from_bytes(path.read_bytes())
    own = read_own_words(message)
    whole, kept = letters(mime.text(message)), letters(own.text) + letters(own.trimmed)
    assert not whole - kept


def test_the_corpus_is_whole():
    assert len(MAILS) >= LEAST
    assert sum(path.stem.startswith(CLIENTS) for path in MAILS) >= LEAST_OF_CLIENTS
    assert {path.stem for path in MAILS} == {path.stem for path in MAILS[0].parent.glob("*.txt")}
