"""Mails that come back, through the real door and workers: what counts, what a mailbox's end is, how it comes back."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis
from hypothesis import strategies as st
from sqlalchemy import select, text
from structlog.testing import capture_logs

from gateway.carriers.common.protocol import OutboundEmail
from gateway.mail.bounces.dsn import BounceReport
from gateway.network.mail import bounce_scores
from gateway.security.signed_tokens import Signer
from gateway.store.database import transaction
from gateway.store.tables import Address
from tests.support import mail_round_trip
from tests.support.mail_round_trip import MailRoundTrip, head
from tests.support.office import Office
from tests.support.returned_mails import AWAY, MAILBOX, POSTFIX, POSTFIX_DELAYED, SAMPLES, SUCCESS, Sample

KIM = "kim@demo.example"


@pytest.fixture
def post(office: Office, settings) -> Iterator[MailRoundTrip]:
    with mail_round_trip.opened(settings, office.engine) as context:
        yield context


def update(post: MailRoundTrip, words: str) -> OutboundEmail:
    """Kim posts; the mail that Priya gets."""
    raw = f"From: {KIM}\r\nTo: post@mail.example\r\nSubject: {words}\r\n\r\n{words}\r\n"
    post.mail(raw.encode(), ["post@mail.example"], KIM)
    post.work()
    (told,) = post.notices()  # Sam hears it by text
    assert told.startswith(f"Kim Lee: {words}")
    found = [one for one in post.sent() if one.recipient == MAILBOX]
    assert len(found) == 1, found
    return found[0]


def bounce(raw: str, email: OutboundEmail, to: str | None = None, mark: str = "") -> bytes:
    return Sample("", "", "", raw + mark).written(to or email.envelope_from, head(email))


def back(post: MailRoundTrip, raw: str, email: OutboundEmail, mark: str = "") -> None:
    post.mail(bounce(raw, email, mark=mark), [email.envelope_from])
    post.read()


def deliveries(post: MailRoundTrip) -> list:
    return [
        tuple(row)
        for row in post.sql(
            "SELECT d.state, d.reason FROM deliveries d JOIN addresses a ON a.id = d.address_id"
            " WHERE a.address = :box ORDER BY d.message_id",
            box=MAILBOX,
        )
    ]


def score(post: MailRoundTrip, box: str = MAILBOX) -> float:
    rows = post.sql(
        "SELECT score FROM bouncing b JOIN addresses a ON a.id = b.address_id WHERE a.address = :box", box=box
    )
    return rows[0][0] if rows else 0.0


def is_off(post: MailRoundTrip, box: str = MAILBOX) -> bool:
    return bool(post.sql("SELECT 1 FROM addresses WHERE address = :box AND bouncing_since IS NOT NULL", box=box))


def audited(office: Office) -> None:
    ran = office.critter("audit")
    assert ran.exit_code == 0, ran.output


def test_each_servers_bounce_counts_and_is_told(post: MailRoundTrip, office: Office):
    for sample in SAMPLES:
        if sample.kind not in ("hard", "soft"):
            continue
        email = update(post, f"hello {sample.name}")
        post.mail(bounce(sample.raw, email), [email.envelope_from])
        post.read()
        assert deliveries(post)[-1] == ("failed", sample.status or "bounced"), sample.name
        assert score(post) == {"hard": 1.0, "soft": 0.5}[sample.kind], sample.name
        assert post.inputs()[-1][:2] == ("done", "bounce")
        post.sql("DELETE FROM bouncing")
    post.work()
    assert (post.sent(), post.notices()) == ([], [])
    audited(office)


def test_who_got_says_why_in_both_languages(post: MailRoundTrip, office: Office):
    email = update(post, "hello")
    back(post, POSTFIX, email)
    office.says("kim", "who got")
    post.work()
    assert post.notices() == ['"hello": 1 got it. Missed: Priya Nair (no such mailbox).']
    post.sql("UPDATE accounts SET language = 'es' WHERE handle = 'kim'")
    office.says("kim", "who got priya")
    post.work()
    assert "ese buzón no existe" in post.notices()[0]
    ran = office.critter("trace", "--json", office.delivery("priya"))
    assert '"why": "no such mailbox"' in ran.output
    assert '"reason": "5.1.1"' in ran.output


def test_many_copies_count_once(post: MailRoundTrip):
    email = update(post, "hello")
    for number in range(4):
        back(post, POSTFIX, email, mark=f"{number}")
    assert score(post) == 1.0
    assert [one[:2] for one in post.inputs()[1:]] == [("done", "bounce")] * 4


def test_a_delay_counts_nothing_and_an_arrival_is_a_receipt(post: MailRoundTrip, office: Office):
    email = update(post, "hello")
    back(post, POSTFIX_DELAYED, email)
    assert deliveries(post) == [("sent", None)]
    back(post, SUCCESS, email)
    assert deliveries(post) == [("delivered", None)]
    back(post, POSTFIX, email)  # forward only: it has arrived
    assert deliveries(post) == [("delivered", None)]
    audited(office)


def test_the_token_counts_with_every_separator(post: MailRoundTrip):
    for count, separator in enumerate("-.", 1):
        email = update(post, f"hello {count}")
        to = email.envelope_from.replace("+", separator).upper()
        post.mail(bounce(POSTFIX, email), [to])
        post.read()
        assert score(post) == count


def test_a_bounce_with_a_sender_counts_by_its_token(post: MailRoundTrip):
    email = update(post, "hello")
    post.mail(bounce(POSTFIX, email), [email.envelope_from], "MAILER-DAEMON@mx.demo.example")
    post.work()
    assert score(post) == 1.0


def test_without_verp_what_is_brought_back_proves_it(post: MailRoundTrip):
    for count, sample in enumerate((SAMPLES[0], SAMPLES[4], SAMPLES[9], SAMPLES[11]), 1):
        email = update(post, f"hello {count}")
        token = email.envelope_from[2:].partition("@")[0]
        raw = Sample("", "", "", sample.raw.replace("<{to}>", "<post@mail.example>"))
        post.mail(raw.written("post@mail.example", f"{head(email)}\nX-Critter-Token: {token}"), ["post@mail.example"])
        post.read()
        assert score(post) == count
        assert deliveries(post)[-1] == ("failed", sample.status)


def test_the_reply_address_of_the_mail_proves_it_too(post: MailRoundTrip):
    email = update(post, "hello")
    kept = "\n".join(line for line in head(email).splitlines() if line.startswith(("Reply-To", "Message-ID")))
    assert kept.count("\n") == 1
    post.mail(Sample("", "", "", POSTFIX).written("post@mail.example", kept), ["post@mail.example"])
    post.work()
    assert score(post) == 1.0


def test_forged_bounces_change_nothing(post: MailRoundTrip, office: Office):
    """A Message-ID can be guessed; another key's token, another mail's reply address or none at all prove nothing."""
    email, other = update(post, "hello"), update(post, "again")
    message, address = post.sql("SELECT message_id, address_id FROM deliveries ORDER BY message_id")[0]
    stranger = Signer(("another secret",)).sign("bounce", message, address)
    named = f"Message-ID: <critter.{message}.{address}@mail.example>"
    other_reply = next(line for line in head(other).splitlines() if line.startswith("Reply-To"))
    heads = [
        "Subject: nothing",
        named,
        f"{named}\nX-Critter-Token: {stranger}",
        f"{named}\n{other_reply}",
        head(email).replace("@mail.example", "@else.example"),
    ]
    for number, forged in enumerate(heads):
        raw = Sample("", "", "", POSTFIX + str(number)).written("post@mail.example", forged)
        post.mail(raw, ["post@mail.example"])
        post.work()
    assert score(post) == 0.0
    assert {state for state, _ in deliveries(post)} == {"sent"}
    assert {one[0] for one in post.inputs()[2:]} == {"dropped"}
    assert post.sent() == []


def test_answers_to_return_addresses_change_nothing(post: MailRoundTrip):
    email = update(post, "hello")
    for sender in ("", MAILBOX):
        post.mail(Sample("", "", "", AWAY + sender).written(email.envelope_from), [email.envelope_from], sender)
    post.work()
    assert score(post) == 0.0
    assert {one[:2] for one in post.inputs()[1:]} == {("dropped", "machine")}
    assert post.sent() == []


def test_a_bounce_of_a_bounce_has_no_effect(post: MailRoundTrip):
    email = update(post, "hello")
    inner = bounce(POSTFIX, email).decode()
    raw = Sample("", "", "", POSTFIX.replace("{head}", inner.partition("\r\n\r\n")[0])).written("post@mail.example")
    post.mail(raw, ["post@mail.example"])
    post.work()
    assert (score(post), post.sent()) == (0.0, [])
    assert post.inputs()[-1][0] == "dropped"


def test_a_server_with_a_thousand_bounces_is_not_limited(post: MailRoundTrip):
    email = update(post, "hello")
    post.sql(
        "INSERT INTO inbound (channel, natural_key, sender, recipients, raw, trusted, state)"
        " SELECT 'email', CAST(CAST(n AS text) AS bytea), 'mailer-daemon@mx.demo.example', '{}', '', true, 'done'"
        " FROM generate_series(1, 700) n"
    )
    back(post, POSTFIX, email)
    assert score(post) == 1.0


def with_phone(post: MailRoundTrip) -> None:
    post.sql(
        "INSERT INTO addresses (account_id, channel, address, is_primary, introduced_at)"
        " SELECT id, 'sms', '+14155550199', true, now() FROM accounts WHERE handle = 'priya'"
    )


def test_a_dead_mailbox_is_warned_of_and_ends(post: MailRoundTrip, office: Office):
    """Five hard ones: its owner is told by text before, and then nothing more goes there."""
    with_phone(post)
    emails = [update(post, f"update {number}") for number in range(5)]
    for number, email in enumerate(emails[:4]):
        assert post.notices() == []
        assert not is_off(post)
        back(post, POSTFIX, email)
        assert score(post) == number + 1
    post.work()
    (told,) = post.notices()
    assert told.startswith("Mails to your mailbox come back: no such mailbox.")
    assert not is_off(post)
    back(post, POSTFIX, emails[4])
    assert is_off(post)
    assert post.notices() == []
    office.says("kim", "one more")
    post.work()
    assert [one for one in post.sent() if one.recipient == MAILBOX] == []
    assert deliveries(post)[-1] == ("cancelled", "bouncing")
    assert [told[:17] for told in post.notices()] == ["Kim Lee: one more"]
    office.says("kim", "who got")
    post.work()
    assert "Priya Nair (mails to their mailbox come back)" in post.notices()[0]
    audited(office)


def test_without_a_phone_an_operator_is_told(post: MailRoundTrip, office: Office, caplog):
    end(post)
    post.work()
    assert post.notices() == []
    assert "no phone of its owner takes texts" in caplog.text
    assert MAILBOX not in caplog.text
    shown = office.critter("people", "list").output
    assert "bounces" in next(line for line in shown.splitlines() if "@priya" in line)


def test_quiet_days_begin_anew(post: MailRoundTrip):
    end(post, 4)
    assert score(post) == 4.0
    post.later(7.1)
    back(post, POSTFIX, update(post, "later"))
    assert (score(post), is_off(post)) == (1.0, False)


def end(post: MailRoundTrip, bounces: int = 5) -> None:
    """As many mails to Priya came back."""
    for _ in range(bounces):
        with transaction(post.engine) as session:
            box = session.scalars(select(Address.id).where(Address.address == MAILBOX)).one()
            assert bounce_scores.count_bounce(
                session, _mail_to(session, box), box, BounceReport("hard", "5.1.1")
            ).counted
    assert is_off(post) == (bounces >= 5)


def test_a_test_mail_that_stays_switches_it_on(post: MailRoundTrip):
    end(post)
    post.tick()
    post.work()
    assert post.sent() == []
    post.later(1.01)
    post.tick()
    post.work()
    (probe,) = post.sent()
    assert probe.recipient == MAILBOX
    assert b"Does this mailbox work again?" in probe.content
    post.tick()
    assert is_off(post)
    post.later(1.01)
    post.tick()
    assert not is_off(post)
    update(post, "welcome back")


def test_test_mails_that_come_back_are_fewer_and_end(post: MailRoundTrip):
    end(post)
    for days in (1, 3, 7, 14):
        post.later(days - 0.1)
        post.tick()
        post.work()
        assert post.sent() == []
        post.later(0.2)
        post.tick()
        post.work()
        (probe,) = post.sent()
        back(post, POSTFIX, probe)
        assert is_off(post)
    post.later(100)
    post.tick()
    post.work()
    assert (post.sent(), is_off(post)) == ([], True)


def test_a_mail_from_it_switches_it_on_at_once(post: MailRoundTrip):
    end(post)
    raw = f"From: {MAILBOX}\r\nTo: post@mail.example\r\nMessage-ID: <1@demo.example>\r\n\r\nwhoami\r\n"
    post.mail(raw.encode(), ["post@mail.example"], MAILBOX)
    post.work()
    assert not is_off(post)
    assert [one.recipient for one in post.sent()] == [MAILBOX]


def test_an_operator_sees_and_clears(post: MailRoundTrip, office: Office):
    end(post)
    shown = office.critter("people", "bounces")
    assert "@priya" in shown.output
    assert "no such mailbox" in shown.output
    assert MAILBOX not in shown.output
    assert '"off": true' in office.critter("people", "bounces", "--json").output
    assert office.critter("people", "mail-on", "priya").output == "Mails go to @priya again.\n"
    assert not is_off(post)
    assert "No mailbox sends mail back" in office.critter("people", "bounces").output
    assert "already" in office.critter("people", "mail-on", "priya").output
    update(post, "hello again")
    audited(office)


@hypothesis(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(["hard", "soft", "delayed", "delivered", "relayed", "again", "quiet"]), max_size=14))
def test_no_mailbox_ends_below_five(office: Office, kinds: list[str]):
    """Whatever comes back in whatever order: off exactly when the score says so."""
    with transaction(office.engine) as session:
        session.execute(text("UPDATE addresses SET bouncing_since = NULL"))
        session.execute(text("DELETE FROM bounces"))
        session.execute(text("DELETE FROM bouncing"))
        box = session.execute(text(f"SELECT id FROM addresses WHERE address = '{MAILBOX}'")).scalar_one()
    expected, last = 0.0, 0
    for kind in kinds:
        with transaction(office.engine) as session:
            if kind == "quiet":
                session.execute(text("UPDATE bouncing SET bounced_at = bounced_at - interval '8 days'"))
                expected = 0.0
                continue
            if kind != "again" or not last:
                last = _mail_to(session, box)
            counted = bounce_scores.count_bounce(
                session, last, box, BounceReport("hard" if kind == "again" else kind)
            ).counted
            if counted:
                expected += {"soft": 0.5}.get(kind, 1.0)
        with transaction(office.engine) as session:
            off = session.get_one(Address, box).bouncing_since is not None
        assert off == (expected >= 5.0)
        if off:
            return


def _mail_to(session, box: int) -> int:
    message = session.execute(
        text("INSERT INTO messages (kind, text, subject, body) VALUES ('notice', '', '', '') RETURNING id")
    ).scalar_one()
    session.execute(
        text(
            "INSERT INTO deliveries (message_id, address_id, channel, priority, state, attempt, give_up_at, ended_at)"
            f" VALUES ({message}, {box}, 'email', 2, 'sent', 1, now(), now())"
        )
    )
    return int(message)


def test_many_that_come_back_are_an_alarm(post: MailRoundTrip):
    """The twentieth within an hour, when it is more than one mail in twenty."""
    email = update(post, "hello")
    for _ in range(19):
        with transaction(post.engine) as session:
            box = session.scalars(select(Address.id).where(Address.address == KIM)).one()
            assert bounce_scores.count_bounce(session, _mail_to(session, box), box, BounceReport("soft")).counted
    with capture_logs() as logs:
        back(post, POSTFIX, email)
    assert "mails come back" in [line["event"] for line in logs]
    assert post.sql("SELECT count(*) FROM bounces") == [(20,)]
