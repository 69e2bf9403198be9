"""Automatic answers of colleagues' mailboxes: which of them say that somebody is away, and that nothing else does."""

import uuid
from collections.abc import Iterator

import pytest

from gateway.ledger.inbox.inbox import Incoming
from gateway.settings import Settings
from tests.support import mail_round_trip
from tests.support.mail_round_trip import MailRoundTrip, head
from tests.support.office import Office
from tests.support.returned_mails import AWAY as AWAY_SAMPLE
from tests.support.returned_mails import RECEIPT, Sample

KIM, PRIYA, POST = "kim@demo.example", "priya@demo.example", "post@mail.example"
AWAY = "Auto-Submitted: auto-replied"
GENERATED = "Auto-Submitted: auto-generated"
OUT = "Subject: Automatic reply: lunch"
REPORT = 'Content-Type: multipart/report; report-type=feedback-report; boundary="b"'


@pytest.fixture
def post(office: Office, settings: Settings) -> Iterator[MailRoundTrip]:
    with mail_round_trip.opened(settings, office.engine) as context:
        yield context


def written(*lines: str, sender: str = PRIYA, to: str = POST) -> bytes:
    text = "\r\n".join([f"From: {sender}", f"To: {to}", *lines, "", "I am away until Monday.", ""])
    return text.encode()


def away(post: MailRoundTrip) -> set[str]:
    rows = post.sql(
        "SELECT handle FROM attention JOIN accounts a ON a.id = account_id"
        " WHERE out_of_office_until BETWEEN now() + interval '71 hours' AND now() + interval '73 hours'"
    )
    assert len(rows) == len(post.sql("SELECT FROM attention WHERE out_of_office_until IS NOT NULL"))
    return {row.handle for row in rows}


SAYS_SO = {
    "auto-replied": (AWAY,),
    "with parameters": ('Auto-Submitted: auto-replied; owner-email="p@x.example"',),
    "with a comment": ("Auto-Submitted: auto-replied (vacation)",),
    "Gmail's": (AWAY, "Precedence: bulk", "X-Autoreply: yes"),
    "Exchange's": (GENERATED, OUT, "X-Auto-Response-Suppress: All"),
    "an old responder's": ("X-Autorespond: away",),
    "an older one's": ("Precedence: auto_reply",),
}
SAYS_NOTHING = {
    "a program's": (GENERATED, "Subject: Your backup is done"),
    "a notification": ("Auto-Submitted: auto-notified", OUT),
    "bulk": ("Precedence: bulk", OUT),
    "a list's": (AWAY, "List-Id: <all.lists.example>"),
    "of an old list": (AWAY, "Precedence: list"),
    "our own, come back": (AWAY, "X-Critter-Id: mail.elsewhere.example"),
    "in a circle": (AWAY, "X-Loop: priya@demo.example"),
    "a server's": (AWAY, "X-Failed-Recipients: kim@demo.example"),
    "a report": (AWAY, REPORT),
    "a person's": (OUT,),
    "a person's who says no": ("Auto-Submitted: no", OUT),
}


@pytest.mark.parametrize("name", SAYS_SO)
def test_what_says_that_somebody_is_away(post: MailRoundTrip, name: str) -> None:
    post.mail(written(*SAYS_SO[name]), [POST], PRIYA)
    post.work()
    assert away(post) == {"priya"}
    assert [one[:2] for one in post.inputs()] == [("dropped", "machine")]
    assert post.inputs()[0][2].endswith("its writer is away")  # type: ignore[union-attr]
    assert (post.sent(), post.notices(), post.sql("SELECT FROM posts")) == ([], [], [])


@pytest.mark.parametrize("name", SAYS_NOTHING)
def test_what_says_nothing_of_the_kind(post: MailRoundTrip, name: str) -> None:
    post.mail(written(*SAYS_NOTHING[name]), [POST], PRIYA)
    post.work()
    assert away(post) == set()


def test_a_null_sender_is_believed_when_our_own_server_proves_the_mail(post: MailRoundTrip) -> None:
    post.mail(written(AWAY), [POST], "")
    post.work()
    assert away(post) == {"priya"}


def test_it_is_not_believed_without_a_proof(post: MailRoundTrip, office: Office) -> None:
    """What was let in for its address alone, or because a null sender can do no harm, proves nobody."""
    for proof in (None, "nobody: our own token", "nobody: a null sender"):
        raw = b"Return-Path: <priya@demo.example>\r\n" + written(AWAY)
        office.accept(Incoming("email", uuid.uuid4().bytes, PRIYA, (POST,), raw, True, uuid.uuid4().hex, proof=proof))
    post.work()
    assert {one[0] for one in post.inputs()} == {"dropped"}
    assert away(post) == set()


def test_a_stranger_and_our_own_domain_are_nobody(post: MailRoundTrip) -> None:
    for sender in ("stranger@elsewhere.example", "kim@mail.example", POST):
        post.mail(written(AWAY, sender=sender), [POST], sender)
    post.work()
    assert post.sql("SELECT FROM attention") == []


def test_an_answer_to_somebody_else_that_is_passed_on_says_nothing(post: MailRoundTrip) -> None:
    post.mail(written(AWAY, to="bob@elsewhere.example"), [POST], PRIYA)
    post.work()
    assert away(post) == set()


SIGNED = "DKIM-Signature: v=1; a=rsa-sha256; d=demo.example; s=a; h=from:to; bh=YQ==; b=ZmlyYXQ="


def test_a_mail_that_was_read_says_nothing_when_it_comes_again_with_marks(post: MailRoundTrip) -> None:
    """Nobody signs the marks of an automatic answer, so whoever has a signed mail can add them."""
    post.mail(written(SIGNED, "Subject: hello"), [POST], PRIYA)
    post.work()
    assert post.sql("SELECT count(*) FROM posts")[0][0] == 1
    post.mail(written(SIGNED, "Subject: hello", AWAY), [POST], PRIYA)
    post.work()
    assert post.inputs()[-1][:2] == ("dropped", "machine")
    assert away(post) == set()


def mailed(post: MailRoundTrip) -> tuple[str, str]:
    """Kim posts; the return address and the header of the mail that Priya gets."""
    raw = f"From: {KIM}\r\nTo: {POST}\r\nSubject: hello\r\n\r\nhello there\r\n"
    post.mail(raw.encode(), [POST], KIM)
    post.work()
    [email] = [one for one in post.sent() if one.recipient == PRIYA]
    post.notices()
    return email.envelope_from, head(email)


def test_an_answer_to_the_return_address_is_proved_by_our_token(post: MailRoundTrip) -> None:
    """RFC 3834 wants responders to write there, with a null sender."""
    to, header = mailed(post)
    post.mail(Sample("", "", "", AWAY_SAMPLE).written(to, header), [to])
    post.work()
    assert away(post) == {"priya"}
    assert post.inputs()[-1][:2] == ("dropped", "machine")
    assert (post.sent(), post.notices()) == ([], [])


def test_a_return_address_proves_nobody_else(post: MailRoundTrip) -> None:
    to, header = mailed(post)
    forged = AWAY_SAMPLE.replace("priya@demo.example", KIM)
    post.mail(Sample("", "", "", forged).written(to, header), [to])
    post.mail(Sample("", "", "", RECEIPT).written(to, header), [to])
    post.work()
    assert away(post) == set()


def test_who_writes_privately_is_told_until_the_other_writes(post: MailRoundTrip, office: Office) -> None:
    office.says("sam", "d kim hello")
    post.work()
    post.mail(written(AWAY, sender=KIM), [POST], KIM)
    post.work()
    post.notices()
    office.says("sam", "d kim are you there?")
    post.work()
    assert "Sent privately to Kim Lee.\nKim Lee is away, says their mailbox." in post.notices()
    office.says("kim", "groups")
    post.work()
    post.notices()
    office.says("sam", "d kim and now?")
    post.work()
    assert "Sent privately to Kim Lee." in post.notices()


@pytest.mark.parametrize("after", ["UPDATE attention SET out_of_office_until = now()", "DELETE FROM attention"])
def test_it_ends_by_itself(post: MailRoundTrip, office: Office, after: str) -> None:
    office.says("sam", "d kim hello")
    post.mail(written(AWAY, sender=KIM), [POST], KIM)
    post.work()
    post.notices()
    post.sql(after)
    office.says("sam", "d kim are you there?")
    post.work()
    assert "Sent privately to Kim Lee." in post.notices()


def test_whom_a_block_parts_is_told_nothing_of_it(post: MailRoundTrip, office: Office) -> None:
    office.says("sam", "d kim hello")
    post.work()
    office.says("kim", "block sam")
    post.work()
    post.mail(written(AWAY, sender=KIM), [POST], KIM)
    post.work()
    post.notices()
    office.says("sam", "d kim are you there?")
    post.work()
    [answer] = [one for one in post.notices() if one.startswith("Not sent.")]
    assert "away" not in answer


def test_it_changes_no_way(post: MailRoundTrip, office: Office) -> None:
    """What reaches them reaches them as before."""
    post.mail(written(AWAY, sender=KIM), [POST], KIM)
    post.work()
    office.says("sam", "@kim the van is late")
    post.work()
    assert any("the van is late" in one for one in post.notices())
