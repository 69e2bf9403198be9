"""The short reading of From must never say anything that the long one does not."""

import re

from hypothesis import assume, given
from hypothesis import strategies as st

from gateway.doors.smtp import header_peek
from gateway.errors import Refused
from gateway.mail.decode import mime
from gateway.mail.parse import author

NAMES = ["From:", "from :", "FROM: ", "Kim ", "kim@corp.example", "eve@evil.example", "=?utf-8?q?K?=", "\r\nFrom: "]
NAMES += ["[External]", "\u200b", "\u00ad", "ü", "kim@corp.example <kim@corp.example>"]
MARKS = [
    "<",
    ">",
    ",",
    '"',
    "(",
    ")",
    ";",
    ":",
    "\t",
    " ",
    "\\",
    ".",
    "'",
    "é",
    "\0",
    "a",
    "\r\n X",
    "\r\n",
    "\r\n\r\n",
]
PIECES = st.sampled_from([*NAMES, *MARKS])


def long_way(header: bytes) -> str | None:
    try:
        return author.sender(mime.parse(header + b"\r\n"))
    except Refused:
        return None


@given(st.lists(PIECES, max_size=12).map("".join))
def test_the_short_reading_agrees_with_the_long_one(text: str):
    header = header_peek.header(text.encode() + b"\r\n\r\n")
    found = header_peek.sender(header)
    assert found is None or found == long_way(header)


@given(st.lists(PIECES, max_size=8).map("".join))
def test_behind_a_plain_from_nothing_is_overheard(text: str):
    header = header_peek.header(b"From: Kim Lee <Kim@corp.example>" + text.encode() + b"\r\n\r\n")
    found = header_peek.sender(header)
    assert found is None or found == long_way(header)


def test_the_message_id_is_one_word_in_angles():
    cases = {
        b"Message-ID: <1@corp.example>\r\n": "<1@corp.example>",
        b"X: y\r\nmessage-id:\r\n <1@corp.example> \r\n": "<1@corp.example>",
        b"Message-ID: 1@corp.example\r\n": None,
        b"Message-ID: <a b>\r\n": None,
        b"Message-ID: <a\0b>\r\n": None,
        b"X-Message-ID: <1@corp.example>\r\n": None,
        b"Message-ID: <" + b"x" * 991 + b">\r\n": None,
    }
    assert {header: header_peek.message_id(header) for header in cases} == cases


@given(st.lists(PIECES, max_size=8).map("".join))
def test_another_address_beside_the_mailbox_is_never_overlooked(text: str):
    """Whatever stands before or behind it: the mail is the mailbox's in the angle brackets, or nobody's."""
    assume(not re.search(r"\n(?![ \t])", text))  # such a line would end the field
    for value in (f"{text} <sam@corp.example>", f"<sam@corp.example> {text}"):
        header = header_peek.header(f"From: {value}\r\n\r\n".encode())
        assert header_peek.sender(header) in (None, "sam@corp.example")
