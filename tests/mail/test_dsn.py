"""What mails that came back say, read by gateway/mail/bounces/dsn, and the words that people get for it."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.errors import Refused
from gateway.i18n.phrases import translated
from gateway.mail.bounces import dsn, failure_reasons, status_codes
from gateway.mail.decode import mime
from tests.support.examples import example_count
from tests.support.returned_mails import NO_BOUNCES, SAMPLES, Sample

HEAD = "Message-ID: <critter.77.88@mail.example>\nX-Critter-Token: <b+y@mail.example>\nSubject: hello"


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_servers_are_understood(sample):
    bounce = dsn.read(mime.parse(sample.written(head=HEAD)))
    assert bounce is not None
    assert (bounce.kind, bounce.status) == (sample.kind, sample.status)


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_what_is_brought_back_is_found(sample):
    found = list(dsn.find_original(mime.parse(sample.written(head=HEAD))))
    if "{head}" not in sample.raw:
        assert found == []
        return
    assert [mime.field(one, "Message-ID") for one in found] == ["<critter.77.88@mail.example>"]
    assert mime.field(found[0], "X-Critter-Token") == "<b+y@mail.example>"


@pytest.mark.parametrize("name", NO_BOUNCES)
def test_answers_are_no_bounces(name):
    assert dsn.read(mime.parse(Sample(name, "", "", NO_BOUNCES[name]).written())) is None


def test_a_report_inside_of_what_is_brought_back_is_not_read():
    inner = SAMPLES[0].written().decode()
    outer = (
        f"From: a@b.example\nContent-Type: multipart/mixed; boundary=o\n\n--o\nContent-Type: message/rfc822\n\n{inner}"
    )
    assert dsn.read(mime.parse(f"{outer}\n--o--\n".replace("\r", "").encode())) is None


def test_of_several_recipients_the_worst_counts():
    both = SAMPLES[0].raw.replace(
        "Final-Recipient",
        "Final-Recipient: rfc822; other@demo.example\nAction: delivered\nStatus: 2.1.5\n\nFinal-Recipient",
        1,
    )
    bounce = dsn.read(mime.parse(Sample("", "", "", both).written()))
    assert bounce == dsn.BounceReport("hard", "5.1.1")


@pytest.mark.parametrize(
    ("status", "said", "read"),
    [
        ("5.1.1", "smtp; 550 5.7.1 no", "5.1.1"),
        ("5.0.0", "smtp; 550 5.7.1 no", "5.7.1"),
        ("5.0.0", "smtp; 552 Mailbox is full", "5.2.2"),
        ("5.0.0", "smtp; 554 something", "5.0.0"),
        ("", "smtp; 550-5.2.1 gone", "5.2.1"),
        ("", "smtp; 452 insufficient storage limit", "4.2.2"),
        ("4.4.7 (delivery time expired)", "", "4.4.7"),
        ("nonsense", "x-unix; whatever", ""),
    ],
)
def test_the_most_telling_code(status, said, read):
    block = f"Final-Recipient: rfc822; a@b.example\nAction: failed\nStatus: {status}\nDiagnostic-Code: {said}\n"
    part = f"--b\nContent-Type: message/delivery-status\n\nReporting-MTA: x\n\n{block}\n--b--\n"
    raw = "Content-Type: multipart/report; boundary=b\n\n" + part
    bounce = dsn.read(mime.parse(raw.encode()))
    assert bounce
    assert bounce.status == read
    assert bounce.kind == ("hard" if read.startswith("5") else "soft")


WORDS = [
    ("5.1.1", "no such mailbox", "ese buzón no existe"),
    ("5.1.10", "no such mailbox", "ese buzón no existe"),
    ("5.2.2", "the mailbox is full", "el buzón está lleno"),
    ("5.2.1", "the mailbox is switched off", "el buzón está desactivado"),
    ("5.7.1", "their mail server refuses mail like ours", "su servidor de correo rechaza correos como los nuestros"),
    ("4.4.1", "their mail server did not answer", "su servidor de correo no respondió"),
    ("5.9.9", "the mail came back", "el correo volvió"),
    ("bounced", "the mail came back", "el correo volvió"),
]


@pytest.mark.parametrize(("code", "english", "spanish"), WORDS)
def test_codes_in_plain_words(code, english, spanish):
    told = failure_reasons.describe_failure("failed", code, "email")
    assert (told, translated(told, "es")) == (english, spanish)


def test_other_reasons_are_no_codes_of_bounces():
    assert status_codes.describe_status("550") is None
    assert status_codes.describe_status("21610") is None
    assert failure_reasons.describe_failure("failed", "550", "email") == "the mailbox refuses it"
    assert failure_reasons.describe_failure("cancelled", "bouncing", "email") == "mails to their mailbox come back"


PIECES = st.sampled_from([piece for sample in SAMPLES for piece in sample.written(head=HEAD).splitlines(keepends=True)])


@settings(max_examples=example_count(150), deadline=None)
@given(st.lists(PIECES | st.binary(max_size=40), max_size=60))
def test_nothing_makes_it_raise(pieces):
    try:
        message = mime.parse(b"".join(pieces))
    except Refused:
        return
    bounce = dsn.read(message)
    assert bounce is None or (bounce.kind in dsn.WORST_FIRST and status_codes.CODE.fullmatch(bounce.status or "5.0.0"))
    for one in dsn.find_original(message):
        mime.fields(one, "Message-ID")


@pytest.mark.parametrize("line", [b"a" * 1000, b"<" * 500 + b">:", b"550 user " * 100, b"mailbox x" * 100])
def test_a_large_one_takes_no_time(line):
    raw = b"From: MAILER-DAEMON@x.example\r\nSubject: failure\r\n\r\n" + (line + b"\r\n") * 5000
    message = mime.parse(raw)
    begun = time.thread_time()
    dsn.read(message)
    list(dsn.find_original(message))
    assert time.thread_time() - begun < 3


@pytest.mark.parametrize(
    ("subject", "said"),
    [
        ("Unzustellbar: hello", "Fehler bei der Nachrichtenzustellung an folgende Empfänger oder Gruppen:"),
        ("Non remis : hello", "Échec de la remise à ces destinataires ou groupes :"),
        ("Non recapitabile: hello", "Recapito non riuscito per i seguenti destinatari o gruppi:"),
        ("Onbestelbaar: hello", "Bezorgen is mislukt bij deze geadresseerden of groepen:"),
        ("Niedoręczone: hello", "Dostarczenie do następujących adresatów nie powiodło się:"),
    ],
)
def test_reports_of_exchange_in_other_languages_without_a_status_part(subject, said):
    body = f"{said}\n\nkim@corp.example\n\n#550 5.1.10 RESOLVER.ADR.RecipientNotFound ##"
    raw = f"From: postmaster@corp.example\nSubject: {subject}\nContent-Type: text/plain; charset=utf-8\n\n{body}\n"
    bounce = dsn.read(mime.parse(raw.replace("\n", "\r\n").encode()))
    assert bounce is not None
    assert (bounce.kind, bounce.status) == ("hard", "5.1.10")
