"""Outgoing mails: headers, threads, parts, and nothing that could break out of them."""

from datetime import UTC, datetime
from email import message_from_bytes, policy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.language.letters import words
from gateway.language.mails import MARKER, Template, compose, headline, message_id

NOW = datetime(2026, 3, 3, 10, 0, tzinfo=UTC)
FILLED = (
    "pat@corp.example",
    "r+abc@mail.example",
    message_id(1, 2, "mail.example"),
    "https://x.example/u/abc",
    "u+abc@mail.example",
)


def template(**changes: object) -> Template:
    given_ = {
        "sender_name": "Kim Lée via Critter",
        "sender": "post@mail.example",
        "subject": "Kim: go",
        "text": "Kim Lee: gö!",
    }
    return compose(**{**given_, "date": NOW, "critter_id": "1", **changes})


def test_a_mail_is_complete():
    raw = template(
        in_reply_to="<a@b>", references=("<x@y>",), list_id="kim.mail.example", bulk=True, with_page=True
    ).fill(*FILLED, "https://x.example/p/a=" + "b" * 80)
    mail = message_from_bytes(raw, policy=policy.default)
    assert str(mail["From"]) == "Kim Lée via Critter <post@mail.example>"
    assert mail["To"] == "<pat@corp.example>" or str(mail["To"]) == "pat@corp.example"
    assert mail["Message-ID"] == "<critter.1.2@mail.example>"
    assert (mail["In-Reply-To"], mail["References"]) == ("<a@b>", "<x@y> <a@b>")
    assert mail["List-Unsubscribe"] == "<https://x.example/u/abc>, <mailto:u+abc@mail.example>"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert (mail["Auto-Submitted"], mail["Precedence"], mail["List-Id"]) == (
        "auto-generated",
        "bulk",
        "<kim.mail.example>",
    )
    text, html = mail.get_body(("plain",)).get_content(), mail.get_body(("html",)).get_content()
    assert text.startswith(MARKER)
    assert "Kim Lee: gö!" in text
    for part in (text, html):
        assert "https://x.example/p/a=" + "b" * 80 in part


def test_a_reply_to_our_own_mail_is_cut_at_the_marker():
    raw = template().fill(*FILLED)
    quoted = message_from_bytes(raw, policy=policy.default).get_body(("plain",)).get_content()
    reply = "From: pat@corp.example\n\nyes\n\nKim via Critter schrieb:\n" + "".join(
        f"> {line}\n" for line in quoted.splitlines()
    )
    assert words(reply.encode()).text.startswith("yes")
    assert "gö" not in words(reply.encode()).text


@pytest.mark.parametrize(
    "bad", ["a\nBcc: x@y.example", "a\rb", "a\x00", "a\u2028b", "=?utf-8?q?a=0ABcc:_x?=", "=?utf-8?b?YQpi?="]
)
@pytest.mark.parametrize("where", ["sender_name", "subject", "critter_id", "list_id", "in_reply_to"])
def test_control_characters_in_headers_are_refused(bad, where):
    with pytest.raises(ValueError):
        template(**{where: bad})


@pytest.mark.parametrize("bad", ["a b@c.example", "a@c.example\r\nBcc: x@y.example", "ü@c.example", '"a"@b', "a>@b<"])
def test_recipients_that_break_out_are_refused(bad):
    with pytest.raises(ValueError):
        template().fill(bad, *FILLED[1:])


def test_long_ids_still_thread():
    long = "<" + "a" * 300 + "@mail.example>"
    mail = message_from_bytes(template(in_reply_to=long).fill(*FILLED))
    assert mail["In-Reply-To"] == long


def test_headlines():
    assert headline("one\ntwo\u2028three =?utf-8?q?a?=") == "one two three = ?utf-8?q?a?="
    assert len(headline("word " * 50)) <= 78


@given(st.text(max_size=300), st.text(max_size=100))
@settings(deadline=None, max_examples=60)
def test_whatever_is_sent_is_clean(text, subject):
    raw = template(text=text, subject=headline(subject)).fill(*FILLED)
    raw.replace(b"\r\n", b"").decode("ascii")
    bare = raw.replace(b"\r\n", b"")
    assert b"\r" not in bare
    assert b"\n" not in bare
    assert max(map(len, raw.split(b"\r\n"))) <= 998
    assert raw.count(b"\r\nTo: ") == 1
