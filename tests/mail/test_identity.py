"""Who wrote a mail: the ladder on mails that are signed here, in a DNS zone of our own. No network, no database."""

import threading
import time

import pytest
import spf

from gateway.mail.auth import sender_trust
from gateway.mail.auth.dmarc import Envelope, verify
from gateway.mail.auth.dns import DnsUnavailable, Zone
from gateway.mail.auth.public_suffix import aligned, organisation
from gateway.mail.auth.sender_trust import KnownBeforeDns, evaluate_trust
from gateway.mail.parse.received_mail import ReceivedMail
from gateway.settings import load
from tests.support.signed_mails import HEADERS, signed, write_mail, zone

OURS = ["post@mail.example"]
CORP = zone("corp.example")
EVIL = zone("evil.example", spf="v=spf1 +all")
WORLD = Zone(CORP | EVIL | zone("corp.example-evil.example", spf="v=spf1 +all"))
NOWHERE = Envelope("198.51.100.66", "x.evil.example", "a@evil.example")
BY_CORP = Envelope("192.0.2.10", "mx.corp.example", "kim@corp.example")
MX = Envelope("127.0.0.1", "mx.mail.example", "kim@corp.example")
SETTINGS = load({"CRITTER_MAIL_AUTHSERV_ID": "mx.mail.example, MX2.mail.example"})


def judged(
    mail: bytes,
    came: Envelope = NOWHERE,
    known: KnownBeforeDns = KnownBeforeDns(),
    to=OURS,
    world=WORLD,
    settings=SETTINGS,
):
    return evaluate_trust(settings, world, ReceivedMail(mail), came, to, known)


def says(mail: bytes, *fields: str) -> bytes:
    return "".join(f"Authentication-Results: {field}\r\n" for field in fields).encode() + mail


PLAIN = write_mail()
PASS = "mx.mail.example; dmarc=pass (p=reject) header.from=corp.example"
FAIL = "mx.mail.example; dmarc=fail header.from=corp.example"


MATRIX = {
    # rung 1
    "relay": (PLAIN, NOWHERE, KnownBeforeDns(relay=True), "relay"),
    "relay, two authors": (b"From: sam@corp.example\r\n" + PLAIN, NOWHERE, KnownBeforeDns(relay=True), None),
    # rung 2
    "secret": (PLAIN, NOWHERE, KnownBeforeDns(posting="own"), "secret"),
    "secret, wrong": (PLAIN, NOWHERE, KnownBeforeDns(posting="foreign"), None),
    "secret, wrong, though signed": (signed(PLAIN), NOWHERE, KnownBeforeDns(posting="foreign"), None),
    # rung 3, our own verifier
    "rsa": (signed(PLAIN), NOWHERE, KnownBeforeDns(), "dmarc"),
    "ed25519": (signed(PLAIN, kind="ed"), NOWHERE, KnownBeforeDns(), "dmarc"),
    "of a sub-domain": (signed(write_mail("kim@hr.corp.example"), "corp.example"), NOWHERE, KnownBeforeDns(), "dmarc"),
    "the second signature": (signed(signed(PLAIN), "evil.example"), NOWHERE, KnownBeforeDns(), "dmarc"),
    "below a broken one": (
        b"DKIM-Signature: v=1; d=corp.example\r\n" + signed(PLAIN),
        NOWHERE,
        KnownBeforeDns(),
        "dmarc",
    ),
    "spf": (PLAIN, BY_CORP, KnownBeforeDns(), "dmarc"),
    "spf, from elsewhere": (PLAIN, BY_CORP._replace(peer="198.51.100.66"), KnownBeforeDns(), None),
    "spf alone, foreign From": (PLAIN, Envelope("192.0.2.77", "x", "a@evil.example"), KnownBeforeDns(), None),
    "spf of a name that begins alike": (
        PLAIN,
        Envelope("192.0.2.77", "x", "a@corp.example-evil.example"),
        KnownBeforeDns(),
        None,
    ),
    "spf, handed over by lmtp": (PLAIN, BY_CORP._replace(handed=True), KnownBeforeDns(), None),
    "signed, handed over by lmtp": (signed(PLAIN), BY_CORP._replace(handed=True), KnownBeforeDns(), "dmarc"),
    "spf of our own machine": (PLAIN, BY_CORP._replace(peer="127.0.0.1"), KnownBeforeDns(), None),
    "no envelope sender": (PLAIN, Envelope("192.0.2.10", "mx.corp.example", ""), KnownBeforeDns(), None),
    "signed by another": (signed(PLAIN, "evil.example"), NOWHERE, KnownBeforeDns(), None),
    "body changed": (signed(PLAIN).replace(b"hello", b"hallo"), NOWHERE, KnownBeforeDns(), None),
    "body changed, ed25519": (signed(PLAIN, kind="ed").replace(b"hello", b"hallo"), NOWHERE, KnownBeforeDns(), None),
    "From changed, ed25519": (signed(PLAIN, kind="ed").replace(b"kim@", b"sam@"), NOWHERE, KnownBeforeDns(), None),
    "From changed": (signed(PLAIN).replace(b"kim@", b"sam@"), NOWHERE, KnownBeforeDns(), None),
    "another From above": (b"From: sam@corp.example\r\n" + signed(PLAIN), NOWHERE, KnownBeforeDns(), None),
    "only a part of the body": (signed(PLAIN, length=True), NOWHERE, KnownBeforeDns(), None),
    "sent on": (signed(write_mail(to="sam@corp.example")), NOWHERE, KnownBeforeDns(), None),
    "sent on, a To above": (
        b"To: post@mail.example\r\n" + signed(write_mail(to="sam@corp.example")),
        NOWHERE,
        KnownBeforeDns(),
        None,
    ),
    "sent on, a Cc above": (
        b"Cc: post@mail.example\r\n" + signed(write_mail(to="sam@corp.example"), headers=HEADERS[:-1]),
        NOWHERE,
        KnownBeforeDns(),
        None,
    ),
    "To not signed": (signed(PLAIN, headers=(b"from", b"subject")), NOWHERE, KnownBeforeDns(), None),
    "no policy": (signed(write_mail("kim@quiet.example"), "quiet.example"), NOWHERE, KnownBeforeDns(), None),
    # rung 3, read
    "ours says pass": (says(PLAIN, PASS), MX, KnownBeforeDns(), "dmarc"),
    "our second says pass": (says(PLAIN, PASS.replace("mx.", "mx2.")), MX, KnownBeforeDns(), "dmarc"),
    "ours says fail": (says(PLAIN, FAIL), MX, KnownBeforeDns(), None),
    "ours says fail, forged below": (says(PLAIN, FAIL, PASS), MX, KnownBeforeDns(), None),
    "ours says pass, forged fail below": (says(PLAIN, PASS, FAIL), MX, KnownBeforeDns(), "dmarc"),
    "another's above ours": (says(PLAIN, PASS.replace("mx.", "mx9."), FAIL), MX, KnownBeforeDns(), None),
    "another's alone": (says(PLAIN, PASS.replace("mx.", "mx9.")), MX, KnownBeforeDns(), None),
    "ours, but from elsewhere": (says(PLAIN, PASS), NOWHERE, KnownBeforeDns(), None),
    "for another From": (says(PLAIN, PASS.replace("corp.example", "evil.example")), MX, KnownBeforeDns(), None),
    "dkim alone": (
        says(PLAIN, "mx.mail.example; dkim=pass header.d=corp.example"),
        MX,
        KnownBeforeDns(),
        None,
    ),
    "sent on, our address in a name": (
        signed(write_mail(to='"post@mail.example" <sam@corp.example>')),
        NOWHERE,
        KnownBeforeDns(),
        None,
    ),
    "sent on, our address in a comment": (
        signed(write_mail(to="sam@corp.example (post@mail.example)")),
        NOWHERE,
        KnownBeforeDns(),
        None,
    ),
    # rung 4
    "nothing": (PLAIN, NOWHERE, KnownBeforeDns(), None),
    "names prove nothing": (
        b"Reply-To: kim@corp.example\r\nSender: kim@corp.example\r\n"
        + write_mail('"kim@corp.example" <a@evil.example>'),
        BY_CORP,
        KnownBeforeDns(),
        None,
    ),
    "arc": (
        b"ARC-Authentication-Results: i=1; mx.mail.example; dmarc=pass header.from=corp.example\r\n"
        b"ARC-Seal: i=1; a=rsa-sha256; cv=none; d=evil.example; s=rsa; b=AAAA\r\n" + PLAIN,
        MX,
        KnownBeforeDns(),
        None,
    ),
}


@pytest.mark.parametrize("case", MATRIX)
def test_the_ladder(case):
    mail, came, known, proof = MATRIX[case]
    found = judged(mail, came, known)
    assert (found.proof, found.later) == (proof, False), found.reason
    assert found.rung == {"relay": 1, "secret": 2, "dmarc": 3, None: 4}[proof]
    assert found.reason
    assert "@" not in found.reason


@pytest.mark.parametrize(
    "author",
    [
        "kim@corp.example, sam@corp.example",
        "kim@corp.example)sam@corp.example",
        "kim@corp.example\r\nFrom: sam@corp.example",
        "sam@corp.example (kim@corp.example",
        "",
        "Kim",
    ],
)
def test_two_authors_or_none_prove_nothing(author):
    assert judged(signed(write_mail(author)), BY_CORP, KnownBeforeDns(relay=True)).proof is None


def test_strict_alignment_wants_the_same_domain():
    strict = Zone(zone("corp.example", "v=DMARC1; p=none; adkim=s; aspf=s"))
    sub = write_mail("kim@hr.corp.example")
    assert verify(signed(sub, "corp.example"), "hr.corp.example", NOWHERE, OURS, strict).result == "fail"
    assert verify(sub, "hr.corp.example", BY_CORP, OURS, strict).result == "fail"
    assert verify(PLAIN, "corp.example", BY_CORP, OURS, strict).result == "pass"


@pytest.mark.parametrize(
    ("records", "result"),
    [
        ((b"v=DMARC1; p=none",), "pass"),
        ((b"v=DMARC1;p=none;",), "pass"),
        ((b"hello", b"V=DMARC1 ; p=quarantine; rua=mailto:a@corp.example"), "pass"),
        ((b"v=DMARC1; p=none", b"v=DMARC1; p=none"), "none"),
        ((b"p=none; v=DMARC1",), "none"),
        ((b"v=DMARC1",), "none"),
        ((b"v=DMARC2; p=none",), "none"),
        ((b"\xff\x00;;;=;=",), "none"),
        ((b"v=DMARC1; p=none; " + b"x" * 8000,), "pass"),
        ((), "none"),
    ],
)
def test_a_policy_is_one_record_that_begins_with_its_version(records, result):
    world = Zone(CORP | {("_dmarc.corp.example", "TXT"): records})
    assert verify(PLAIN, "corp.example", BY_CORP, OURS, world).result == result


@pytest.mark.parametrize(
    ("silent", "mail", "came", "result"),
    [
        ("_dmarc.corp.example", signed(PLAIN), BY_CORP, "later"),
        ("rsa._domainkey.corp.example", signed(PLAIN), BY_CORP, "pass"),
        ("rsa._domainkey.corp.example", signed(PLAIN), NOWHERE, "later"),
        ("corp.example", signed(PLAIN), BY_CORP, "pass"),
        ("corp.example", PLAIN, BY_CORP, "later"),
        ("corp.example", PLAIN, NOWHERE, "fail"),
    ],
)
def test_silence_is_never_a_yes_and_no_final_no(silent, mail, came, result):
    world = Zone(CORP | {(silent, "TXT"): DnsUnavailable("it is silent")})
    assert verify(mail, "corp.example", came, OURS, world).result == result


@pytest.mark.parametrize(
    "record",
    [b"", b"v=DKIM1; p=", b"v=DKIM1; k=ed25519; p=AAAA", b"v=DKIM9; p=AAAA", b"k=rsa; p=!!!", b"\xff\xfe", b";"],
)
@pytest.mark.parametrize("selector", ["rsa", "ed"])
def test_a_key_that_is_none_proves_nothing(record, selector):
    world = Zone(CORP | {(f"{selector}._domainkey.corp.example", "TXT"): (record,)})
    assert verify(signed(PLAIN, kind=selector), "corp.example", NOWHERE, OURS, world).result == "fail"


def test_nobody_elses_servers_are_asked():
    """Whoever forges a mail must not learn of it, nor keep us waiting, by their own DNS."""
    asked = []

    class Watched(Zone):
        def ask(self, name, kind):
            asked.append(name)
            return super().ask(name, kind)

    judged(signed(PLAIN, "evil.example"), NOWHERE, world=Watched(CORP | EVIL))
    assert asked == ["_dmarc.corp.example"]


def test_spf_of_many_threads_each_in_its_own_zone():
    worlds = {True: Zone(CORP), False: Zone(zone("corp.example", spf="v=spf1 -all"))}
    wrong = []

    def check(right):
        for _ in range(50):
            found = verify(PLAIN, "corp.example", BY_CORP, OURS, worlds[right]).result
            if found != ("pass" if right else "fail"):
                wrong.append(found)

    threads = [threading.Thread(target=check, args=(number % 2 == 0,)) for number in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert wrong == []
    assert spf.DNSLookup("corp.example", "TXT") == []  # outside of a check it asks nobody


def test_a_loop_of_includes_and_a_wall_of_them_end():
    wall = " ".join(f"include:{n}.corp.example" for n in range(40))
    for text in ("v=spf1 include:corp.example -all", f"v=spf1 {wall} +all", "v=spf1 " + "a " * 4000 + "+all"):
        began = time.thread_time()
        assert verify(PLAIN, "corp.example", BY_CORP, OURS, Zone(zone("corp.example", spf=text))).result == "fail"
        assert time.thread_time() - began < 2


def test_organisations():
    of = {
        "corp.example": "corp.example",
        "a.b.corp.example": "corp.example",
        "corp.com": "corp.com",
        "mail.my-corp.com": "my-corp.com",
        "co.uk": "co.uk",
        "a.shop.co.uk": "shop.co.uk",
        "com": "com",
        "me.github.io": "me.github.io",
        "a.食狮.公司.cn": "食狮.公司.cn",
        "a.city.kobe.jp": "city.kobe.jp",
        "x.a.kobe.jp": "x.a.kobe.jp",
        "a.unlisted": "a.unlisted",
        "unlisted": "unlisted",
    }
    assert {domain: organisation(domain) for domain in of} == of
    assert not aligned("evil.co.uk", "corp.co.uk")
    assert not aligned("other.example", "corp.example")
    assert not aligned("", "")
    assert aligned("CORP.example.", "hr.corp.example")
    assert sender_trust.NONE == 4
