"""Mails as people's programs write them: what was written, what is quoted, who sent it, and what no person wrote."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.errors import Refused
from gateway.files.file_types import name_file
from gateway.mail.decode import mime
from gateway.mail.decode.attachments import enclosures
from gateway.mail.parse.own_words import MARKER, machine, read_own_words, sender
from tests.support.examples import example_count

PLAIN = "text/plain; charset=utf-8"


def mail(body: str, subject: str = "hello", kind: str = PLAIN, extra: str = "") -> bytes:
    head = f"From: Kim Lee <kim@corp.example>\nSubject: {subject}\nContent-Type: {kind}\n{extra}\n"
    return (head + body).replace("\n", "\r\n").encode()


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("follow sales\n\n-- \nKim\nSent from my phone", "follow sales"),
        ("yes\n\nSent from my iPhone", "yes"),
        ("ja\n\nVon meinem iPhone gesendet", "ja"),
        ("oui\n\nEnvoyé de mon iPhone", "oui"),
        ("we won.\n\nBest regards,\nKim Lee\nSales", "we won."),
        (f"yes\n\nOn Tue, 3 Mar 2026, Kim via Critter\n<post@mail.example> wrote:\n> {MARKER}\n> hi", "yes"),
        ("yes\n\nOn Tue, 3 Mar 2026 at 10:00, Kim wrote:\n> q\n>\n> r", "yes"),
        ("ja\n\nAm 03.03.2026 um 10:00 schrieb Kim Lee:\n> q", "ja"),
        ("sí\n\nEl mar, 3 mar 2026 a las 10:00, Kim (<kim@corp.example>)\nescribió:\n> q", "sí"),
        ("oui\n\nLe mar. 3 mars 2026 à 10:00, Kim <kim@corp.example> a écrit :\n> q", "oui"),
        ("ok\n\n-----Original Message-----\nFrom: Kim\nSubject: x\n\nold", "ok"),
        ("ok\n\n________________________________\nFrom: Kim\nSent: Tuesday\nTo: Pat\nSubject: x\n\nold", "ok"),
        ("ok\n\nVon: Kim\nGesendet: Dienstag\nAn: Pat\nBetreff: x\n\nalt", "ok"),
        ("On 3 Mar 2026, Kim wrote:\n> q\n\nbelow it", "below it"),
        ("> one?\nyes\n> two?\nno", "> one?\nyes\n> two?\nno"),
        ("- one\n- two\n\n    code\n>>> print(1)\n", "- one\n- two\n\n    code\n>>> print(1)"),
        ("To: the team\n\nwe won", "To: the team\n\nwe won"),
        ("first\n\nsecond", "first\n\nsecond"),
        ("Sent from my iPhone", "hello"),
        ("", "hello"),
        ("On 3 Mar 2026, Kim wrote:\n> q", ""),
    ],
)
def test_what_was_written(body, text):
    assert read_own_words(mail(body)).text == text


def test_what_is_cut_is_kept():
    own = read_own_words(mail("yes\n\nOn 3 Mar 2026, Kim wrote:\n> q"))
    assert "> q" in own.trimmed
    assert (own.subject, own.sender_name, own.forwarded) == ("hello", "Kim Lee", False)


def test_the_subject_loses_its_prefixes():
    for subject in ("Re: lunch", "AW: WG: lunch", "Fwd: Re[2]: lunch", "RE : lunch"):
        assert read_own_words(mail("", subject)).text == "lunch"


def test_a_forwarded_mail_stays_whole():
    body = "FYI\n\n---------- Forwarded message ---------\nFrom: x\nDate: y\nSubject: z\n\nbody"
    assert read_own_words(mail(body)).text == body
    outlook = "FYI\n\nFrom: x\nSent: y\nTo: z\nSubject: w\n\nbody"
    assert read_own_words(mail(outlook, "FW: w")).text == outlook


def test_a_block_alone_is_a_mail_sent_on_unless_it_was_answered():
    block = "From: Pat <pat@corp.example>\nSent: y\nTo: z\nSubject: w\n\nbody"
    assert read_own_words(mail(block, "w")).text == block
    assert read_own_words(mail(block, "Re: w")).text == ""
    assert read_own_words(mail(block, "Xy: w", extra="In-Reply-To: <a@corp.example>\n")).text == ""


def test_vs_sends_on_in_norway_and_answers_in_finland():
    norwegian = "Se her.\n\nFra: Pat <pat@corp.example>\nSendt: 3. mars 2026\nTil: Kim\nEmne: w\n\nhei"
    finnish = (
        "Joo.\n\nLähettäjä: Pat <pat@corp.example>\nLähetetty: 3. maaliskuuta 2026\nVastaanottaja: Kim\nAihe: w\n\nhei"
    )
    assert read_own_words(mail(norwegian, "VS: w")).text == norwegian
    assert read_own_words(mail(finnish, "VS: w")).text == "Joo."


def test_html_becomes_text():
    html = (
        "<style>x</style><div>yes, <b>at</b> 5<br>ok</div><p style='display:none'>hidden</p><ul><li>one<li>two</ul>"
        "<div>On Tue, 3 Mar 2026, Kim wrote:</div><blockquote>old</blockquote>"
    )
    assert read_own_words(mail(html, kind="text/html")).text == "yes, at 5\nok\n\n- one\n- two"
    both = (
        "--b\nContent-Type: text/plain\n\nplain\n--b\nContent-Type: text/html\n\n<p>rich</p>\n"
        "--b\nContent-Type: image/png; name=../../x.png\nContent-Disposition: attachment\n\nPNG\n--b--\n"
    )
    message = mime.parse(mail(both, kind="multipart/mixed; boundary=b"))
    assert read_own_words(message).text == "plain"
    assert [(name_file(each.name, each.type), each.type) for each in enclosures(message)] == [("x.png", "image/png")]


def test_charsets_are_repaired():
    head = b"From: kim@corp.example\r\nContent-Type: text/plain; charset="
    assert read_own_words(head + b"iso-8859-1\r\n\r\nf\xc3\xbcr dich").text == "für dich"
    assert read_own_words(head + b"utf-8\r\n\r\nf\xfcr dich").text == "für dich"
    assert read_own_words(head + b"no-such\r\n\r\n\x93hi\x94").text == "\u201chi\u201d"
    assert read_own_words(head + b"base64\r\n\r\nhi\x00 you").text == "hi you"
    assert read_own_words(head + b"us-ascii; format=flowed\r\n\r\na long \r\nline\r\n").text == "a long line"


@pytest.mark.parametrize(
    ("value", "address"),
    [
        ("Kim <Kim@corp.example>", "kim@corp.example"),
        ("kim@corp.example", "kim@corp.example"),
        ('"Lee, Kim" <kim@corp.example>', "kim@corp.example"),
        ("=?utf-8?q?K=C3=AFm?= <kim@corp.example>", "kim@corp.example"),
        ("kim@corp.example <kim@corp.example>", "kim@corp.example"),
        ("KIM@Corp.example <kim@corp.example>", "kim@corp.example"),
        ("<kim@corp.example>", "kim@corp.example"),
        ("Kim Lee <kim@corp.example>,", "kim@corp.example"),
        ("Kim Lee [External] <kim@corp.example>", "kim@corp.example"),
        ("Lee, Kim <kim@corp.example>", "kim@corp.example"),
        ("Kim: Sales, 2nd floor <kim@corp.example>", "kim@corp.example"),
        ("Kim @ Work <kim@corp.example>", "kim@corp.example"),
        ("Kim (Sales, EMEA) Lee <kim@corp.example>", "kim@corp.example"),
        ("kim@corp.example (Kim Lee)", "kim@corp.example"),
        ("kim@corp.example (kim@corp.example)", "kim@corp.example"),
        ("Kim O'Lee. <kim@corp.example>", "kim@corp.example"),
        ('"sam@corp.example" <kim@corp.example>', "kim@corp.example"),
        ("Kim <kim@bücher.example>", "kim@xn--bcher-kva.example"),
        ("kim@straße.example", "kim@xn--strae-oqa.example"),
        ("Zoë <zoë@例え.example>", "zoë@xn--r8jz45g.example"),
        ("Kim\u200b <kim\u200b@corp.example>", "kim@corp.example"),
        ("\u202aKim\u202c <\ufeffkim@cor\u00adp.example>", "kim@corp.example"),
    ],
)
def test_one_from_with_one_mailbox(value, address):
    message = mime.parse(f"From: {value}\n\nhi".encode())
    assert sender(message) == address


@pytest.mark.parametrize(
    "head",
    [
        "",
        "From: a@x.example\nFrom: a@x.example\n",
        "From: a@x.example, b@x.example\n",
        "From: alice@example.org)bob@example.org\n",
        "From: a@x.example (b@x.example)\n",
        "From: <a@x.example> <b@x.example>\n",
        "From: g: a@x.example;\n",
        "From: kim\n",
        "From: a@x.example\n b@x.example\n",
        "From: a@x.example <b@x.example>\n",
        "From: a@x.example, Kim <b@x.example>\n",
        "From: Kim (a@x.example) <b@x.example>\n",
        "From: <b@x.example> (a@x.example)\n",
        "From: Kim (<a@x.example>) <b@x.example>\n",
        "From: a@\u200bx.example <b@x.example>\n",
        "From: 'a@x.example' <b@x.example>\n",
        "From: g: a@x.example, b@x.example;\n",
        "From: Kim <a@x.example>; Sam <b@x.example>\n",
        "From: Kim <a@x.example> Sam\n",
        'From: "Kim <b@x.example>\n',
        "From: Kim <b@-bad-.example>\n",
        "From: Kim <b@x..\u00fc.example>\n",
    ],
)
def test_anything_else_is_refused(head):
    with pytest.raises(Refused):
        sender(mime.parse(f"{head}Subject: x\n\nhi".encode()))


@pytest.mark.parametrize(
    "extra",
    [
        "Auto-Submitted: auto-replied",
        "Precedence: bulk",
        "Precedence: auto_reply",
        "List-Id: <x.example>",
        "X-Autoreply: yes",
        "List-Unsubscribe: <x>",
        "X-Critter-Id: 1",
        "X-Loop: us",
        *["Received: x\n" * 51 + "X-A: b"],
    ],
)
def test_machines(extra):
    assert machine(mime.parse(mail("hi", extra=extra + "\n")))


def test_more_machines_and_a_person():
    ordinary = mime.parse(mail("hi", extra="X-Auto-Response-Suppress: All\nAuto-Submitted: no\nPrecedence: normal\n"))
    assert machine(ordinary) is None
    assert machine(ordinary, null_sender=True)
    assert machine(ordinary, own_addresses={"kim@corp.example"})
    assert machine(mime.parse(mail("--b--", kind="multipart/report; boundary=b")))


def test_limits():
    with pytest.raises(Refused):
        read_own_words(mail("--b\n\nx\n" * 10_000, kind="multipart/mixed; boundary=b"))
    deep = "".join(f"Content-Type: multipart/mixed; boundary=b{at}\n\n--b{at}\n" for at in range(1000))
    with pytest.raises(Refused):
        read_own_words(deep.encode())


@pytest.mark.parametrize(
    "body",
    [
        "a\n" * 50_000,
        "> a\n" * 50_000,
        "On 1:11 wrote " * 9000 + ":",
        "From: \n" * 30_000,
        "-- \n" * 30_000,
        "Thanks\n" * 30_000,
    ],
)
def test_no_mail_takes_long(body):
    start = time.process_time()
    read_own_words(mail(body))
    read_own_words(mail("<div>" * 30_000 + body, kind="text/html"))
    assert time.process_time() - start < 3


heads = st.sampled_from(
    [
        "From: a@b.example",
        "Subject: =?utf-8?q?=ff?=",
        "Content-Type: text/html; charset=utf-7",
        "Content-Type: multipart/mixed; boundary=b",
        "Content-Transfer-Encoding: base64",
        "Content-Type: text/plain; charset*=x'y'%ff; format=flowed",
        "Content-Disposition: inline; filename*0*=x''%",
        "\xff: \xff",
        "Content-Transfer-Encoding: uuencode",
        "From: =?x?b?=?= <a@b.example>",
        "Content-Type: message/rfc822",
        "--b",
    ]
)


def test_a_mail_within_a_mail_that_cannot_be_written_again():
    """Hypothesis found it: a multipart without parts, whose octets are no ASCII."""
    message = mime.parse(b"Content-Type: message/rfc822\n\nContent-Type: multipart/mixed; boundary=b\n\n\x80")
    assert read_own_words(message).text == ""
    assert [each.type for each in enclosures(message)] == ["message/rfc822"]


@given(st.lists(st.one_of(heads.map(lambda head: head.encode("latin-1")), st.binary(max_size=60)), max_size=12))
@settings(deadline=None, max_examples=example_count(300))
def test_any_bytes_are_a_letter(lines):
    message = mime.parse(b"\r\n".join(lines))
    own = read_own_words(message)
    assert own.text == own.text.strip()
    machine(message)
    try:
        assert "@" in sender(message)
    except Refused:
        assert read_own_words(message).text == own.text
