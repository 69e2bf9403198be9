"""A short private item that comes back whole in quotation marks is kept and asked about, on every door."""

from email.message import EmailMessage

import pytest

from gateway.language.privacy import fingerprints
from gateway.ledger.inbox.inbox import Incoming
from tests.support.office import Office

ITEM = "he gets four hundred more"
MARKS = [
    ("\u201c", "\u201d"), ("\u201d", "\u201d"), ("\u201e", "\u201c"), ("\u201e", "\u201d"), ("\u00ab", "\u00bb"),
    ("\u00bb", "\u00ab"), ("\u00ab ", " \u00bb"), ("\u00ab\u00a0", "\u00a0\u00bb"), ("\u2018", "\u2019"),
    ("\u201a", "\u2018"), ("\u2019", "\u2019"), ("\u300c", "\u300d"), ("\u300e", "\u300f"), ('"', '"'), ("'", "'"),
    ("\u2039", "\u203a"), ("\u203a", "\u2039"), ("\uff02", "\uff02"), ("\uff07", "\uff07"), ("`", "`"), ("`", "'"),
    ("\u00b4", "\u00b4"), ("``", "''"), ("''", "''"), ("\u300a", "\u300b"), ("\u3008", "\u3009"), ("\uff62", "\uff63"),
    ("\u301d", "\u301e"), ("\u301d", "\u301f"), ("\u2033", "\u2033"), ("\u2032", "\u2032"), ("\u275d", "\u275e"),
    ("\u275b", "\u275c"), ("<<", ">>"), (",,", "''"),
]  # fmt: skip
AROUND = [
    "{}",
    "{}!",
    "Kim wrote {} to me",
    "did you hear {}?",
    "I don't get it: {}, she said",
    "{} \u2013 really",
    "so{}so",
]


@pytest.mark.parametrize("marks", MARKS, ids=lambda marks: f"{marks[0]}-{marks[1]}")
def test_every_kind_of_mark_is_a_quotation(marks):
    for around in AROUND[:6]:
        said = around.format(f"{marks[0]}{ITEM}{marks[1]}")
        assert ITEM in fingerprints.find_quoted(said), said


@pytest.fixture
def told(office: Office) -> Office:
    office.says("kim", f"d sam,pat {ITEM}")
    office.work()
    return office


def public(office: Office) -> list[str]:
    return [str(row[0]) for row in office.sql("SELECT text FROM posts WHERE visibility <> 'direct' ORDER BY id")]


def asked(office: Office) -> int:
    answers = office.sql("SELECT text FROM messages WHERE kind = 'answer'")
    return sum("told you privately" in str(row[0]) for row in answers)


@pytest.mark.parametrize("marks", MARKS, ids=lambda marks: f"{marks[0]}-{marks[1]}")
def test_by_text(told, marks):
    told.sql("UPDATE deliveries SET sent_at = sent_at - interval '1 hour', created_at = created_at - interval '1 hour'")
    told.says("sam", f"{marks[0]}{ITEM.capitalize()}.{marks[1]}")
    told.read()
    assert public(told) == []


@pytest.mark.parametrize("head", ["@dana ", "#acme ", ".", "", "rt ", "r ", "@dana @bob ", "#sales #acme ", "(1/2) "])
def test_whatever_it_is_addressed_to(told, head):
    told.sql("UPDATE deliveries SET sent_at = sent_at - interval '1 hour', created_at = created_at - interval '1 hour'")
    for words in (f"\u201c{ITEM}\u201d", f'Kim wrote "{ITEM}"'):
        told.says("sam", head + words)
        told.read()
    assert public(told) == []


def mail(body: str, subject: str, to: str, key: str) -> Incoming:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "pat@demo.example", to, subject
    mail.set_content(body)
    raw, sid = mail.as_bytes(), f"<{key}@demo.example>"
    return Incoming("email", key.encode(), "pat@demo.example", (to,), raw, True, sid)


@pytest.mark.parametrize(
    ("body", "subject"),
    [
        (f"\u201c{ITEM}\u201d\n", "news"), (f"Kim says \u00ab{ITEM}\u00bb\n", "news"),
        (f'"{ITEM}"\n\nwhat a shame\n', ""),
        ("what a shame\n", f"\u201e{ITEM}\u201c"), (f"'{ITEM}'\n", "news"),
    ],
)  # fmt: skip
def test_by_mail(told, body, subject):
    for number, to in enumerate(("post@mail.example", "acme@mail.example")):
        told.accept(mail(body, subject, to, f"m{number}"))
    told.work()
    assert public(told) == []
    assert asked(told) > 0


def test_by_the_command_line_and_other_carriers(told):
    told.sql("UPDATE deliveries SET sent_at = sent_at - interval '1 hour', created_at = created_at - interval '1 hour'")
    told.accept(Incoming("cli", b"c1", "sam", (), b"", True, None, f'"{ITEM}"'))
    told.accept(Incoming("sms", b"k1", "+14155550102", (), b"", True, None, f"\u300c{ITEM}\u300d"))
    told.work()
    assert public(told) == []
    assert asked(told) == 2


def test_its_writer_is_asked_too_and_others_are_not(told):
    told.says("kim", f'"{ITEM}"')
    told.says("dana", f'"{ITEM}"')
    told.says("sam", "the new crane gets four hundred more tons")
    told.work()
    assert [text for text in public(told) if ITEM in text] == [ITEM]


def test_post_publishes_it_as_it_was_said(told):
    told.sql("UPDATE deliveries SET sent_at = sent_at - interval '1 hour', created_at = created_at - interval '1 hour'")
    for words in (f"Kim said \u201c{ITEM}\u201d", "POST"):
        told.says("sam", words)
        told.read()
    assert public(told) == [f"Kim said \u201c{ITEM}\u201d"]
