"""Counts wrong codes and PINs by the person in whose name they came, and locks after five of them (R57).

The answers to all questions are checked through here, and so are those on the command line: the question, the phone or
mailbox, and code or PIN make no difference. A sender number can be forged, so a lock must cost its owner little: it
ends by itself, and it only stops confirming, and only over the channels by which the wrong ones came."""

from dataclasses import dataclass, replace
from datetime import timedelta
from math import ceil
from typing import Final

from sqlalchemy import Interval, func, select, text, type_coerce
from sqlalchemy.orm import Session

from gateway.channels import EMAIL
from gateway.errors import Refused
from gateway.i18n.phrases import Phrase, count, say
from gateway.i18n.refusals import refusal
from gateway.ledger.audit import audit_log
from gateway.network.conversation import notices
from gateway.network.people import accounts
from gateway.store.tables import Account, Lockout

TRIES: Final = 5
HOURS: Final = (1, 6, 24)  # of the first lock within a month, the second, and every further one
FORGOTTEN: Final = timedelta(days=1)  # after that, wrong ones that led to no lock
REMEMBERED: Final = timedelta(days=30)  # how long it counts that somebody was locked
MONTHLY: Final = 20  # wrong ones within REMEMBERED, whatever right ones came between
COMMAND_LINE: Final = "cli"  # the channel of codes that an operator types
WEB: Final = "web"  # of codes and PINs that somebody types on a page


@dataclass(frozen=True, slots=True)
class Counted:
    """The result of a wrong one: how many more may be wrong, or for how long confirming is locked."""

    left: int
    lock: timedelta | None
    monthly: bool = False  # locked because of all that were wrong within a month
    queues: frozenset[str] = frozenset()  # to wake, for those who are told of the lock


def locked_until(session: Session, account_id: int, channel: str) -> timedelta | None:
    """For how long confirming over this channel is locked; None when it is not."""
    left = select(type_coerce(Lockout.locked_until - func.now(), Interval)).where(Lockout.account_id == account_id)
    return session.scalar(left.where(Lockout.locked_until > func.now(), Lockout.channels.contains([channel])))


def hold(session: Session, account_id: int, channel: str) -> timedelta | None:
    """As `locked_until`, for a caller that is about to check an answer. Others who do so for the same person wait until
    this transaction ends: however many answers come at once, no more than five are checked."""
    left: timedelta | None = session.scalar(HOLD, {"account": account_id, "channel": channel})
    return left


def count_wrong(session: Session, account: Account, channel: str, kind: str) -> Counted:
    """A wrong one, in the audit, too; of a lock its owner and the operators are told. `kind`: code or pin."""
    audit_log.record(session, f"@{account.handle}", f"{kind}.wrong", account.id)
    counted = record_wrong(session, account.id, channel)
    return replace(counted, queues=_tell(session, account, channel, kind, counted)) if counted.lock else counted


def record_wrong(session: Session, account_id: int, channel: str) -> Counted:
    """Counts a wrong one. It is in the audit already, by which those of a month are counted. While one channel is
    locked, the first wrong one over another locks that as well."""
    given = {"account": account_id, "channel": channel, "tries": TRIES, "hours": list(HOURS)}
    spans = {"forgotten": FORGOTTEN, "remembered": REMEMBERED, "most": MONTHLY}
    hold(session, account_id, channel)
    row = session.execute(WRONG, given | spans).one()
    return Counted(
        max(0, min(TRIES - row.wrong, MONTHLY - row.month)), row.lock, row.wrong < TRIES and row.month >= MONTHLY
    )


def record_right(session: Session, account_id: int) -> None:
    """Resets the count after a right answer; a lock over another channel stays."""
    session.execute(RIGHT, {"account": account_id})


def unlock(session: Session, account_id: int) -> bool:
    """Unlocks by an operator's decision; False when nothing was counted."""
    return session.execute(UNLOCK, {"account": account_id}).first() is not None


def _tell(session: Session, account: Account, channel: str, kind: str, counted: Counted) -> frozenset[str]:
    """Records a lock in the audit, and tells its owner on another channel, and the operators. Returns the queues to
    wake."""
    assert counted.lock is not None
    audit_log.record(session, f"@{account.handle}", f"{kind}.locked", account.id, {"channel": channel})
    notice, to_operators = _notices(account.handle, hours(counted.lock), monthly=counted.monthly)
    queues = notices.tell_elsewhere(session, account.id, channel, notice)
    return queues | notices.tell(session, accounts.operators(session) - {account.id}, to_operators)


def _notices(handle: str | None, hours: Phrase, *, monthly: bool) -> tuple[Phrase, Phrase]:
    """(to its owner, to operators)"""
    if monthly:
        return say(
            "Twenty wrong codes or PINs came in your name in 30 days, @{handle}. Nothing can be confirmed there "
            "for {hours}. Was that not you? Tell an operator.",
            handle=handle,
            hours=hours,
        ), say(
            "Twenty wrong codes or PINs came for @{handle} in 30 days: locked for {hours}. "
            "To unlock: critter people unlock {handle}",
            handle=handle,
            hours=hours,
        )
    return say(
        "Five wrong codes or PINs came in your name, @{handle}. Nothing can be confirmed there "
        "for {hours}. Was that not you? Tell an operator.",
        handle=handle,
        hours=hours,
    ), say(
        "Five wrong codes or PINs came for @{handle}: locked for {hours}. To unlock: critter people unlock {handle}",
        handle=handle,
        hours=hours,
    )


def refuse(session: Session, account_id: int, channel: str, lock: timedelta) -> Refused:
    """What a person who is locked is answered: for how long, and what is still possible."""
    if notices.elsewhere(session, account_id, channel) is None:
        return refusal("locked", hours=hours(lock))
    return refusal("locked_by_mail" if channel == EMAIL else "locked_by_text", hours=hours(lock))


def hours(lock: timedelta) -> Phrase:
    return count("{count} hour", "{count} hours", max(1, ceil(lock.total_seconds() / 3600)))


HOLD: Final = text("""
    INSERT INTO lockouts (account_id) VALUES (:account)
    ON CONFLICT (account_id) DO UPDATE SET account_id = excluded.account_id
    RETURNING CASE WHEN locked_until > now() AND :channel = ANY (channels) THEN locked_until - now() END
""")

WRONG: Final = text("""
    WITH before AS (
        SELECT account_id, over, CASE WHEN over THEN 0 ELSE wrong END AS wrong,
               CASE WHEN over THEN '{}' ELSE channels END AS channels,
               CASE WHEN wrong_at < now() - CAST(:remembered AS interval) THEN 0 ELSE locks END AS locks
        FROM (SELECT *, coalesce(locked_until, wrong_at + CAST(:forgotten AS interval)) <= now() AS over
              FROM lockouts WHERE account_id = :account FOR UPDATE) AS row
    ), month AS MATERIALIZED (
        SELECT count(*) AS wrong FROM audit
        WHERE id >= id_at(now() - CAST(:remembered AS interval)) AND subject_id = :account
          AND action IN ('pin.wrong', 'code.wrong')
          AND id > coalesce((SELECT max(id) FROM audit
                             WHERE id >= id_at(now() - CAST(:remembered AS interval)) AND subject_id = :account
                               AND action IN ('people.unlock', 'people.pin')), 0)
    )
    UPDATE lockouts l
    SET wrong = before.wrong + 1, wrong_at = now(),
        channels = CASE WHEN :channel = ANY (before.channels) THEN before.channels
                        ELSE before.channels || CAST(:channel AS text) END,
        locks = before.locks + CASE WHEN l.locked_until > now() THEN 0
                                    WHEN before.wrong + 1 >= :tries OR month.wrong >= :most THEN 1 ELSE 0 END,
        locked_until = CASE WHEN l.locked_until > now() THEN l.locked_until
                            WHEN before.wrong + 1 < :tries AND month.wrong < :most THEN NULL
                            ELSE now() + make_interval(hours => (CAST(:hours AS int[]))[
                                least(before.locks + 1, array_length(CAST(:hours AS int[]), 1))]) END
    FROM before, month WHERE l.account_id = before.account_id
    RETURNING l.wrong, l.locked_until - now() AS lock, month.wrong AS month
""")

RIGHT: Final = text("""
    UPDATE lockouts SET wrong = 0, channels = '{}', locked_until = NULL
    WHERE account_id = :account AND (locked_until IS NULL OR locked_until <= now())
""")

UNLOCK: Final = text("DELETE FROM lockouts WHERE account_id = :account RETURNING account_id")
