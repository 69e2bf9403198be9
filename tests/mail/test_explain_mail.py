"""Who wrote a mail, as an operator and the mail door see it."""

import json
from pathlib import Path

from tests.support.mail_process import Client, opened
from tests.support.office import Office
from tests.support.signed_mails import signed, write_mail
from tests.support.unproved_mails import KIM, posts, secret_of, states
from tests.support.web_process import changed
from workers import mail_auth


def test_the_secret_address_on_the_command_line(office):
    shown = office.critter("people", "secret", "kim").output.strip()
    assert shown == f"post+{secret_of(office)}@mail.example"
    assert office.critter("people", "secret", "@kim").output.strip() == shown
    turned = json.loads(office.critter("people", "secret", "kim", "--rotate", "--json").output)
    assert turned["address"] != shown
    assert office.critter("people", "secret", "sam").output.count("has no mailbox yet") == 1
    assert office.critter("people", "secret", "nobody").exit_code == 2
    kept = office.sql("SELECT string_agg(detail::text, ' ') FROM audit WHERE action = 'people.secret'")
    assert shown[5:31] not in str(kept)


def explained(office: Office, path: Path, mail: bytes, *options: str) -> dict:
    file = path / "mail.eml"
    file.write_bytes(mail)
    return json.loads(office.critter("explain", "--mail", str(file), "--json", *options).output)


def test_explain_says_which_rung_a_mail_reached(office, tmp_path):
    elsewhere = ("--peer", "198.51.100.66", "--helo", "x.evil.example", "--envelope-from", "a@evil.example")
    mail = write_mail(KIM, body="the crates are here\n\n-- \nKim").replace(b"\r\n", b"\n")
    told = explained(office, tmp_path, mail, *elsewhere)
    assert (told["rung"], told["proof"], told["sender"]) == (4, None, KIM)
    assert told["why"] == "demo.example publishes no DMARC policy"
    assert (told["words"], told["intent"], told["machine"]) == ("the crates are here", "update", None)
    assert "Kim" in told["trimmed"]
    assert explained(office, tmp_path, mail, "--peer", "127.0.0.1")["proof"] == "relay"
    secret = f"post+{secret_of(office)}@mail.example"
    told = explained(office, tmp_path, mail, "--to", secret)
    assert (told["rung"], told["to"]) == (2, ["post@mail.example"])
    told = explained(office, tmp_path, b"Auto-Submitted: auto-replied\n" + mail)
    assert (told["machine"], told["intent"]) == ("Auto-Submitted", "machine")
    told = explained(office, tmp_path, b"From: sam@demo.example\n" + mail)
    assert (told["rung"], told["sender"], told["reason"]) == (4, None, "refused at the door")
    assert office.sql("SELECT (SELECT count(*) FROM inbound), (SELECT count(*) FROM posts)") == [(0, 0)]
    shown = office.critter("explain", "--mail", str(tmp_path / "mail.eml")).output
    assert "rung 4 of 4" in shown
    assert "Say what" in office.critter("explain").output
    assert "No such file" in office.critter("explain", "--mail", str(tmp_path / "none.eml")).output


def test_the_door_knows_a_secret_address_at_rcpt(office):
    secret = secret_of(office)
    wrong = "a" * len(secret)
    with opened(office.settings), Client(office.settings.smtp_listen) as client:
        client.say(f"MAIL FROM:<{KIM}>")
        said = [
            client.say(f"RCPT TO:<post{mark}{word}@mail.example>")[:9] for word in (secret, wrong) for mark in "+-."
        ]
        assert said == ["250 OK"] * 3 + ["550 5.1.1"] * 3
        client.say("RSET")
        client.mail(write_mail(KIM), (f"POST+{secret.upper()}@mail.example",), KIM)
    assert office.sql("SELECT recipients, state, proof FROM inbound") == [
        (["post@mail.example"], "new", "relay: CRITTER_MAIL_TRUST")
    ]


def test_from_the_door_to_the_post(office, context):
    """A mail that nothing proved at the door, by its own way through the real door: the envelope is there for SPF."""
    strict = changed(office.settings, CRITTER_MAIL_TRUST="10.0.0.0/8")
    mail = signed(write_mail(KIM, body="all the way"), "demo.example")
    with opened(strict), Client(strict.smtp_listen) as client:
        assert client.mail(mail, sender="kim@demo.example").startswith("250")
        assert client.mail(mail, sender="kim@demo.example").startswith("250")  # a repeat: the same success
        assert client.mail(write_mail(KIM, body="forged"), sender="a@evil.example").startswith("250")
    assert states(office) == ["unproved", "unproved"]
    while mail_auth.step(context):
        pass
    office.read()
    assert posts(office) == ["all the way"]
    assert states(office) == ["done", "held"]
