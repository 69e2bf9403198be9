"""The life of a phone number (R40): carriers give numbers that nobody uses any more to somebody else.

A phone that was silent for long is asked once whether it still belongs to its owner. Until it says yes nothing that
comes from it is done in its owner's name; after a grace period no text is sent there either, until it is proved again.
The clock asks and ends, `process` checks what comes from such a phone, workers/effects/address_effects suspends what
carriers call dead or given to somebody else.
"""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from gateway.channels import SMS
from gateway.i18n.phrases import Phrase, say, translated
from gateway.ledger.audit import audit_log
from gateway.ledger.outbox import cancellations, outbox
from gateway.ledger.outbox.outbox import Outgoing, Target
from gateway.network.conversation import notices
from gateway.network.people import accounts
from gateway.store.tables import Account, Address

GRACE: Final = timedelta(days=14)  # between the question and the end of texts
BATCH: Final = 200  # phones asked in one step, so that texts that people write need not wait
ASKED: Final = "address.ask"
BY: Final = "critter"
SILENT: Final = "silent"  # the reason of a suspension after an unanswered question


def is_silent(phone: Address, at: datetime, days: int) -> bool:
    """Whether the phone had been silent by then for so long that it may be somebody else's. 0 days: never."""
    last_seen = phone.seen_at or phone.created_at
    return days > 0 and phone.channel == SMS and at - last_seen > timedelta(days=days)


def question(name: str) -> Phrase:
    """The question names its owner by their first name alone: whoever has the number now must be able to say no."""
    return say(
        "We have not heard from this phone for long. Are you still {name}? Reply YES. If not, "
        "ignore this: texts end in {days} days.",
        name=name.split()[0],
        days=GRACE.days,
    )


def ask(session: Session, days: int) -> frozenset[str]:
    """Asks the phones that are silent and were not asked since their last input. Returns the queues to wake."""
    rows = session.execute(DUE, {"days": days, "action": ASKED, "limit": BATCH}).all() if days else []
    for address_id, name, language in rows:
        words = translated(question(name), language)
        outbox.put(session, Outgoing("notice", words, words, words, priority=9), [Target(address_id, SMS)])
        audit_log.record(session, BY, ASKED, address_id)
    return frozenset({SMS}) if rows else frozenset()


def end(session: Session, days: int) -> frozenset[str]:
    """Suspends those that did not answer in time."""
    given = {"action": ASKED, "grace": GRACE, "limit": BATCH}
    queues: set[str] = set()
    for row in session.scalars(select(Address).from_statement(UNANSWERED), given).all() if days else []:
        queues |= suspend(session, row, SILENT)
    return frozenset(queues)


def suspend(session: Session, phone: Address, reason: str) -> frozenset[str]:
    """Suspends the phone: no text is sent there, and nothing that comes from there counts, until it is proved again.
    What waited is sent by mail. Its owner is told in their mailbox; for an owner without one the operators are. Returns
    the queues to wake."""
    phone.state = "suspended"
    session.flush()
    cancellations.cancel_open(session, select(Address.id).where(Address.id == phone.id), "suspended")
    audit_log.record(session, BY, "address.suspend", phone.id, {"reason": reason})
    owner = session.get(Account, phone.account_id) if phone.account_id else None
    return _tell(session, owner, phone) if owner and owner.state == "active" else frozenset()


def _tell(session: Session, owner: Account, phone: Address) -> frozenset[str]:
    if notices.elsewhere(session, owner.id, phone.channel):
        notice = say(
            "We no longer text your phone ending in {digits}: it has been silent for long, or its "
            "carrier says that it is gone. Your mails go on. Is it still yours? Reply LOGIN, and "
            "text us the code from that phone.",
            digits=phone.address[-2:],
        )
        return notices.tell_elsewhere(session, owner.id, phone.channel, notice)
    notice = say(
        "We no longer text the phone of @{handle}, who has no mailbox. Ask them, then run: "
        "critter people link {handle}",
        handle=owner.handle,
    )
    return notices.tell(session, accounts.operators(session) - {owner.id}, notice)


# A phone is asked once for each silence: any input from it begins a new one.
DUE: Final = text("""
    SELECT a.id, p.name, p.language
    FROM addresses a JOIN accounts p ON p.id = a.account_id AND p.state = 'active'
    WHERE a.channel = 'sms' AND a.state = 'verified'
      AND coalesce(a.seen_at, a.created_at) < now() - make_interval(days => :days)
      AND NOT EXISTS (
        SELECT FROM audit WHERE action = :action AND subject_id = a.id
          AND created_at > coalesce(a.seen_at, a.created_at))
    ORDER BY a.id LIMIT :limit FOR UPDATE OF a SKIP LOCKED
""")

# The last question counts: one that was answered is older than the last input.
UNANSWERED: Final = text("""
    SELECT a.* FROM addresses a
    WHERE a.channel = 'sms' AND a.state = 'verified' AND EXISTS (
        SELECT FROM audit WHERE action = :action AND subject_id = a.id
          AND created_at > coalesce(a.seen_at, a.created_at) AND created_at < now() - CAST(:grace AS interval))
    ORDER BY a.id LIMIT :limit FOR UPDATE OF a SKIP LOCKED
""")
