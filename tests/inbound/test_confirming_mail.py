"""Mails in a member's name that nothing proves: held, asked about, and never more; secret addresses."""

import time
from datetime import timedelta
from email import message_from_bytes

from gateway.ledger.outbox import claims
from gateway.mail.auth.dmarc import Envelope
from gateway.network.mail import secret_addresses
from gateway.network.people import accounts
from gateway.security.signed_tokens import Signer
from gateway.store.database import transaction
from tests.support.office import Office
from tests.support.signed_mails import signed, write_mail
from tests.support.unproved_mails import (
    BY_EVIL,
    KIM,
    answers,
    arrives,
    change,
    posts,
    row,
    secret_of,
    sent,
    states,
    token,
)
from workers import mail_auth
from workers.sending.render_mail import Mailing


def test_a_mail_in_a_members_name_is_held_and_asked_about_once(office, context):
    one, other = arrives(office, write_mail(KIM, body="I resign")), arrives(office, write_mail(KIM, body="I really do"))
    mail_auth.step(context)
    assert row(office, one)[:3] == (
        "held",
        "asked",
        "demo.example did not sign it; its envelope sender is of another domain; its sender was asked",
    )
    assert row(office, other)[:2] == ("held", None)
    assert row(office, other)[2].endswith("its sender was not asked")
    [(kind, words)] = sent(office)
    assert kind == "code"
    assert "I resign" in words
    assert "Reply OK" in words
    office.read()
    assert posts(office) == []


MAILBOXES = [f"{handle}@demo.example" for handle in ("kim", "priya", "pat", "dave", "anne")]


def test_ok_lets_it_in_once(office, context):
    said = dict(zip(MAILBOXES, ["OK", "ok.", "Yes!\n\nthat was me\n\n> Reply OK", "Ja!", "Да"], strict=True))
    asked = {
        mailbox: arrives(office, write_mail(mailbox, body="the crates are here"), sender=mailbox) for mailbox in said
    }
    mail_auth.step(context)
    assert states(office) == ["held"] * 5
    replies = [answers(office, context, asked[mailbox], words, mailbox) for mailbox, words in said.items()]
    assert {row(office, one)[:3] for one in replies} == {("done", "token", "said OK: the mail is read")}
    office.read()
    assert posts(office) == ["the crates are here"] * 5
    assert {row(office, one)[:2] for one in asked.values()} == {("done", "confirmed")}
    again = answers(office, context, asked[KIM], "OK")
    assert row(office, again)[2] == "that mail does not wait for an answer any more"
    assert posts(office) == ["the crates are here"] * 5


def test_no_drops_it_and_other_words_leave_it(office, context):
    said = dict(zip(MAILBOXES, ["no", "Nein", "okra", "what is this?", "!"], strict=True))
    asked = {
        mailbox: arrives(office, write_mail(mailbox, body="the crates are here"), sender=mailbox) for mailbox in said
    }
    mail_auth.step(context)
    for mailbox, words in said.items():
        answers(office, context, asked[mailbox], words, mailbox)
    office.read()
    assert [row(office, one)[0] for one in asked.values()] == ["dropped", "dropped", "held", "held", "held"]
    assert posts(office) == []


def test_ok_counts_for_24_hours_from_that_mailbox_alone(office, context):
    one = arrives(office, write_mail(KIM, body="the crates are here"))
    mail_auth.step(context)
    foreign = answers(office, context, one, "OK", sender="priya@demo.example")
    assert row(office, foreign)[0] == "dropped"
    assert row(office, one)[0] == "held"
    both = token(office, one)
    mixed = arrives(office, write_mail(KIM, to=both, body="OK"), to=(both, "post@mail.example"))
    mail_auth.step(context)
    assert row(office, mixed)[0] == "dropped"
    change(office, "UPDATE inbound SET received_at = now() - interval '25 hours' WHERE state = 'held'")
    answers(office, context, one, "OK")
    assert row(office, one)[0] == "held"
    assert office.critter("held", "approve", str(one)).exit_code == 0
    office.read()
    assert "the crates are here" in posts(office)


def test_strangers_and_machines_hear_nothing(office, context):
    """No backscatter: mails forged in anybody's name make nobody a mail (R8)."""
    machine = b"Auto-Submitted: auto-replied\r\n" + write_mail(KIM)
    kinds = {
        "stranger": arrives(office, sender="a@evil.example"),
        "forged": arrives(office, signed(write_mail("b@else.example"), "evil.example"), sender="b@else.example"),
        "machine": arrives(office, machine),
        "bounce": arrives(office, write_mail(KIM), Envelope("198.51.100.66", "x", "")),
        "operator": arrives(office, to=("postmaster@mail.example",), sender="c@evil.example"),
    }
    mail_auth.step(context)
    ended = {name: row(office, one)[0] for name, one in kinds.items()}
    assert ended == {
        "stranger": "dropped", "forged": "dropped", "machine": "dropped", "bounce": "dropped", "operator": "held",
    }  # fmt: skip
    assert office.sql("SELECT count(*) FROM messages") == [(0,)]


def test_hundreds_of_forged_mails_make_one_question(office, context):
    for number in range(30):
        arrives(office, write_mail(KIM, body=f"{number}"))
        arrives(office, sender=f"n{number}@evil.example")
    began = time.monotonic()
    while mail_auth.step(context):
        pass
    assert set(states(office)) == {"held", "dropped"}
    assert office.sql("SELECT count(*) FROM deliveries") == [(1,)]
    assert time.monotonic() - began < 20


def test_a_secret_address_proves_its_owner_alone(office, context):
    word = secret_of(office)
    assert len(word) >= 26
    assert secret_of(office) == word
    to = (f"post+{word}@mail.example",)
    own = arrives(office, write_mail(KIM, body="from my other mailer"), to=to)
    foreign = arrives(office, write_mail("priya@demo.example"), to=to, sender="priya@demo.example")
    mail_auth.step(context)
    assert row(office, own)[:2] == ("new", "secret")
    assert row(office, foreign)[:2] == ("held", "asked")
    office.read()
    assert posts(office) == ["from my other mailer"]
    everything = office.sql(
        """SELECT string_agg(concat_ws(' ', recipients::text, reason, intent, proof), ' ') FROM inbound
           UNION ALL SELECT string_agg(text || body, ' ') FROM messages"""
    )
    assert word not in str(everything)


def test_an_old_secret_ends(office, context):
    old = secret_of(office)
    new = secret_of(office, rotate=True)
    assert new != old
    one = arrives(office, signed(write_mail(KIM), "demo.example"), to=(f"post-{old}@mail.example",))
    mail_auth.step(context)
    assert row(office, one)[:2] == ("held", "asked")
    assert "secret address is old" in row(office, one)[2]


def test_a_secret_outlives_a_change_of_the_key(office):
    with transaction(office.engine) as session:
        kim = accounts.by_handle(session, "kim").id
        word = secret_addresses.secret(session, Signer(("old key",)), kim)
        assert secret_addresses.secret(session, Signer(("new key", "old key")), kim) == word
        assert secret_addresses.secret(session, Signer(("new key",)), kim) != word


def test_the_question_can_be_answered_where_it_says(office, context):
    """The mail's own Reply-To is the address that the answer is proved by."""
    one = arrives(office, write_mail(KIM))
    mail_auth.step(context)
    with transaction(office.engine) as session:
        [claimed] = claims.claim(session, "email", "test", timedelta(seconds=60), 10)
        content = claims.contents(session, [claimed.message_id])[claimed.message_id]
    load, _ = Mailing(office.settings, context.signer).load(claimed, content)
    question = message_from_bytes(load.parcel.content)
    assert question["Reply-To"].strip("<>") == token(office, one)
    assert question["Auto-Submitted"] == "auto-replied"


SENSITIVE = (
    "link",
    "link 123456",
    "login",
    "d acme the offer is 12%",
    "name Eve Il",
    "off",
    "stop",
    "leave all",
    "1234",
)


def test_nothing_forged_has_an_effect(office, context):
    """Sensitive or not: what is not proved is not even read (R30)."""
    for words in SENSITIVE:
        arrives(office, write_mail(KIM, body=words))
        arrives(office, b"Authentication-Results: mail.example; dmarc=pass\r\n" + write_mail(KIM, body=words), BY_EVIL)
    while mail_auth.step(context):
        pass
    office.work()
    assert set(states(office)) == {"held"}
    assert office.sql("SELECT (SELECT count(*) FROM effects), (SELECT count(*) FROM posts)") == [(0, 0)]
    assert [kind for kind, _ in sent(office)] == ["code"]


def test_somebody_elses_reply_address_is_told_to_its_owner_once(office, context):
    """R31: refused, logged, and its owner hears of it."""
    post = accounts_post(office)
    [(priya,)] = office.sql("SELECT id FROM addresses WHERE address = 'priya@demo.example'")
    to = f"r+{Signer(office.settings.secret_keys).sign('reply', post, priya)}@mail.example"
    for words in ("mine now", "and now"):
        mail = signed(write_mail("dave@demo.example", to=to, body=words), "demo.example")
        arrives(office, mail, to=(to,), sender="dave@demo.example")
        mail_auth.step(context)
        office.read()
    assert states(office)[-2:] == ["dropped", "dropped"]
    assert posts(office) == ["hello all"]
    [(kind, words)] = sent(office, "priya@demo.example")
    assert kind == "notice"
    assert words.startswith("Somebody else wrote to a reply address that is yours alone.")


def accounts_post(office: Office) -> int:
    office.says("sam", "hello all")
    office.read()
    return int(office.sql("SELECT id FROM posts")[0][0])
