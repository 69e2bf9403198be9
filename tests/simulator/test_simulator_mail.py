"""The mail sink, driven by smtplib and by raw sockets, and mails from simulated mailboxes."""

import hashlib
import smtplib
import socket
import time
from contextlib import contextmanager
from email.message import EmailMessage
from email.policy import SMTP

import pytest
import requests

from tests.support.simulation import simulation

PRIYA, MIA = "priya@mail.example", "mia@mail.example"


@pytest.fixture(scope="module")
def started():
    with simulation() as running:
        yield running


@pytest.fixture
def sim(started):
    started.reset()
    return started


@contextmanager
def relay(sim):
    client = smtplib.SMTP(*sim.running.smtp_listen, timeout=5)
    try:
        yield client
    finally:
        client.close()


def send(sim, *recipients, text="hello\n.dot\n..\n"):
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "Kim <post@acme.example>", recipients[0], "Grüße"
    message["Message-ID"], message["Reply-To"] = "<1@acme.example>", "r+abc@acme.example"
    message.set_content(text)
    message.add_alternative("<p>hello</p>", subtype="html")
    with relay(sim) as client:
        return client.sendmail("b+abc@acme.example", recipients, message.as_bytes(policy=SMTP))


def submit(sim, mailbox, **form):
    return requests.post(f"{sim.url}/mailboxes/{mailbox}/mails", data=form, timeout=5).json()


class Raw:
    """A client that says exactly what it is told."""

    def __init__(self, sim):
        self.socket = socket.create_connection(sim.running.smtp_listen, timeout=5)
        self.file = self.socket.makefile("rb")
        assert self.line() == "220"

    def say(self, *said):
        self.socket.sendall(b"".join(said))

    def line(self):
        return self.file.readline()[:3].decode()

    def lines(self, count):
        return [self.line() for _ in range(count)]

    def close(self):
        self.file.close()
        self.socket.close()


@pytest.fixture
def raw(sim):
    client = Raw(sim)
    yield client
    client.close()


def test_a_mail_arrives_whole(sim):
    send(sim, PRIYA)
    box = sim.get(f"/mailboxes/{PRIYA.upper()}.json")
    (mail,) = box["mails"]
    assert box["received"] == 1
    assert (mail["from"], mail["subject"], mail["reply_to"]) == (
        "Kim <post@acme.example>",
        "Grüße",
        "r+abc@acme.example",
    )
    assert (mail["text"], mail["html"], mail["message_id"]) == (
        "hello\n.dot\n..\n",
        "<p>hello</p>\n",
        "<1@acme.example>",
    )
    assert (mail["envelope_from"], mail["direction"]) == ("b+abc@acme.example", "received")
    assert ["Message-ID", "<1@acme.example>"] in mail["headers"]


def test_one_ledger_line_for_each_recipient(sim):
    with relay(sim) as client:
        client.sendmail("b@acme.example", [PRIYA, MIA], b"Message-ID: <2@x>\r\n\r\nbody\r\n")
    lines = sim.ledger("mail")
    assert [line["recipient"] for line in lines] == [PRIYA, MIA]
    assert [line["seq"] for line in lines] == [1, 2]
    for line in lines:
        assert (line["message_id"], line["status"], line["accepted"]) == ("<2@x>", 250, True)
        assert line["body_sha256"] == hashlib.sha256(b"body\r\n").hexdigest()


def test_pipelined_mails(sim, raw):
    raw.say(b"EHLO bench\r\n")
    assert b"PIPELINING" in b"".join(raw.file.readline() for _ in range(5))
    talk = b"MAIL FROM:<> BODY=8BITMIME\r\nRCPT TO:<priya@mail.example>\r\nDATA\r\n"
    for number in range(3):
        raw.say(talk)
        assert raw.lines(3) == ["250", "250", "354"]
        raw.say(b"Subject: %d\r\n\r\n..\r\n" % number, b".\r\n")
        assert raw.line() == "250"
    assert [mail["text"] for mail in sim.get(f"/mailboxes/{PRIYA}.json")["mails"]] == [".\n"] * 3


def test_bytes_in_any_pieces(sim, raw):
    mail = b"RSET\r\nmail from:<a@x.example>\r\nrcpt to:<priya@mail.example>\r\ndata\r\n.\r\nQUIT\r\n"
    for byte in mail:
        raw.say(bytes([byte]))
        time.sleep(0.001)
    assert raw.lines(6) == ["250", "250", "250", "354", "250", "221"]
    assert sim.get(f"/mailboxes/{PRIYA}.json")["mails"][0]["size"] == 0


def test_many_at_once_without_waiting(sim, raw):
    one = b"MAIL FROM:<a@x>\r\nRCPT TO:<priya@mail.example>\r\nDATA\r\nSubject: x\r\n\r\nx\r\n.\r\n"
    raw.say(one * 50)
    assert raw.lines(200) == ["250", "250", "354", "250"] * 50
    assert sim.get(f"/mailboxes/{PRIYA}.json")["received"] == 50


def test_wrong_order(raw):
    raw.say(b"RCPT TO:<a@x>\r\nMAIL FROM:a@x\r\nMAIL FROM:<a@x>\r\nMAIL FROM:<a@x>\r\nRCPT TO:<>\r\nDATA\r\nSING\r\n")
    assert raw.lines(7) == ["503", "501", "250", "503", "501", "554", "502"]
    raw.say(b"x" * 5000)
    assert raw.line() == "500"
    assert raw.file.read() == b""


def test_only_the_newest_are_kept():
    with simulation(keep_mails=3) as sim:
        for number in range(5):
            send(sim, PRIYA if number % 2 else MIA)
        boxes = sim.get("/mailboxes.json")["mailboxes"]
        assert {box["address"]: box["received"] for box in boxes} == {PRIYA: 2, MIA: 3}
        assert len(sim.get(f"/mailboxes/{MIA}.json")["mails"]) == 2
        assert len(sim.ledger("mail")) == 5


@pytest.mark.parametrize(("name", "at"), [("smtp-4xx", "rcpt"), ("smtp-5xx", "rcpt"), ("smtp-4xx", "mail")])
def test_turned_away_early(sim, name, at):
    code = 400 + int(name[5] == "5") * 100 + 52
    sim.faults({"fault": name, "at": at, "code": code, "text": "5.2.2 Full", "for": PRIYA if at == "rcpt" else None})
    with pytest.raises((smtplib.SMTPRecipientsRefused, smtplib.SMTPSenderRefused)) as raised:
        send(sim, PRIYA)
    assert str(code) in str(raised.value)
    assert sim.get(f"/mailboxes/{PRIYA}.json")["received"] == 0


def test_one_recipient_of_two(sim):
    sim.faults({"fault": "smtp-5xx", "for": "mia@*"})
    assert send(sim, PRIYA, MIA) == {MIA: (550, b"5.1.1 No such mailbox")}
    assert [(line["recipient"], line["status"], line["accepted"]) for line in sim.ledger("mail")] == [
        (MIA, 550, False),
        (PRIYA, 250, True),
    ]


@pytest.mark.parametrize("name", ["smtp-4xx", "smtp-5xx"])
def test_turned_away_at_the_dot(sim, name):
    sim.faults({"fault": name, "at": "dot", "times": 1})
    with pytest.raises(smtplib.SMTPDataError):
        send(sim, PRIYA)
    send(sim, PRIYA)
    assert sim.get(f"/mailboxes/{PRIYA}.json")["received"] == 1


@pytest.mark.parametrize(("name", "kept"), [("smtp-cut-before-dot", 0), ("smtp-cut-after-dot", 1)])
def test_cut_at_the_dot(sim, name, kept):
    sim.faults({"fault": name})
    with pytest.raises((smtplib.SMTPServerDisconnected, ConnectionError)):
        send(sim, PRIYA)
    assert sim.get(f"/mailboxes/{PRIYA}.json")["received"] == kept
    assert [(line["status"], line["accepted"]) for line in sim.ledger("mail")] == [("cut", bool(kept))]


def test_slow_dot(sim):
    sim.faults({"fault": "smtp-delay", "seconds": 0.2})
    began = time.monotonic()
    send(sim, PRIYA)
    assert time.monotonic() - began >= 0.2
    assert sim.get("/faults")[0]["hits"] == 1


def test_a_mailbox_writes_to_critter(sim):
    answer = submit(sim, PRIYA, to="post@acme.example", subject="Hi", body="hello\n.\n")
    assert (answer["code"], answer["text"]) == (250, "2.0.0 Taken")
    (envelope,) = sim.heard.mails
    assert (envelope.mail_from, envelope.rcpt_tos) == (PRIYA, ["post@acme.example"])
    assert answer["message_id"].encode() in envelope.content
    assert envelope.content.endswith(b"hello\r\n.\r\n")
    assert sim.get(f"/mailboxes/{PRIYA}.json")["mails"][0]["direction"] == "sent"


def test_a_reply_needs_only_a_body(sim):
    send(sim, PRIYA)
    submit(sim, PRIYA, in_reply_to="<1@acme.example>", body="yes", name="Priya")
    (envelope,) = sim.heard.mails
    assert envelope.rcpt_tos == ["r+abc@acme.example"]
    mail = sim.get(f"/mailboxes/{PRIYA}.json")["mails"][-1]
    assert (mail["subject"], mail["in_reply_to"], mail["from"]) == (
        "Re: Grüße",
        "<1@acme.example>",
        f"Priya <{PRIYA}>",
    )


def test_refused_recipients_are_told(sim):
    answer = submit(sim, PRIYA, to="nobody@acme.example", body="x")
    assert (answer["code"], answer["text"]) == (550, "5.1.1 Nobody here")
    answer = submit(sim, PRIYA, to="nobody@acme.example, post@acme.example", body="x")
    assert answer["code"] == 250
    assert answer["recipients"]["nobody@acme.example"][0] == 550


def test_a_raw_message(sim):
    url = f"{sim.url}/mailboxes/{PRIYA}/mails"
    raw = b"From: Eve <eve@x.example>\nFrom: two@x.example\nTo: post@acme.example\nMessage-ID: <r@x>\n\nraw\n"
    answer = requests.post(url, data=raw, headers={"Content-Type": "message/rfc822"}, timeout=5).json()
    assert (answer["code"], answer["message_id"]) == (250, "<r@x>")
    assert sim.heard.mails[0].content == raw.replace(b"\n", b"\r\n")
    requests.post(url + "?to=sales@acme.example", data=raw, headers={"Content-Type": "message/rfc822"}, timeout=5)
    assert sim.heard.mails[1].rcpt_tos == ["sales@acme.example"]


def test_bad_requests_and_no_critter():
    with simulation(mail_target=("127.0.0.1", 9)) as sim:
        url = f"{sim.url}/mailboxes/{PRIYA}/mails"
        assert requests.post(url, data={"to": "not an address", "body": "x"}, timeout=5).status_code == 400
        assert requests.post(url, data={"to": MIA, "subject": "a\nb"}, timeout=5).status_code == 400
        assert requests.post(f"{sim.url}/mailboxes/nobody/mails", data={"to": MIA}, timeout=5).status_code == 400
        answer = requests.post(url, data={"to": MIA, "body": "x"}, timeout=5)
        assert (answer.status_code, answer.json()["code"]) == (502, 0)
