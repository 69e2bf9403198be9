"""Mails from the row that the door wrote to what they did: what cannot be read, reactions, words of the thread."""

import uuid
from pathlib import Path

import pytest

from gateway.ledger.inbox.inbox import Incoming
from gateway.security.signed_tokens import Signer
from tests.support.office import Office

KIM, DAVE = "kim@demo.example", "dave@demo.example"
GMAIL = (
    "Content-Type: multipart/alternative; boundary=b\n\n--b\nContent-Type: text/plain; charset=utf-8\n\n🎉\n\n"
    "Dave Okafor reacted via Gmail\n--b\nContent-Type: text/vnd.google.email-reaction+json\n\n"
    '{"emoji": "🎉", "version": 1}\n--b--\n'
)
PLAIN = "Content-Type: text/plain; charset=utf-8\n\n"


def mail(office: Office, sender: str, content: str, to: str = "post@mail.example", fields: str = "") -> int:
    """A mail whose writer is proved; the id of its row."""
    message_id = f"<{uuid.uuid4()}@demo.example>"
    head = f"From: {sender}\nTo: {to}\nMessage-ID: {message_id}\nMIME-Version: 1.0\n{fields}"
    raw = f"Return-Path: <{sender}>\n{head}{content}".replace("\n", "\r\n").encode()
    return office.accept(Incoming("email", uuid.uuid4().bytes, sender, (to,), raw, True, message_id=message_id))


def ended(office: Office, row: int) -> tuple[object, ...]:
    while office.read():
        pass
    return tuple(office.sql("SELECT state, intent FROM inbound WHERE id = :id", id=row)[0])


def posts(office: Office) -> list[object]:
    return [row[0] for row in office.sql("SELECT text FROM posts ORDER BY id")]


def answers(office: Office) -> list[object]:
    return [row[0] for row in office.sql("SELECT body FROM messages WHERE kind = 'answer' ORDER BY id")]


@pytest.mark.parametrize(
    ("content", "state", "told"),
    [
        (f"Subject: the code\n{PLAIN}-----BEGIN PGP MESSAGE-----\n\nhQ\n", "done", "encrypted"),
        ("Subject: the code\nContent-Type: application/ms-tnef; name=winmail.dat\n\nx\n", "done", "winmail.dat"),
        (f"Subject: the code\n{PLAIN}--x\nContent-Type: text/plain\n\nhello\n--x--\n", "held", "source text"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_told_and_not_even_its_subject_is_posted(office: Office, content, state, told):
    assert ended(office, mail(office, DAVE, content)) == (state, "error")
    assert posts(office) == []
    assert told in str(answers(office)[0])
    assert "the code" not in str(answers(office)[0])
    assert ended(office, mail(office, DAVE, content, to="sales+leave@mail.example"))[1] == "unfollow"


def test_a_command_with_somebodys_details_below(office: Office):
    body = f"Subject: hello\n{PLAIN}follow kim\n\nDave's desk\nNorth gate\n+1 415 555 0106\n"
    assert ended(office, mail(office, DAVE, body)) == ("done", "follow")
    assert ended(office, mail(office, DAVE, body.replace("North gate", "Tell everybody that the gate is open today.")))[
        1
    ] in ("update", "ask")


def test_reactions_land_on_what_they_answer(office: Office):
    mail(office, KIM, f"Subject: Fire drill\n{PLAIN}at ten\n")
    office.work()
    [(post, message_id)] = office.sql("SELECT p.id, i.message_id FROM posts p JOIN inbound i ON i.id = p.inbound_id")
    assert posts(office) == ["Fire drill: at ten"]
    [(message, address)] = office.sql(
        "SELECT d.message_id, d.address_id FROM deliveries d JOIN messages m ON m.id = d.message_id"
        " JOIN addresses a ON a.id = d.address_id WHERE m.post_id = :post AND a.address = 'priya@demo.example'",
        post=post,
    )
    ours, token = (
        f"<critter.{message}.{address}@mail.example>",
        Signer(office.settings.secret_keys).sign("reply", post, address),
    )
    for to, fields in (
        ("post@mail.example", f"In-Reply-To: {ours}\n"),
        ("post@mail.example", f"In-Reply-To: {message_id}\n"),
        (f"r+{token}@mail.example", ""),
    ):
        row = mail(office, "priya@demo.example", GMAIL, to, f"Subject: Re: Fire drill\n{fields}")
        assert ended(office, row) == ("done", "reaction")
        assert office.sql("SELECT post_id, kind FROM reactions") == [(post, "🎉")]
        office.sql("DELETE FROM reactions")
    for fields in ("", "In-Reply-To: <x@elsewhere.example>\n", f"In-Reply-To: {ours.replace(str(message), '7')}\n"):
        assert ended(office, mail(office, DAVE, GMAIL, fields=f"Subject: Re: x\n{fields}")) == ("dropped", "reaction")
    assert ended(office, mail(office, DAVE, GMAIL, fields=f"In-Reply-To: {ours}\n")) == ("dropped", "reaction")
    assert len(posts(office)) == 1


def test_an_earlier_mail_of_the_thread_is_history_in_any_form(office: Office):
    secret = "The north gate closes for good in May, which nobody outside of this room is to know."
    row = mail(office, KIM, f"Subject: gate\n{PLAIN}{secret}\n", to="dave@mail.example")
    office.work()
    [(named,)] = office.sql("SELECT message_id FROM inbound WHERE id = :id", id=row)
    answer = f"Subject: Re: gate\n{PLAIN}Understood.\n\nKim, on Tuesday\n{secret}\n"
    mail(office, DAVE, answer, fields=f"References: {named}\nIn-Reply-To: {named}\n")
    office.work()
    assert posts(office)[1:] == ["Understood."]
    mail(office, DAVE, f"Subject: gate\n{PLAIN}A new thread.\n\nThe south gate opens.\n")
    office.work()
    assert posts(office)[2:] == ["A new thread.\n\nThe south gate opens."]  # "gate" stands in it


CASES = sorted((Path(__file__).parents[1] / "mails").glob("command-*.eml"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_commands_of_the_corpus(office: Office, case: Path):
    content = case.read_bytes().decode()
    identity = uuid.uuid4().bytes
    raw = f"Return-Path: <{DAVE}>\r\n{content}".encode()
    row = office.accept(Incoming("email", identity, DAVE, ("post@mail.example",), raw, True))
    assert ended(office, row) == ("done", "follow")


def test_explain_shows_each_reading(office: Office, tmp_path: Path):
    """Of a mail in a file: why it cannot be read, that it is a reaction, its subject, and the command in it."""
    told = {
        "encrypted": f"Subject: x\n{PLAIN}-----BEGIN PGP MESSAGE-----\n\nhQ\n",
        "reaction": f"Subject: Re: x\n{GMAIL}",
        "Nothing was posted": "Subject: the code\nContent-Type: application/ms-tnef; name=winmail.dat\n\nx\n",
        "follow": f"Subject: hello\n{PLAIN}follow kim\n\nDave's desk\n+1 415 555 0106\n",
    }
    for expected, content in told.items():
        file = tmp_path / "mail.eml"
        file.write_text(f"From: {DAVE}\nTo: post@mail.example\nMIME-Version: 1.0\n{content}", encoding="utf-8")
        ran = office.critter("explain", "--mail", str(file), "--json")
        assert ran.exit_code == 0, ran.output
        assert expected in ran.output
