"""Keeps the bounce score of each mailbox, warns its owner, stops its mails, and finds out whether it works again.

gateway/inbound/bounce_intake reports each bounce; the clock (workers/upkeep/scheduler) has test mails sent; `critter
people` shows and clears. A hard bounce counts 1, a soft one 0.5. From 5 on nothing is sent to the mailbox:
delivery_decisions.find asks `bouncing_since` when a mail is about to leave. After seven days without a bounce the
score begins anew; a proved mail from the mailbox resets it.
"""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from sqlalchemy import delete, func, select, text, update
from sqlalchemy.orm import Session

from gateway.i18n.phrases import say, translated
from gateway.ledger.outbox import attempt_reports, cancellations, outbox
from gateway.ledger.outbox.attempt_reports import AttemptReport, Step
from gateway.ledger.outbox.outbox import Outgoing, Target
from gateway.mail.bounces import status_codes
from gateway.mail.bounces.dsn import BounceReport
from gateway.mail.bounces.failure_reasons import describe_failure
from gateway.network.people import addresses
from gateway.store.tables import Account, Address, Bouncing

WEIGHTS: Final = {"hard": 1.0, "soft": 0.5}
WARNS_AT: Final = 4.0  # no bounce counts more than 1, so that a warning always comes before the end
STOPS_AT: Final = 5.0
QUIET: Final = timedelta(days=7)
PROBES: Final = (
    timedelta(days=1),
    timedelta(days=3),
    timedelta(days=7),
    timedelta(days=14),
)  # each after the one before
ARRIVED: Final = timedelta(days=1)  # a test mail that has not come back by then has arrived
BATCH: Final = 200
OFF: Final = "bouncing"  # the reason of a mail that was not sent because of it

STEPS: Final[dict[str, Step]] = {
    "hard": "failed",
    "soft": "failed",
    "delivered": "delivered",
    "relayed": "sent",
}

log = logging.getLogger(__name__)


class BounceStatus(NamedTuple):
    """One mailbox, for the command line. `off_since`: since when nothing is sent there."""

    handle: str | None
    address: str
    score: float
    status: str
    bounced_at: datetime
    off_since: datetime | None
    probes: int
    probe_at: datetime | None


@dataclass(frozen=True, slots=True)
class CountedBounce:
    """What one bounce changed. `counted`: it was the first one of its delivery; `queues`: queues to wake after the
    commit."""

    counted: bool = False
    queues: frozenset[str] = frozenset()


def count_bounce(session: Session, message_id: int, address_id: int, bounce: BounceReport) -> CountedBounce:
    """Counts a mail that came back, or a report about where it is; the caller has checked its token."""
    step = STEPS.get(bounce.kind)
    latest = session.scalar(LATEST, {"message": message_id, "address": address_id}) if step else None
    if step and latest:
        reason = (bounce.status or status_codes.UNREAD) if step == "failed" else None
        attempt_reports.advance(session, [AttemptReport(latest, None, step, reason)])
    return _counted(session, message_id, address_id, bounce) if bounce.failed else CountedBounce()


def _counted(session: Session, message_id: int, address_id: int, bounce: BounceReport) -> CountedBounce:
    status = bounce.status or status_codes.UNREAD
    given = {"message": message_id, "address": address_id, "kind": bounce.kind, "status": status}
    if session.scalar(COUNT, given) is None:
        return CountedBounce()
    mailbox = session.get_one(Address, address_id, with_for_update=True)
    scored = {"address": address_id, "weight": WEIGHTS[bounce.kind], "status": status, "quiet": QUIET}
    session.execute(SCORE, scored)
    row = session.get_one(Bouncing, address_id, populate_existing=True)
    if mailbox.bouncing_since is not None:
        if row.probe_id == message_id:
            _wait(session, row)
        return CountedBounce(counted=True)
    queues = _warn(session, mailbox, row) if row.score >= WARNS_AT and row.warned_at is None else frozenset()
    if row.score >= STOPS_AT:
        _stop(session, mailbox, row)
    return CountedBounce(True, queues)


def _warn(session: Session, mailbox: Address, row: Bouncing) -> frozenset[str]:
    """Warns the owner by text, because a mail would come back. Without a phone that takes texts an operator has to
    act."""
    row.warned_at = _now(session)
    phone = addresses.primary(session, mailbox.account_id, "sms") if mailbox.account_id else None
    if phone is None or phone.state != "verified" or mailbox.account_id is None:
        log.error("mails to a mailbox come back, and no phone of its owner takes texts: address %d", mailbox.id)
        return frozenset()
    warning = say(
        "Mails to your mailbox come back: {why}. If this goes on, we stop sending them until a "
        "test mail arrives or you write from it.",
        why=describe_failure("failed", row.status, "email"),
    )
    said = translated(warning, session.get_one(Account, mailbox.account_id).language)
    notice = Outgoing("notice", said, said, said, priority=2)
    outbox.put(session, notice, [Target(phone.id, phone.channel)])
    return frozenset({"sms"})


def _stop(session: Session, mailbox: Address, row: Bouncing) -> None:
    mailbox.bouncing_since = _now(session)
    row.probes, row.probe_id = 0, None
    _wait(session, row)
    session.flush()
    cancellations.cancel_open(session, select(Address.id).where(Address.id == mailbox.id), OFF)
    log.warning("mailbox switched off: its mails come back (%s): address %d", row.status, mailbox.id)


def _wait(session: Session, row: Bouncing) -> None:
    """Sets the time of the next test mail. After the last one only its owner, or an operator, switches the mailbox on:
    a mailbox that nobody has read for weeks may belong to somebody else by now."""
    row.probe_id = None
    row.probe_at = _now(session) + PROBES[row.probes] if row.probes < len(PROBES) else None


def _now(session: Session) -> datetime:
    return session.scalars(select(func.now())).one()


def turn_on(session: Session, address_id: int) -> bool:
    """Resets the score; True when the mailbox was off."""
    changed = update(Address).where(Address.id == address_id, Address.bouncing_since.is_not(None))
    on = session.scalars(changed.values(bouncing_since=None).returning(Address.id)).all()
    session.execute(delete(Bouncing).where(Bouncing.address_id == address_id))
    return bool(on)


def probe(session: Session) -> frozenset[str]:
    """Does what is due: mailboxes whose test mail did not come back are on again, the others get their next one."""
    given = {"limit": BATCH, "arrived": ARRIVED}
    for address_id in session.scalars(JUDGED, given).all():
        turn_on(session, address_id)
        log.info("mailbox switched on again: its test mail did not come back: address %d", address_id)
    for row in session.scalars(select(Bouncing).from_statement(UNSENT), given).all():
        _wait(session, row)
    session.flush()
    due = session.execute(DUE, given).all()
    for address_id, language in due:
        _send_probe(session, address_id, language)
    return frozenset({"email"}) if due else frozenset()


def _send_probe(session: Session, address_id: int, language: str) -> None:
    row = session.get_one(Bouncing, address_id)
    subject = say("Does this mailbox work again?")
    body = say(
        "Mails to this mailbox came back ({why}), so we stopped sending them. This is a test: if "
        "it does not come back too, your mails start again tomorrow. To get them at once, write "
        "to us from here.",
        why=describe_failure("failed", row.status, "email"),
    )
    title, words = translated(subject, language), translated(body, language)
    row.probe_id = outbox.put(
        session, Outgoing("notice", words, title, words, priority=9), [Target(address_id, "email")]
    )
    row.probe_at, row.probes = _now(session) + ARRIVED, row.probes + 1
    session.flush()


def list_statuses(session: Session) -> list[BounceStatus]:
    """Those that are off, then those that bounce now and then."""
    return [BounceStatus(*row) for row in session.execute(STANDINGS, {"quiet": QUIET})]


LATEST: Final = text("""
    SELECT id FROM attempts WHERE message_id = :message AND address_id = :address ORDER BY number DESC LIMIT 1
""")

# Only a delivery that was tried can bounce. A late copy of a bounce finds the row and changes nothing.
COUNT: Final = text("""
    INSERT INTO bounces (message_id, address_id, kind, status)
    SELECT d.message_id, d.address_id, :kind, :status
    FROM deliveries d JOIN messages m ON m.id = d.message_id JOIN addresses a ON a.id = d.address_id
    WHERE d.message_id = :message AND d.address_id = :address AND d.channel = 'email' AND d.attempt > 0
    ON CONFLICT DO NOTHING RETURNING message_id
""")

SCORE: Final = text("""
    INSERT INTO bouncing AS b (address_id, score, status) VALUES (:address, :weight, :status)
    ON CONFLICT (address_id) DO UPDATE
    SET score = excluded.score + CASE WHEN b.bounced_at > now() - CAST(:quiet AS interval) OR b.probe_at IS NOT NULL
                                      THEN b.score ELSE 0 END,
        warned_at = CASE WHEN b.bounced_at > now() - CAST(:quiet AS interval) THEN b.warned_at END,
        status = excluded.status, bounced_at = now()
""")

# A test mail counts as arrived a day after it left.
JUDGED: Final = text("""
    SELECT b.address_id FROM bouncing b
    JOIN deliveries d ON d.message_id = b.probe_id AND d.address_id = b.address_id
    WHERE b.probe_at <= now() AND d.state IN ('sent', 'delivered') AND d.sent_at <= now() - CAST(:arrived AS interval)
    ORDER BY b.address_id LIMIT :limit FOR UPDATE OF b SKIP LOCKED
""")

# A test mail that could not be sent at all counts like one that came back.
UNSENT: Final = text("""
    SELECT b.* FROM bouncing b
    WHERE b.probe_at <= now() AND b.probe_id IS NOT NULL AND NOT EXISTS (
        SELECT FROM deliveries d WHERE d.message_id = b.probe_id AND d.address_id = b.address_id
          AND (d.ended_at IS NULL OR d.state IN ('sent', 'delivered')))
    ORDER BY b.address_id LIMIT :limit FOR UPDATE OF b SKIP LOCKED
""")

DUE: Final = text("""
    SELECT b.address_id, coalesce(reader.language, 'en') FROM bouncing b
    JOIN addresses a ON a.id = b.address_id AND a.bouncing_since IS NOT NULL
    LEFT JOIN accounts reader ON reader.id = a.account_id
    WHERE b.probe_at <= now() AND b.probe_id IS NULL
    ORDER BY b.address_id LIMIT :limit FOR UPDATE OF b SKIP LOCKED
""")

STANDINGS: Final = text("""
    SELECT p.handle, a.address, b.score, b.status, b.bounced_at, a.bouncing_since, b.probes, b.probe_at
    FROM bouncing b JOIN addresses a ON a.id = b.address_id LEFT JOIN accounts p ON p.id = a.account_id
    WHERE a.bouncing_since IS NOT NULL OR b.bounced_at > now() - CAST(:quiet AS interval)
    ORDER BY a.bouncing_since IS NULL, p.handle, a.id
""")
