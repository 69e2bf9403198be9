"""Mails whose sender is still to be proved: claimed with a lease, settled once. workers/mail_auth uses it.

Only one mail of a sender is in hand at a time, the oldest first, so that nobody's mails change places; a mail that is
put off holds up no other. Members' mails are claimed apart from strangers' and before them, so a flood of mails under
made-up names keeps no member waiting.
"""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from sqlalchemy import Row, func, select, text
from sqlalchemy.orm import Session

from gateway.channels import EMAIL
from gateway.ledger.inbox.inbox import CRASHES
from gateway.store.tables import Inbound

LOST: Final = "finding out who wrote it ended three workers"


class Unproved(NamedTuple):
    """A mail whose sender this worker may prove; `attempt` fences it against a worker that wakes up late."""

    id: int
    attempt: int
    sender: str
    recipients: list[str]
    raw: bytes
    received_at: datetime
    stranger: bool = False


def claim(session: Session, owner: str, lease: timedelta, members: int, strangers: int) -> Sequence[Unproved]:
    """Claims up to so many mails of each kind, the oldest first."""
    given = {"owner": owner, "lease": lease}
    theirs = session.execute(MEMBERS, given | {"limit": members}).all() if members > 0 else []
    others = session.execute(STRANGERS, given | {"limit": strangers}).all() if strangers > 0 else []
    return [*(_unproved(row) for row in theirs), *(_unproved(row, stranger=True) for row in others)]


def suspect(session: Session, owner: str, lease: timedelta) -> Unproved | None:
    """Claims one mail that ended a worker before: it is tried alone, so that no other is blamed for it."""
    row = session.execute(SUSPECT, {"owner": owner, "lease": lease, "limit": 1}).one_or_none()
    return _unproved(row) if row else None


def _unproved(row: Row[Any], *, stranger: bool = False) -> Unproved:
    return Unproved(row.id, row.attempt, row.sender, row.recipients, row.raw, row.received_at, stranger)


def take(session: Session, one: Unproved) -> Inbound | None:
    """The row, locked; None when it is no longer this worker's."""
    mine = select(Inbound).where(Inbound.id == one.id, Inbound.attempt == one.attempt, Inbound.state == "unproved")
    return session.scalars(mine.with_for_update()).one_or_none()


def end(row: Inbound, state: str, proof: str | None, reason: str | None) -> None:
    """Settles a mail. State `new`: it is read like any other; `held` or `dropped`: it is not. Its tries count from zero
    again."""
    row.state, row.proof, row.reason = state, proof, reason
    row.trusted = state == "new"
    if state == "dropped":
        row.done_at = func.now()
    row.attempt, row.lease_until, row.lease_owner, row.not_before = 0, None, None, None


def find_asked(session: Session, inbound_id: int, sender: str, proof: str, life: timedelta) -> Inbound | None:
    """A held mail of this sender, locked, while its proof says that they were asked about it, for so long at most."""
    own = select(Inbound).where(Inbound.id == inbound_id, Inbound.channel == EMAIL, Inbound.sender == sender)
    waiting = own.where(Inbound.state == "held", Inbound.proof == proof, Inbound.received_at > func.now() - life)
    return session.scalars(waiting.with_for_update()).one_or_none()


def confirm(row: Inbound, proof: str) -> None:
    """Lets a held mail in: its sender said that they wrote it."""
    row.state, row.proof, row.trusted, row.attempt = "new", proof, True, 0
    row.reason, row.not_before = None, func.now()  # it came long ago; the wait for us counts from now only


def deny(row: Inbound, reason: str) -> None:
    """Drops a held mail: its sender said that they did not write it."""
    row.state, row.reason, row.done_at = "dropped", reason, func.now()


def attribute(row: Inbound, account_id: int) -> None:
    """Notes whose mailbox a mail says that it is from."""
    row.account_id = account_id


def readdress(row: Inbound, recipients: Sequence[str]) -> None:
    """Replaces the addresses that a mail came to: a secret is not kept."""
    row.recipients = list(recipients)


def put_off(session: Session, row: Inbound, pause: timedelta) -> None:
    """Has the mail tried again, for DNS did not answer. This counts as no crash."""
    session.execute(PUT_OFF, {"id": row.id, "pause": pause})


def release(session: Session, given_back: Collection[Unproved], pause: timedelta = timedelta(0)) -> None:
    """Gives back what this worker claimed and did not end, to be claimed again after the pause. What another worker has
    by now stays with it."""
    for one in given_back:
        session.execute(RELEASE, {"id": one.id, "attempt": one.attempt, "pause": pause})


def expire(session: Session) -> list[int]:
    """Holds the mails that ended three workers for an operator, and returns their ids. No writer is told, for it is not
    known who wrote them."""
    return list(session.scalars(EXPIRE, {"reason": LOST}))


_CLAIM: Final = """
    WITH due AS (
        SELECT id FROM inbound i
        WHERE i.state = 'unproved' AND (i.not_before IS NULL OR i.not_before <= now())
          AND (i.lease_until IS NULL OR i.lease_until < now()) AND {which}
          AND NOT EXISTS (SELECT FROM inbound earlier
                          WHERE earlier.channel = i.channel AND earlier.sender = i.sender AND earlier.id < i.id
                            AND earlier.state = 'unproved'
                            AND (earlier.not_before IS NULL OR earlier.not_before <= now()))
        ORDER BY id LIMIT :limit FOR UPDATE OF i SKIP LOCKED
    )
    UPDATE inbound i SET attempt = attempt + 1, lease_until = now() + :lease, lease_owner = :owner
    FROM due WHERE i.id = due.id
    RETURNING i.id, i.attempt, i.sender, i.recipients, coalesce(i.raw, '') AS raw, i.received_at,
              set_config('synchronous_commit', 'off', true)
"""
_MEMBER: Final = """EXISTS (SELECT FROM addresses a WHERE a.channel = i.channel AND a.address = i.sender
                                  AND a.account_id IS NOT NULL)"""
MEMBERS: Final = text(_CLAIM.format(which=f"i.attempt = 0 AND {_MEMBER}"))
STRANGERS: Final = text(_CLAIM.format(which=f"i.attempt = 0 AND NOT {_MEMBER}"))
SUSPECT: Final = text(_CLAIM.format(which=f"i.attempt BETWEEN 1 AND {CRASHES - 1}"))
PUT_OFF: Final = text("""
    UPDATE inbound SET attempt = attempt - 1, lease_until = NULL, lease_owner = NULL, not_before = now() + :pause
    WHERE id = :id
""")
RELEASE: Final = text("""
    UPDATE inbound SET attempt = attempt - 1, lease_until = NULL, lease_owner = NULL,
        not_before = CASE WHEN CAST(:pause AS interval) > interval '0' THEN now() + CAST(:pause AS interval)
                          ELSE not_before END
    WHERE id = :id AND attempt = :attempt AND state = 'unproved'
""")
EXPIRE: Final = text(f"""
    UPDATE inbound SET state = 'held', reason = :reason, lease_until = NULL, lease_owner = NULL, attempt = 0,
        recipients = ARRAY(SELECT regexp_replace(one, '^post[-+.][a-z2-7]{{26,52}}@', 'post@', 'i')
                           FROM unnest(recipients) AS one)
    WHERE state = 'unproved' AND lease_until < now() AND attempt >= {CRASHES} RETURNING id
""")  # noqa: S608 (nothing of it comes from outside)
