"""A thread in a mailbox: each mail names the posts above it and has the first one's subject (Gmail wants both)."""

from email import message_from_bytes, policy
from email.message import EmailMessage

from gateway.ledger.outbox import claims
from gateway.ledger.outbox.claims import ClaimedDelivery
from gateway.security.signed_tokens import Signer
from gateway.store.database import transaction
from tests.support.office import Office
from workers.sending.render_mail import Mailing


def mails(office: Office) -> list[EmailMessage]:
    """Each post's mail to one mailbox, in order."""
    with transaction(office.engine) as session:
        ids = [int(row[0]) for row in office.sql("SELECT id FROM messages WHERE post_id IS NOT NULL ORDER BY id")]
        contents = claims.contents(session, ids)
    mailing = Mailing(office.settings, Signer(office.settings.secret_keys))
    box = ClaimedDelivery(1, 1, 7, 1, "dave@demo.example", None, False, None, None, None, "en")
    loads = [mailing.load(box._replace(message_id=one), contents[one])[0] for one in ids]
    return [message_from_bytes(load.parcel.content, policy=policy.default) for load in loads]  # type: ignore[misc]


def test_replies_stand_below_what_they_answer(office: Office) -> None:
    office.says("sam", "follow kim")
    office.says("kim", "follow sam")
    office.work()
    office.says("kim", "starting the ACME proposal, and everything else that has to be done before the board meets")
    office.work()
    office.says("sam", "r good luck with that")
    office.work()
    office.says("kim", "r thanks, Sam")
    office.work()
    first, second, third = mails(office)
    assert first["Subject"].startswith("Kim Lee: starting the ACME proposal")
    assert [mail["Subject"] for mail in (second, third)] == [f"Re: {first['Subject']}"] * 2
    stands_for = [mail["References"].split()[-1] for mail in (first, second, third)]
    assert first["In-Reply-To"] is None
    assert (second["In-Reply-To"], third["In-Reply-To"]) == (stands_for[0], stands_for[1])
    assert third["References"].split() == stands_for
    assert len({mail["Message-ID"] for mail in (first, second, third)}) == 3
