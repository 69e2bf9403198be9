"""Signatures on our mails, verified by dkimpy against a zone of our own: both kinds, and what must break them."""

import re
from datetime import UTC, datetime
from functools import lru_cache

import dkim
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.mail.compose.compose import ListHeaders, compose, headline
from gateway.mail.compose.dkim_keys import record
from gateway.mail.compose.dkim_signer import DkimKey, relaxed_body
from gateway.mail.compose.layout import lay_out

NOW = datetime(2026, 3, 3, 10, 0, tzinfo=UTC)
STOP = "https://x.example/u/a=" + "b" * 80
FILLED = ("pat@corp.example", "r+abc@mail.example", "<critter.1.2@mail.example>", STOP, "u+abc@mail.example")


@lru_cache(maxsize=1)
def keys() -> tuple[DkimKey, ...]:
    privates = (generate_private_key(65537, 2048), Ed25519PrivateKey.generate())
    return tuple(DkimKey("mail.example", f"s{at}", private) for at, private in enumerate(privates))


def zone(name: bytes, timeout: int = 5) -> bytes | None:
    """What DNS would answer for the selectors of these keys."""
    texts = {f"{key.selector}._domainkey.mail.example.": record(key.private) for key in keys()}
    found = texts.get(name.decode())
    return found.encode() if found else None


def signed(
    text: str = "gö!  two  blanks \n\n\nand a \t tab\n\n", which: slice = slice(None), **changes: object
) -> bytes:
    frame = lay_out("Corp & Co", "en", kind="update", author="Kim Lée", handle="kim", follows="Kim (@kim)")
    lists = ListHeaders("kim.mail.example", help="help@mail.example")
    given_ = {"frame": frame, "lists": lists, "in_reply_to": "<a@b>", "references": ("<x@y>", "<" + "z" * 90 + "@y>")}
    template = compose(
        "Kim Lée, who has a rather long name, via Critter",
        "post@mail.example",
        "Kim: go  now",
        text,
        date=NOW,
        critter_id="mail.example",
        keys=keys()[which],
        **{**given_, **changes},
    )
    return template.fill(*FILLED)


def verdicts(raw: bytes) -> list[bool]:
    """For each signature of the mail, whether it holds."""
    count = len(re.findall(rb"(?mi)^DKIM-Signature:", raw))
    return [_holds(raw, at) for at in range(count)]


def _holds(raw: bytes, at: int) -> bool:
    try:
        return bool(dkim.DKIM(raw).verify(idx=at, dnsfunc=zone))
    except dkim.ValidationError:  # the body's hash is another
        return False


def test_both_signatures_hold():
    raw = signed()
    assert [re.search(rb"a=(\S+);", line)[1] for line in raw.split(b"DKIM-Signature:")[1:3]] == [
        b"rsa-sha256",
        b"ed25519-sha256",
    ]
    assert verdicts(raw) == [True, True]
    assert verdicts(signed(which=slice(1, 2))) == [True]
    assert max(map(len, raw.split(b"\r\n"))) <= 200


def test_an_answer_without_a_list_is_signed_too():
    raw = signed(lists=None, in_reply_to=None, references=())
    assert b"List-Id:" not in raw.split(b"\r\n\r\n")[0].replace(b"list-id", b"")
    assert verdicts(raw) == [True, True]


def test_a_mail_that_is_sent_twice_is_the_same():
    assert signed() == signed()


def test_what_unsubscribes_is_covered():
    """RFC 8058, 4: at least one signature covers both fields."""
    named = re.search(rb"h=(.*?);", signed(), re.DOTALL)[1]
    fields = b"".join(named.split()).split(b":")
    assert fields.count(b"list-unsubscribe") == 2, "one is there, and a second one may not be added"
    assert fields.count(b"list-unsubscribe-post") == 2
    assert fields.count(b"from") == fields.count(b"subject") == 2


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"Subject: Kim: go", b"Subject: Kim: no"),
        (b"pat@corp.example", b"bob@corp.example"),
        (b"<https://x.example/u/a=", b"<https://x.example/u/b="),
        (b"two  blanks", b"two planks"),
        (b"Subject: ", b"Subject: Pay now\r\nSubject: "),
        (b"From: ", b"From: boss@corp.example\r\nFrom: "),
        (b"To: ", b"Cc: bob@corp.example\r\nTo: "),
        (b"To: ", b"Reply-To: bob@corp.example\r\nTo: "),
    ],
)
def test_what_is_changed_or_added_breaks_it(old, new):
    raw = signed()
    head, _, rest = raw.partition(b"From: ")
    rest = b"From: " + rest
    assert old in rest
    assert verdicts(head + rest.replace(old, new, 1)) == [False, False]


def test_what_relays_do_to_blanks_does_not_break_it():
    head, _, rest = signed().partition(b"From: ")
    refolded = (head + b"From: " + rest).replace(b"Subject: Kim: go  now", b"SUBJECT:\tKim: go\r\n\tnow \t")
    assert verdicts(b"Received: from a by b\r\n" + refolded + b"\r\n\r\n") == [True, True]


@given(st.text(max_size=200), st.text(max_size=80))
@settings(deadline=None, max_examples=25)
def test_whatever_is_said_is_signed_rightly(text, subject):
    frame = lay_out(subject, "es", kind="update", author=headline(subject), handle="kim", follows="Kim (@kim)")
    assert verdicts(signed(text, which=slice(1, 2), frame=frame)) == [True]


@given(st.lists(st.sampled_from([b" ", b"\t", b"\r\n", b"a", b"b ."]), max_size=30).map(b"".join))
def test_bodies_are_relaxed_as_dkimpy_does(body):
    body = body + b"\r\n" if body else body
    from dkim.canonicalization import Relaxed

    assert relaxed_body(body) == Relaxed.canonicalize_body(body)
