"""One signed mail takes effect once, whatever is added to it and in whichever envelope it comes (R56, F41)."""

import base64
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from gateway.ledger.inbox import replays
from gateway.mail.auth import replay_keys
from gateway.mail.decode import mime
from gateway.network.mail import sender_verdicts
from gateway.store.database import transaction
from gateway.store.tables import Inbound
from tests.support.mail_process import Client, opened
from tests.support.signed_mails import RSA, signed, write_mail
from tests.support.unproved_mails import BY_DEMO, ELSEWHERE, KIM, answers, arrives, posts, row, secret_of, sent, states
from tests.support.web_process import changed
from workers import mail_auth

NAMES = (b"from", b"to", b"subject", b"date", b"cc")  # Message-ID is left out, as many servers do
MAIL = signed(write_mail(KIM, body="once"), "demo.example", headers=NAMES)
BOTH = signed(MAIL, "demo.example", kind="ed", headers=NAMES)


def again(office, context, mail: bytes, came=ELSEWHERE, to=("post@mail.example",)) -> int:
    one = arrives(office, mail, came._replace(sender="b@evil.example"), to)
    mail_auth.step(context)
    office.read()
    return one


VARIED = {
    "as it was": MAIL,
    "a field more": b"X-Anything: 1\r\n" + MAIL,
    "another Message-ID": MAIL.replace(b"<1@corp.example>", b"<2@evil.example>"),
    "no Message-ID": MAIL.replace(b"Message-ID: <1@corp.example>\r\n", b""),
    "another Received above": b"Received: from x by y; Thu, 26 Nov 2026 10:00:00 +0000\r\n" + MAIL,
    "blanks in b=": MAIL.replace(b" b=", b" b= \r\n\t", 1),
    "blanks in Subject": MAIL.replace(b"Subject: hi", b"Subject:   hi "),
    "a type": b"Content-Type: text/plain; charset=utf-8\r\n" + MAIL,
}


@pytest.mark.parametrize("how", VARIED)
def test_a_captured_mail_has_no_second_effect(office, context, how):
    first = arrives(office, MAIL)
    mail_auth.step(context)
    office.read()
    second = again(office, context, VARIED[how])
    third = again(office, context, VARIED[how], BY_DEMO)  # even when a server of its writer's sends it
    assert posts(office) == ["once"]
    assert row(office, first)[0] == "done"
    for one in (second, third):
        assert (row(office, one)[0], row(office, one)[2]) == ("held", replays.AGAIN)
    assert sent(office) == []  # nobody is asked about words of theirs that were read


DATELESS = signed(
    write_mail(KIM, body="once").replace(b"Date: Wed, 25 Nov 2026 10:00:00 +0000\r\n", b""),
    "demo.example",
    headers=NAMES,
)
MODULUS = RSA.public_key().public_numbers().n


def resigned(change: Callable[[bytes], bytes]) -> bytes:
    """The same mail under another form of its signature."""
    found = re.search(rb" b=([^;]*?)\r\n(?=[A-Z])", DATELESS, re.DOTALL)
    assert found
    made = base64.b64encode(change(base64.b64decode(b"".join(found[1].split()))))
    return DATELESS[: found.start(1)] + made + DATELESS[found.end(1) :]


FORMS = {
    "zeros before it": lambda octets: b"\0\0" + octets,
    "and the modulus": lambda octets: (int.from_bytes(octets) + MODULUS).to_bytes(len(octets) + 1),
    "and the modulus twice": lambda octets: (int.from_bytes(octets) + 2 * MODULUS).to_bytes(len(octets) + 2),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_signature_has_one_form(office, context, form):
    arrives(office, resigned(bytes), ELSEWHERE)
    mail_auth.step(context)
    office.read()
    assert posts(office) == ["once"]
    one = again(office, context, resigned(FORMS[form]))
    assert row(office, one)[0] == "held"
    assert posts(office) == ["once"]


def test_two_signatures_are_one_mail(office, context):
    """Sent again with the other signature alone, it is the same mail still."""
    ed, _, rest = BOTH.partition(b"\r\nDKIM-Signature:")
    rsa_alone, ed_alone = b"DKIM-Signature:" + rest, ed + b"\r\n" + write_mail(KIM, body="once")
    assert rsa_alone == MAIL
    for mail in (rsa_alone, ed_alone, BOTH):
        again(office, context, mail)
    assert states(office) == ["done", "held", "held"]
    assert posts(office) == ["once"]


@pytest.mark.parametrize("way", ["spf", "secret", "relay", "confirmed", "approved"])
def test_however_it_was_proved_first_its_signature_proves_nothing_more(office, context, way):
    """The first comes by another proof, and then somebody sends the signed mail on."""
    loose = b"Subject: other\r\n" + MAIL  # its signature does not count, and it has to be proved some other way
    if way == "spf":
        arrives(office, loose, BY_DEMO)
        mail_auth.step(context)
    elif way == "secret":
        arrives(office, loose, to=(f"post+{secret_of(office)}@mail.example",))
        mail_auth.step(context)
    elif way == "relay":
        with opened(office.settings), Client(office.settings.smtp_listen) as client:
            assert client.mail(loose, sender=KIM).startswith("250")
    else:
        one = arrives(office, loose)
        mail_auth.step(context)
        assert row(office, one)[:2] == ("held", "asked")
        if way == "confirmed":
            answers(office, context, one, "OK")
        else:
            assert office.critter("held", "approve", str(one)).exit_code == 0
    office.read()
    assert posts(office) == ["other: once"]
    later = again(office, context, MAIL)
    assert (row(office, later)[0], posts(office)) == ("held", ["other: once"])


def test_a_copy_that_was_signed_on_its_way_to_others_has_no_second_effect(office, context):
    """The company's relay hands a mail to us as it is, and signs what it sends to Bob outside; he sends that to us."""
    to = "post@mail.example, bob@elsewhere.example"
    mail = write_mail(KIM, to=to, body="once")
    with opened(office.settings), Client(office.settings.smtp_listen) as client:
        assert client.mail(mail, sender=KIM).startswith("250")
    office.read()
    later = again(office, context, b"Received: from relay by out\r\n" + signed(mail, "demo.example", headers=NAMES))
    assert (row(office, later)[0], row(office, later)[2], posts(office)) == ("held", replays.AGAIN, ["once"])


def test_mails_without_a_signature_are_told_apart_as_before(office, context):
    """A monitor writes the same words twice in one second, as two mails; SPF of each delivery proves it."""
    for number in (1, 2):
        arrives(office, write_mail(KIM, body="disk full").replace(b"<1@", b"<%d@" % number), BY_DEMO)
        mail_auth.step(context)
        office.read()
    assert posts(office) == ["disk full"] * 2


def test_an_ok_to_a_copy_of_what_was_read_reads_it_no_more(office, context):
    """A forged copy is asked about first; then the mail itself comes and is read; then its writer says OK."""
    copy = arrives(office, b"Subject: leave all\r\n" + MAIL)
    mail_auth.step(context)
    assert row(office, copy)[:2] == ("held", "asked")
    again(office, context, MAIL)
    answers(office, context, copy, "OK")
    office.read()
    assert (row(office, copy)[0], row(office, copy)[2], posts(office)) == ("held", replays.AGAIN, ["once"])
    assert office.critter("held", "approve", str(copy)).exit_code == 0  # an operator has the last word
    office.read()
    assert posts(office) == ["once", "leave all: once"]


def test_an_operator_may_let_a_second_one_in(office, context):
    again(office, context, MAIL)
    second = again(office, context, MAIL)
    assert office.critter("held", "approve", str(second)).exit_code == 0
    office.read()
    assert posts(office) == ["once", "once"]


def test_a_copy_with_a_sign_of_a_machine_keeps_the_mail_itself_not_out(office, context):
    copy = again(office, context, b"Auto-Submitted: auto-replied\r\n" + MAIL)
    assert row(office, copy)[0] == "dropped"
    first = again(office, context, MAIL)
    assert (row(office, first)[0], posts(office)) == ("done", ["once"])


def test_the_same_words_said_again_are_another_mail(office, context):
    for minute in range(3):
        mail = write_mail(KIM, body="ok then").replace(b"10:00:00", f"10:0{minute}:00".encode())
        again(office, context, signed(mail, "demo.example", headers=NAMES))
    assert posts(office) == ["ok then"] * 3


def test_nobody_can_keep_somebody_elses_mail_out(office, context):
    """Priya puts Kim's signature above a mail of her own, before Kim's comes."""
    field = MAIL[: MAIL.index(b"From:")]
    arrives(office, field + write_mail("priya@demo.example", body="mine"), BY_DEMO, sender="priya@demo.example")
    mail_auth.step(context)
    office.read()
    again(office, context, MAIL)
    assert posts(office) == ["mine", "once"]


def test_it_is_remembered_for_ever_and_by_a_keyed_hash(office, context):
    again(office, context, MAIL)
    with transaction(office.engine) as session:
        session.query(Inbound).update({"raw": None, "message_id": None, "text": None})
    second = again(office, context, MAIL)
    assert (row(office, second)[0], posts(office)) == ("held", ["once"])
    marks = replay_keys.compute(MAIL, mime.parse(MAIL), KIM)
    kept = {bytes(digest) for (digest,) in office.sql("SELECT digest FROM mail_signatures")}
    assert len(kept) == len(marks) == 2
    assert kept.isdisjoint(marks)


def test_two_at_once_have_one_effect(office, context):
    """Two workers let copies in at the same moment: one of them waits, and then knows."""
    copies = [arrives(office, b"X-N: %d\r\n" % number + MAIL) for number in range(8)]
    marks = replay_keys.compute(MAIL, mime.parse(MAIL), KIM)

    def claim(one: int) -> bool:
        with transaction(office.engine) as session:
            return replays.claim(session, one, marks)

    with ThreadPoolExecutor(8) as threads:
        won = list(threads.map(claim, copies))
    assert won.count(True) == 1
    assert claim(copies[won.index(True)])  # read again after a crash, it is itself


def test_a_foreign_envelope_is_held_and_asked_about(office, context):
    """Anne writes to a colleague and to everybody; a copy that goes to everybody alone would skip our question."""
    mail = signed(
        write_mail(KIM, to="sam@mail.example, post@mail.example", body="between us"), "demo.example", headers=NAMES
    )
    some = again(office, context, mail)
    assert row(office, some)[:2] == ("held", "asked")
    assert row(office, some)[2].startswith(sender_verdicts.LEFT_OUT)
    wrong = write_mail(KIM, to="nobody.here@mail.example, post@mail.example", body="to all")
    other = again(office, context, signed(wrong, "demo.example", headers=NAMES))
    assert (row(office, other)[0], posts(office)) == ("done", ["to all"])


def test_a_private_mail_sent_on_by_its_reader_is_not_posted(office, context):
    """By the real door, with our own server's word in front and without it; and over a door that nobody trusts."""
    private = signed(write_mail(KIM, to="bob@elsewhere.example", body="I will resign"), "demo.example")
    said = "mx.mail.example; dmarc=pass header.from=demo.example; dkim=pass header.d=demo.example"
    word = f"Authentication-Results: {said}\r\n".encode()
    strict = changed(office.settings, CRITTER_MAIL_TRUST="10.0.0.0/8", CRITTER_MAIL_AUTHSERV_ID="mx.mail.example")
    vars(context)["settings"] = strict
    with opened(strict), Client(strict.smtp_listen) as client:
        for mail in (private, word + private):
            for to in ("post@mail.example", "sales+join@mail.example", "sam@mail.example"):
                assert client.mail(mail, (to,), "b@evil.example").startswith("250")
    while mail_auth.step(context):
        pass
    office.read()
    assert set(states(office)) == {"held"}
    assert office.sql("SELECT (SELECT count(*) FROM effects), (SELECT count(*) FROM posts)") == [(0, 0)]
    assert [kind for kind, _ in sent(office)] == ["code"]
