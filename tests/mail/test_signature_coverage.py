"""A signature proves what it covers and no more (R56, F41). Real keys; no network, no database."""

import ast
import random
import re
import time
from email import message_from_bytes
from pathlib import Path

import dkim
import pytest
from hypothesis import settings as hypothesis_settings

from gateway.mail.auth import canonicalization, dkim_verifier, named_recipients, replay_keys
from gateway.mail.auth.dns import Zone
from gateway.mail.auth.sender_trust import KnownBeforeDns, evaluate_trust
from gateway.mail.decode import mime, read_fields
from gateway.mail.decode.attachments import enclosures
from gateway.mail.parse import own_words
from gateway.mail.parse.received_mail import ReceivedMail
from gateway.settings import load
from tests.mail.test_identity import BY_CORP, MX, NOWHERE, OURS, PASS, says
from tests.support.signed_mails import PEM, write_mail, zone

ROOT = Path(__file__).parents[2]
WORLD = Zone(zone("corp.example"))
SETTINGS = load({"CRITTER_MAIL_AUTHSERV_ID": "mx.mail.example"})

# What each of them signs of the fields that a mail has; a field twice is over-signed.
GMAIL = "to subject message-id date from mime-version from to cc subject date message-id reply-to"
OPENDKIM = "date to from subject"  # Postfix with OpenDKIM as it comes
RSPAMD = "from reply-to subject date message-id to cc mime-version content-type content-transfer-encoding in-reply-to"
APPLE = "from content-type mime-version subject message-id date to cc"
SES = "from to cc subject mime-version content-type content-transfer-encoding date message-id"
MICROSOFT = "from date subject message-id content-type mime-version x-ms-exchange-senderadcheck"
SIGNERS = {"gmail": GMAIL, "opendkim": OPENDKIM, "rspamd": RSPAMD, "apple": APPLE, "ses": SES}


def sealed(mail: bytes, names: str, body: bytes = b"relaxed") -> bytes:
    """Under a signature of corp.example over these fields, the way that its servers make one."""
    fields = [name.encode() for name in names.split()]
    return dkim.sign(
        mail, b"rsa", b"corp.example", PEM, include_headers=fields, canonicalize=(b"relaxed", body)
    ) + mail  # fmt: skip


def judged(mail: bytes, came=NOWHERE, to=OURS, settings=SETTINGS):
    return evaluate_trust(settings, WORLD, ReceivedMail(mail), came, to, KnownBeforeDns())


def verifies(mail: bytes) -> bool:
    """Whether DKIM alone is content."""
    try:
        return dkim.verify(mail, dnsfunc=lambda name, timeout=5: WORLD.ask(name.decode(), "TXT").records[0])
    except (dkim.DKIMException, ValueError, IndexError, AssertionError):
        return False


def head(**more: str) -> str:
    fields = {
        "From": "Kim Lee <kim@corp.example>",
        "To": "post@mail.example",
        "Subject": "crates",
        "Date": "Wed, 25 Nov 2026 10:00:00 +0000",
        "Message-ID": "<1@corp.example>",
        "MIME-Version": "1.0",
    } | {name.replace("_", "-"): value for name, value in more.items()}
    return "".join(f"{name}: {value}\r\n" for name, value in fields.items() if value)


ALTERNATIVE = (
    head(Content_Type='multipart/alternative; boundary="00aa11"')
    + "\r\n--00aa11\r\nContent-Type: text/plain; charset=UTF-8\r\n\r\nThe crates are here.\r\n\r\n"
    + "--00aa11\r\nContent-Type: text/html; charset=UTF-8\r\n\r\n<div>The crates are here.</div>\r\n\r\n--00aa11--\r\n"
)
MIXED = (
    head(Content_Type='multipart/mixed; boundary="00outer"')
    + '\r\n--00outer\r\nContent-Type: multipart/alternative; boundary="00inner"\r\n\r\n'
    + "--00inner\r\nContent-Type: text/plain; charset=UTF-8\r\n\r\nThe plan.\r\n\r\n"
    + "--00inner\r\nContent-Type: text/html; charset=UTF-8\r\n\r\n<div>The plan.</div>\r\n--00inner--\r\n"
    + '--00outer\r\nContent-Type: application/pdf; name="plan.pdf"\r\n'
    + 'Content-Disposition: attachment; filename="plan.pdf"\r\n'
    + "Content-Transfer-Encoding: base64\r\n\r\nJVBERi0xLjQKJcOkw7zDtsOfCg==\r\n--00outer--\r\n"
)
PLAIN = (
    head(Content_Type="text/plain; charset=UTF-8") + "\r\nfollow sales\r\nor  do not; 2 + 2 = 4\r\n\r\n-- \r\nKim\r\n"
)
QUOTED = (
    head(Content_Type="text/plain; charset=UTF-8", Content_Transfer_Encoding="quoted-printable")
    + "\r\nThe caf=C3=A9 is open, and this is one line that =\r\nis folded.\r\n"
)
BASE64 = (
    head(Content_Type="text/plain; charset=UTF-8", Content_Transfer_Encoding="base64")
    + "\r\nVGhlIGNhZsOpIGlzIG9wZW4sIGFuZCBldmVyeWJvZHkgaXMgdGhlcmUsIGF0IGxhc3QsIGFm\r\ndGVyIGFsbC4=\r\n"
)
HONEST = {
    "alternative": ALTERNATIVE, "mixed": MIXED, "plain": PLAIN, "quoted-printable": QUOTED, "base64": BASE64,
    "no type": head() + "\r\nThe crates are here.\r\n",
}  # fmt: skip


def meaning(mail: bytes) -> tuple:
    """What becomes of it, blanks aside."""
    message = mime.parse(mail)
    own = own_words.read_own_words(message)
    files = [(each.name, each.type, b"".join(each.content.split())) for each in enclosures(message)]
    one_line = "\n" not in own.text
    return own_words.sender(message), " ".join(own.text.split()), one_line, " ".join(own.subject.split()), files


@pytest.mark.parametrize("signer", SIGNERS)
@pytest.mark.parametrize("kind", HONEST)
def test_what_honest_programs_write_is_proved(kind, signer):
    found = judged(sealed(HONEST[kind].encode(), SIGNERS[signer]))
    assert (found.proof, found.signed) == ("dmarc", True), found.reason


def test_microsoft_does_not_sign_to_and_is_proved_by_its_server():
    mail = sealed(ALTERNATIVE.encode(), MICROSOFT)
    assert verifies(mail)
    assert judged(mail).proof is None
    assert (judged(mail, BY_CORP).proof, judged(mail, BY_CORP).signed) == ("dmarc", False)


# F41: the same signature under other fields. Each takes the head's lines and the body, and gives both back.
NASTY = (
    "Subject: leave all", "subject: leave all", "SUBJECT:leave all", "Subject : leave all", "Sub\tject: leave all",
    "Subj\xe9ct: leave all", "From: sam@corp.example", "from : sam@corp.example", "From leave all", "leave all",
    ": leave",
    "To: kim@mail.example", "Cc: post@mail.example", "Bcc: post@mail.example", "Resent-To: post@mail.example",
    "Resent-From: sam@corp.example", "Resent-Subject: leave all", "Date: Thu, 26 Nov 2026 10:00:00 +0000",
    "Message-ID: <2@evil.example>", "In-Reply-To: <3@evil.example>", "References: <3@evil.example>",
    "Reply-To: sam@corp.example", "Sender: sam@corp.example", "Content-Language: es", "Content-ID: <x>",
    "Content-Disposition: attachment; filename=x.txt", "Content-Disposition: inline",
    "Content-Disposition: inline; filename=a",
    "Content-Transfer-Encoding: base64", "Content-Transfer-Encoding: quoted-printable",
    "Content-Transfer-Encoding: 8bit",
    "Content-Transfer-Encoding: x-uuencode", "Content-Type: text/html", "Content-Type: text/plain; format=flowed",
    "Content-Type: text/plain; format=flowed; delsp=yes", "Content-Type: text/plain; charset=utf-7",
    "Content-Type: text/plain; charset=unicode-1-1-utf-7", "Content-Type: text/plain; charset=utf-16-le",
    "Content-Type: text/plain; charset=koi8-r", "Content-Type: text/plain; name=x", "Content-Type: application/pdf",
    "Content-Type: message/rfc822", "Content-Type: multipart/mixed; boundary=00inner",
    "Content-Type: multipart/mixed; boundary=00outer", "Content-Type: multipart/digest; boundary=00aa11",
    "Content-Type: multipart/mixed; boundary=00aa11", "Content-Type: multipart/related; boundary=00aa11",
    "Content-Type: multipart/mixed; boundary=\" \"", "Content-Type: multipart/mixed; boundary=nothing",
    "Content-Type: multipart/signed; boundary=00outer", "Content-type:\r\n text/html",
    "Content-Type: text/plain\r\n ; charset=hz",
    "Content-Type: nonsense", "Content-Type", "MIME-Version: 9", "X-Anything: at all", "X-Critter-Kind: private",
)  # fmt: skip
VARIATIONS, ENOUGH = (250, 120) if hypothesis_settings().derandomize else (1000, 1000)
FORM = ("content-type", "content-transfer-encoding", "content-disposition", "mime-version", "in-reply-to")


def altered(mail: bytes, chance: random.Random) -> bytes:
    top, _, body = mail.partition(b"\r\n\r\n")
    fields = re.split(rb"\r\n(?![ \t])", top)
    for _ in range(chance.randint(1, 3)):
        what = chance.choice(["add", "add", "replace", "remove", "double", "respace"])
        line = chance.choice(NASTY).encode("latin-1")
        if what == "add":
            fields.insert(chance.choice([0, 1, len(fields) // 2, len(fields)]), line)
        elif what == "double":
            fields.insert(chance.choice([0, len(fields)]), chance.choice(fields))
        elif what == "respace":
            body = _respaced(body, chance)
        else:
            own = [each for each in fields if each.partition(b":")[0].decode("latin-1").lower() in FORM]
            if own:
                fields.remove(chance.choice(own))
                fields += [line] if what == "replace" else []
    return b"\r\n".join(fields) + b"\r\n\r\n" + body


def _respaced(body: bytes, chance: random.Random) -> bytes:
    """As relaxed canonicalization allows: blanks at the ends of lines, and runs of them."""
    lines = body.split(b"\r\n")
    at = chance.randrange(len(lines))
    lines[at] = chance.choice([lines[at] + b" ", lines[at].rstrip(), lines[at].replace(b" ", b" \t ")])
    return b"\r\n".join(lines)


@pytest.mark.hypothesis  # `make torture` tries more of them
@pytest.mark.parametrize("signer", SIGNERS)
@pytest.mark.parametrize("kind", HONEST)
def test_no_variation_of_what_is_not_signed_gives_other_words(kind, signer):
    """Whatever verifies and counts reads as its signer's mail does. Enough of each verify, so that this says something;
    most of these do not count, and are held."""
    mail = sealed(HONEST[kind].encode(), SIGNERS[signer])
    honest = meaning(mail)
    chance = random.Random(f"{kind} {signer}")
    held = read = 0
    for number in range(VARIATIONS):
        if number > ENOUGH and min(held, read) > 10:
            break
        other = altered(mail, chance)
        if not verifies(other):
            continue
        found = judged(other)
        if found.proof is None:
            held += 1
            continue
        read += 1
        assert meaning(other) == honest, other.decode("latin-1")
    assert held > 10
    assert read > 10


@pytest.mark.parametrize("signer", SIGNERS)
@pytest.mark.parametrize(
    "field",
    [
        "Subject: leave all", "subject: leave all", "SUBJECT: crates", "To: post@mail.example", "Cc: post@mail.example",
        "From: kim@corp.example", "Date: Thu, 26 Nov 2026 10:00:00 +0000", "Message-ID: <1@corp.example>",
        "Content-Type: multipart/mixed; boundary=x", "Content-Type: text/html", "Content-Transfer-Encoding: base64",
        "Content-Disposition: attachment", "In-Reply-To: <3@x.example>", "References: <3@x.example>",
        "Subject : leave all", "From leave all", "garbage", "Subj\xe9ct: x", "Subject:\r\n leave all",
    ],
)  # fmt: skip
def test_a_field_that_is_read_and_was_added_makes_the_signature_void(field, signer):
    mail = sealed(HONEST["no type"].encode(), SIGNERS[signer])
    assert judged(mail).proof == "dmarc"
    for added in (
        field.encode("latin-1") + b"\r\n" + mail,
        mail.replace(b"\r\n\r\n", b"\r\n" + field.encode("latin-1") + b"\r\n\r\n", 1),
    ):
        assert judged(added).proof is None


def test_a_first_line_of_the_body_cannot_be_put_in_by_the_head():
    """A last line "From …" of a head is the first of the body for one parser, and nothing for another."""
    mail = sealed(HONEST["no type"].encode(), GMAIL).replace(b"\r\n\r\n", b"\r\nFrom today on I resign\r\n\r\n", 1)
    assert verifies(mail)
    assert "resign" in own_words.read_own_words(mail).text
    assert judged(mail).proof is None


@pytest.mark.parametrize(
    ("change", "proof"),
    [
        (lambda field: field, "dmarc"),
        (lambda field: field.replace(b"c=relaxed/", b"l=5; c=relaxed/"), None),
        (lambda field: field.replace(b"h=", b"h=x-none : "), None),  # it is part of what is signed
        (lambda field: field.replace(b"d=corp.example", b"d=evil.example"), None),
        (lambda field: field.replace(b"v=1;", b"v=1; v=1;"), None),
        (lambda field: b"DKIM-Signature: rubbish\r\n" + field, "dmarc"),
        (lambda field: b"DKIM-Signature: a=b; d=corp.example; =\r\n" + field, "dmarc"),
    ],
)
def test_signatures_that_are_changed_or_rubbish(change, proof):
    mail = sealed(HONEST["plain"].encode(), RSPAMD)
    field, rest = mail[: -len(HONEST["plain"].encode())], HONEST["plain"].encode()
    assert judged(change(field) + rest).proof == proof


def test_a_signature_that_has_expired_does_not_count():
    mail = sealed(PLAIN.encode(), RSPAMD)
    expired = re.sub(rb" t=\d+;", b" t=1500000000; x=1500000100;", mail, count=1)
    assert expired != mail
    with pytest.raises(dkim.ValidationError, match="x= value is past"):
        dkim_verifier._Verifier(expired).verify(idx=0, dnsfunc=lambda *_, **__: WORLD)
    assert "ValidationError" in judged(expired).reason


def test_of_two_signatures_the_whole_one_counts():
    mail = HONEST["plain"].encode()
    weak = sealed(mail, "from date")
    assert judged(weak).proof is None
    assert judged(sealed(weak, RSPAMD)).proof == "dmarc"


# What can be read in two ways, by what is not signed: that is asked about, and is proved once the field is signed.
TWOFOLD = {
    "two texts, of which alternatives show one": (
        head(Content_Type="multipart/alternative; boundary=b1")
        + "\r\n--b1\r\nContent-Type: text/plain\r\n\r\nyes\r\n--b1\r\nContent-Type: text/plain\r\n\r\nno\r\n--b1--\r\n"
    ),
    "flowed lines that make one command": (
        head(Content_Type="text/plain; format=flowed") + "\r\nleave all \r\nis what he said\r\n"
    ),
    "a file, or words": head(Content_Type="text/plain", Content_Disposition="attachment") + "\r\nhello\r\n",
    "HTML": head(Content_Type="text/html") + "\r\n<p>hello</p>\r\n",
    "Latin-1": head(Content_Type="text/plain; charset=iso-8859-1") + "\r\ncaf\xe9\r\n",
    "Japanese": head(Content_Type="text/plain; charset=iso-2022-jp") + "\r\n\x1b$B$O$$\x1b(B\r\n",
    "words above the first part": (
        head(Content_Type="multipart/mixed; boundary=b1")
        + "\r\nThis is MIME.\r\n--b1\r\nContent-Type: text/plain\r\n\r\nhello\r\n--b1--\r\n"
    ),
    "parts without fields": (head(Content_Type="multipart/mixed; boundary=b1") + "\r\n--b1\r\n\r\nhello\r\n--b1--\r\n"),
}
WHOLE = f"{RSPAMD} content-disposition"


@pytest.mark.parametrize("kind", TWOFOLD)
@pytest.mark.parametrize("signer", ["gmail", "opendkim"])
def test_what_can_be_read_in_two_ways_has_to_be_signed(kind, signer):
    mail = TWOFOLD[kind].encode("latin-1")
    assert verifies(sealed(mail, SIGNERS[signer]))
    assert judged(sealed(mail, SIGNERS[signer])).proof is None
    assert judged(sealed(mail, WHOLE, b"simple")).proof == "dmarc"


LONE = {
    "a short text": (head(Content_Type="text/plain; charset=UTF-8") + "\r\nhello\r\n", True),
    "a short text with a name": (head(Content_Type="text/plain; name=a.txt") + "\r\nhello\r\n", True),
    "HTML": (head(Content_Type="text/html; charset=UTF-8") + "\r\n<p>hello</p>\r\n", True),
    "a PDF with its name": (head(Content_Type="application/pdf; name=plan.pdf") + "\r\n%PDF-1.4\r\n", True),
    "a PDF without its name": (head(Content_Type="application/pdf") + "\r\n%PDF-1.4\r\n", False),
    "a table without its name": (head(Content_Type="text/csv") + "\r\nname,salary\r\n", False),
    "a long text": (head(Content_Type="text/plain; charset=UTF-8") + "\r\n" + "a long list\r\n" * 9000, False),
    "a long text with a name": (head(Content_Type="text/plain; name=a.txt") + "\r\n" + "a list\r\n" * 9000, False),
    "something": (head(Content_Type="application/octet-stream") + "\r\nhello\r\n", False),
}


@pytest.mark.parametrize("kind", LONE)
def test_a_lone_file_whose_disposition_was_taken_away(kind):
    """What was a file beside the subject must not become the words, nor get another name."""
    written, same = LONE[kind]
    mail = sealed(written.encode(), RSPAMD)
    assert judged(mail).proof == ("dmarc" if same else None)
    assert judged(sealed(written.encode(), WHOLE)).proof == "dmarc"
    named = b"a.txt" if b"a.txt" in mail else b"plan.pdf" if b"plan.pdf" in mail else b"x.txt"
    as_file = mail.replace(b"\r\n\r\n", b"\r\nContent-Disposition: attachment; filename=%s\r\n\r\n" % named, 1)
    assert verifies(as_file)
    assert (meaning(as_file) == meaning(mail)) == same


def test_a_sign_of_an_answer_that_anybody_could_add_must_change_nothing():
    """Outlook's block of fields is a forwarded mail in a new one, and history in an answer."""
    block = "From: Sam <sam@corp.example>\r\nSent: Monday, 23 November 2026 9:00\r\nTo: Kim\r\nSubject: crates\r\n"
    mail = (head() + "\r\n" + block + "\r\nhello\r\n").encode()
    assert meaning(mail) != meaning(b"In-Reply-To: <1@x.example>\r\n" + mail)
    assert judged(sealed(mail, GMAIL)).proof is None
    assert judged(sealed(mail, f"{GMAIL} in-reply-to")).proof == "dmarc"


# The verdict of our own server: what it rests on counts, not that it says so.
SPF = "spf=pass smtp.mailfrom=kim@corp.example"
DKIM = "dkim=pass header.d=corp.example header.s=rsa"
ELSEWHERE = head(To="bob@elsewhere.example") + "\r\nI will tell Anne tomorrow\r\n"
RECEIVED = b"Received: from a by mx.mail.example\r\n"
WHOLLY = sealed(PLAIN.encode(), RSPAMD)
REPORTED = {
    "whole signature": (says(sealed(PLAIN.encode(), RSPAMD), PASS), "dmarc", True),
    "no signature, so by SPF": (says(PLAIN.encode(), PASS), "dmarc", False),
    "a signature that is gone": (says(PLAIN.encode(), f"{PASS}; {DKIM}"), None, False),
    "sent to somebody else": (says(sealed(ELSEWHERE.encode(), RSPAMD), PASS), None, False),
    "sent to somebody else, dkim=pass too": (says(sealed(ELSEWHERE.encode(), RSPAMD), f"{PASS}; {DKIM}"), None, False),
    "sent to somebody else, and a To above": (
        says(b"To: post@mail.example\r\n" + sealed(ELSEWHERE.encode(), RSPAMD), PASS), None, False,
    ),
    "Bcc, by the server of the sender": (says(sealed(ELSEWHERE.encode(), RSPAMD), f"{PASS}; {SPF}"), "dmarc", False),
    "Bcc, by another server": (
        says(sealed(ELSEWHERE.encode(), RSPAMD), f"{PASS}; spf=pass smtp.mailfrom=bob@evil.example"), None, False,
    ),
    "Bcc, SPF by a second field of ours above Received": (
        says(RECEIVED + sealed(ELSEWHERE.encode(), RSPAMD), PASS, f"mx.mail.example; {SPF}"),
        "dmarc", False,
    ),
    "Bcc, SPF by a field below Received": (
        says(RECEIVED + says(sealed(ELSEWHERE.encode(), RSPAMD), f"mx.mail.example; {SPF}"), PASS),
        None, False,
    ),
    "two Subjects": (says(b"Subject: x\r\n" + WHOLLY, PASS), None, False),
    "two Subjects, by SPF": (says(b"Subject: x\r\n" + WHOLLY, f"{PASS}; {SPF}"), "dmarc", False),
    "a signature over a part": (says(sealed(PLAIN.encode(), "from to"), PASS), None, False),
    "a whole one beside a partial one": (says(sealed(sealed(PLAIN.encode(), "from to"), RSPAMD), PASS), "dmarc", True),
    "one that cannot be read": (says(b"DKIM-Signature: d=a.example; d=b\r\n" + PLAIN.encode(), PASS), None, False),
    "Microsoft's": (says(sealed(ALTERNATIVE.encode(), MICROSOFT), f"{PASS}; {SPF}; {DKIM}"), "dmarc", False),
    "Subject with a blank before its colon": (says(b"Subject : x\r\n" + WHOLLY, PASS), None, False),
}  # fmt: skip


@pytest.mark.parametrize("case", REPORTED)
@pytest.mark.parametrize("came", [MX, MX._replace(peer="", handed=True)], ids=["by address", "over lmtp"])
def test_what_our_own_server_says_rests_on_something(case, came):
    mail, proof, by_signature = REPORTED[case]
    found = judged(mail, came)
    assert (found.proof, found.signed) == (proof, by_signature), found.reason
    assert found.reason
    assert "@" not in found.reason


def test_a_mail_to_somebody_else_is_nobodys_update_whatever_says_so():
    """Anne's signed mail to Bob, put by Bob into an envelope for post@."""
    mail = sealed(ELSEWHERE.encode(), RSPAMD)
    assert verifies(mail)
    for came in (NOWHERE, MX, NOWHERE._replace(handed=True)):
        for each in (mail, says(mail, PASS), says(mail, f"{PASS}; {DKIM}")):
            assert judged(each, came).proof is None


# Whom To and Cc name.
NAMED = {
    "Post\u200b <post\u2060@mail.example>": {"post@mail.example"},
    "post@mail.example": {"post@mail.example"},
    "Critter <POST@Mail.Example>": {"post@mail.example"},
    "sam@x.example, Critter <post@mail.example>": {"sam@x.example", "post@mail.example"},
    "Team: sam@x.example, post@mail.example;": {"sam@x.example", "post@mail.example"},
    '"Critter, who else" <r+ABC@mail.example>': {"r+abc@mail.example"},
    '"post@mail.example" <sam@x.example>': {"sam@x.example"},
    '"a\\" <post@mail.example>, \\"" <sam@x.example>': {"sam@x.example"},
    "sam@x.example (post@mail.example)": {"sam@x.example"},
    "sam@x.example (a (b) <post@mail.example>, c)": {"sam@x.example"},
    "post@mail.example <sam@x.example>": set(),
    "=?utf-8?q?<post@mail.example>?= <sam@x.example>": {"sam@x.example"},
    "<post@mail.example> <sam@x.example>": set(),
    "<@post.mail.example:sam@x.example>": set(),
    '"post@mail.example, <sam@x.example>': set(),
    "(post@mail.example, sam@x.example": set(),
    "post@mail.example.evil.example": {"post@mail.example.evil.example"},
    "undisclosed-recipients:;": set(),
    "": set(),
}


@pytest.mark.parametrize("value", NAMED)
def test_only_addresses_are_named(value):
    assert named_recipients.read_addresses(value) == NAMED[value]


@pytest.mark.parametrize(
    ("to", "envelope", "proof"),
    [
        ("post@mail.example", ["post@mail.example"], "dmarc"),
        ("updates@corp.example", ["post@mail.example"], "dmarc"),
        ("Updates@corp.example", ["sales@mail.example"], None),
        ("sell@corp.example", ["sales@mail.example"], "dmarc"),
        ("sell@corp.example", ["post@mail.example"], None),
        ("kim@old.example", ["kim@mail.example"], "dmarc"),
        ("kim@old.example", ["post@mail.example"], None),
        ("sales+join@old.example", ["sales+join@mail.example"], "dmarc"),
        ("kim@sub.old.example", ["kim@mail.example"], None),
        ("kim@corp.example", ["post@mail.example"], None),
        ("post@mail.example", ["kim@mail.example"], None),
        ("post@mail.example", ["post@mail.example", "kim@mail.example"], None),
        ("post@mail.example, kim@mail.example", ["post@mail.example", "kim@mail.example"], "dmarc"),
        ("r+abcd@mail.example", ["r+abcd@mail.example"], "dmarc"),
        ("sales@mail.example", ["sales+join@mail.example"], None),
        ("undisclosed-recipients:;", ["post@mail.example"], None),
        ("", ["post@mail.example"], None),
    ],
)
def test_whom_a_signed_mail_was_written_to(to, envelope, proof):
    settings = load({"CRITTER_MAIL_ALIASES": "updates@corp.example, Sell@corp.example=sales, @old.example"})
    mail = sealed((head(To=to) + "\r\nhello\r\n").encode(), RSPAMD)
    assert judged(mail, to=envelope, settings=settings).proof == proof
    assert judged(mail, BY_CORP, to=envelope, settings=settings).proof == "dmarc"  # SPF of this very delivery


@pytest.mark.parametrize("wrong", ["updates", "a@b@c.example", "=sales", "a b@c.example", "x@corp.example=a b"])
def test_an_alias_that_is_none_is_refused(wrong):
    with pytest.raises(Exception, match="is no alias"):
        load({"CRITTER_MAIL_ALIASES": wrong})


# The table of fields that are read, and the code that reads.
READERS = [
    path
    for folder in ("gateway", "workers", "critter", "handlers")
    for path in (ROOT / folder).rglob("*.py")
    if re.search(r"email\.message|import mime\b|\bmime,", path.read_text())
]
COMPOSERS = ("compose.py", "explaining.py", "parcels.py")  # they write mails, and read none
NAMELIKE = re.compile(r"[A-Za-z]+(-[A-Za-z]+)+|From|To|Cc|Bcc|Sender|Subject|Date|Received|Precedence|Action|Status")


def test_every_field_that_is_read_is_in_the_table():
    """Whatever asks mime, or a message itself, for a field by its name."""
    found = {}
    for path in READERS:
        if path.name in COMPOSERS or path.name == "read_fields.py":
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            for name in _asked_for(node):
                found.setdefault(name.lower(), set()).add(path.name)
    assert {"subject", "in-reply-to", "authentication-results", "content-transfer-encoding", "status"} <= set(found)
    assert {name: sorted(where) for name, where in found.items() if name not in read_fields.READ} == {}


def _asked_for(node: ast.AST):
    """The names of fields in `mime.field(message, "X")`, `message["X"]`, `message.get("X")`."""
    if isinstance(node, ast.Call):
        called = ast.unparse(node.func)
        if re.search(r"\bmime\.(fields?|above)$|\.(get|get_all)$", called) or called in ("fields", "field", "above"):
            texts = [each.value for each in node.args if isinstance(each, ast.Constant) and isinstance(each.value, str)]
            yield from (text for text in texts if NAMELIKE.fullmatch(text))
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
        yield from (text for text in [node.slice.value] if isinstance(text, str) and NAMELIKE.fullmatch(text))


def test_nobody_goes_past_the_table():
    """The raw fields of a message are mime's alone, and it refuses a name that is not in the table."""
    past = [path.name for path in READERS if re.search(r"\.(raw_items|_headers|get_all)\b", path.read_text())]
    assert past == ["mime.py"]
    with pytest.raises(KeyError, match="X-New"):
        mime.fields(message_from_bytes(b"X-New: 1\r\n\r\n"), "X-New")


def test_signs_of_a_machine_may_be_added_and_only_stop_a_mail():
    for name in (*read_fields.of_role("brake"), "list-id", "list-post"):
        mail = sealed(write_mail(), "from to subject date message-id cc")
        added = f"{name}: bulk\r\n".encode() + mail
        assert judged(added).proof == "dmarc"
        assert meaning(added) == meaning(mail)
        assert own_words.machine(mime.parse(added)) is not None


def test_blanks_and_brackets_by_the_megabyte_end_soon():
    """Each of these took a minute or more, for dkimpy or for a pattern of ours."""
    lines = {
        "blanks": b" " * 990 + b"x\r\n",
        "delimiters": b"--x" + b" " * 980 + b"x\r\n",
        "quoted": b"=20" * 25 + b"\r\n",
        "base64": b"A" * 76 + b"\r\n",
    }
    began = time.thread_time()
    for line in lines.values():
        mail = head().encode() + b"\r\n" + line * (2_000_000 // len(line))
        sealed_ = b"DKIM-Signature: v=1; a=rsa-sha256; d=corp.example; s=rsa; c=relaxed/relaxed; bh=x;"
        mail = sealed_ + b" h=from:to:subject:date; b=AAAA\r\n" + mail
        assert judged(mail).proof is None
        assert dkim_verifier.find_fault(mail, OURS, {}, lambda _: True) is not None
        assert replay_keys.compute(mail, mime.parse(mail), "kim@corp.example")
    for value in ("(" * 2_000_000, "()" * 9_000, "(" * 9_000 + ")" * 9_000, "a" * 19_000, "=?" * 9_000, '"a' * 9_000):
        assert named_recipients.read_addresses(value) in (set(), {value})
    assert time.thread_time() - began < 40


@pytest.mark.parametrize(
    "body", [b"", b"\r\n", b"a  b \t\r\n\r\n \r\n", b" a\r\n\tb", b"x \r\n y \t", b"a \r \r\n\r\n\r\n"]
)
def test_the_relaxed_body_is_the_librarys(body):
    theirs = re.sub(rb"[\t ]+", b" ", re.sub(rb"[\t ]+\r\n", b"\r\n", body))
    assert canonicalization.relax_body(body).rstrip(b"\r\n") == theirs.rstrip(b"\r\n")
