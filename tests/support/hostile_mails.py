"""Mails made to be slow or large, as big as the listener takes them. The test of the bounds and the bench read them."""

import base64
from collections.abc import Callable, Iterator

LARGEST = 10 * 1024 * 1024
HEAD = b"From: Kim Lee <kim@corp.example>\r\nSubject: gate\r\nMIME-Version: 1.0\r\n"
PLAIN = b"Content-Type: text/plain; charset=utf-8\r\n\r\n"
HTML = b"Content-Type: text/html; charset=utf-8\r\n\r\n"
MANY = 100_000


def _filled(line: bytes, size: int = LARGEST) -> bytes:
    return line * (size // len(line))


def _encoded(kind: bytes) -> bytes:
    body = base64.encodebytes(_filled("Tor auf für alle. ".encode(), LARGEST * 7 // 10))
    return HEAD + b"Content-Type: " + kind + b"; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n" + body


def _attached() -> bytes:
    file = base64.encodebytes(bytes(range(256)) * (LARGEST * 7 // 10 // 256))
    head = (
        b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nthe plan\r\n--b\r\n'
    )
    return (
        HEAD
        + head
        + b"Content-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n"
        + file
        + b"\r\n--b--\r\n"
    )


def _deep() -> bytes:
    levels = (b'Content-Type: multipart/mixed; boundary="b%d"\r\n\r\n--b%d\r\n' % (at, at) for at in range(10_000))
    return HEAD + b"".join(levels)


MAILS: dict[str, Callable[[], bytes]] = {
    "10 MiB of base64 text": lambda: _encoded(b"text/plain"),
    "10 MiB of base64 HTML": lambda: _encoded(b"text/html"),
    "10 MiB attached": _attached,
    "10 MiB of short lines": lambda: HEAD + PLAIN + _filled(b"a\r\n"),
    "10 MiB in one line": lambda: HEAD + PLAIN + _filled(b"a: "),
    "10,000 parts": lambda: (
        HEAD + b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n' + b"--b\r\n\r\nx\r\n" * 10_000
    ),
    "10,000 levels": _deep,
    "1 MB of HTML in a line": lambda: HEAD + HTML + _filled(b"<b>x</b> ", 1_000_000),
    "100,000 nested tags": lambda: HEAD + HTML + b"<div>" * MANY,
    "100,000 nested quotes": lambda: HEAD + HTML + b"<blockquote>" * MANY + b"x",
    "14,000 nested quotes": lambda: HEAD + HTML + b"<blockquote type=cite>" * 14_000 + b"x",
    "14,000 paragraphs nested": lambda: HEAD + HTML + b"<div><p class=MsoNormal>" * 7_000 + b"x",
    "7,000 Gmail marks": lambda: HEAD + HTML + b'<div class="gmail_attr">' * 7_000 + b"x" * 100_000,
    "100,000 quote signs": lambda: HEAD + PLAIN + b"> " * MANY,
    "100,000 quoted lines": lambda: HEAD + PLAIN + b"> a\r\n" * MANY,
    "100,000 attributions": lambda: HEAD + PLAIN + b"On 3 Mar 2026 at 10:11, Kim wrote:\r\nno\r\n" * MANY,
    "almost attributions": lambda: HEAD + PLAIN + b"On 1:11 <a@b " * 30 + (b"\r\nOn 1:11 <a@b wrote" * 20_000) + b":",
    "almost header blocks": lambda: HEAD + PLAIN + b"From: a\r\nTo: b\r\n" * MANY,
    "rules": lambda: HEAD + PLAIN + b"________________________________\r\n" * 40_000,
    "delimiters": lambda: HEAD + PLAIN + b"-- \r\n" * MANY,
    "farewells": lambda: HEAD + PLAIN + b"Kind regards,\r\n" * MANY,
    "devices": lambda: HEAD + PLAIN + b"Sent from my iPhone\r\n" * MANY,
    "notices": lambda: HEAD + PLAIN + b"\r\nThis message " * MANY,
    "flowed without end": lambda: HEAD + b"Content-Type: text/plain; format=flowed\r\n\r\n" + b"a \r\n" * MANY,
    "an endless subject": lambda: b"Subject: " + b"Re: " * 200_000 + b"\r\n" + PLAIN + b"x",
    "encoded words": lambda: b"Subject: " + b"=?utf-8?q?=ff?= " * 50_000 + b"\r\n" + PLAIN + b"x",
    "blanks": lambda: HEAD + PLAIN + b" " * 1_000_000 + b"x:\r\n",
    "dashes": lambda: HEAD + PLAIN + (b"-" * 150 + b" a\r\n") * 5_000,
    "colons": lambda: HEAD + PLAIN + (b"a <" * 60 + b"wrote:\r\n") * 5_000,
}


def mails() -> Iterator[tuple[str, bytes]]:
    return ((name, make()) for name, make in MAILS.items())
