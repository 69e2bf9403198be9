"""What the doors accepted: stored once, read once, in each sender's order. Doors put, workers/inbound takes."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, cast

from sqlalchemy import CursorResult, TextClause, and_, bindparam, case, exists, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, aliased

from gateway.store.tables import Inbound, Installation, Media

CRASHES = 3  # a row that ended three workers is set aside (Mailman's rule)
OPEN = ("new", "working")


@dataclass(frozen=True, slots=True)
class Picture:
    """A file that the carrier keeps for us to fetch."""

    url: str
    content_type: str | None


@dataclass(frozen=True, slots=True)
class Incoming:
    """One text or mail at the door, its transport already checked. `identity` is what makes it the same one again."""

    channel: str
    identity: bytes
    sender: str
    recipients: tuple[str, ...]
    raw: bytes
    trusted: bool
    message_id: str | None = None
    text: str | None = None
    opt_out_type: str | None = None
    pictures: tuple[Picture, ...] = ()


@dataclass(frozen=True, slots=True)
class Claimed:
    """A row that this worker may work on; `attempt` fences it against one that wakes up late."""

    id: int
    attempt: int


def hash_key(session: Session) -> bytes:
    """What this installation mixes into every natural key."""
    return session.scalars(select(Installation.hash_key)).one()


def natural_key(key: bytes, identity: bytes) -> bytes:
    return hashlib.sha256(key + identity).digest()


def accept(session: Session, key: bytes, incoming: Sequence[Incoming]) -> dict[bytes, int]:
    """Stores those that are new; a repeat is the same success. Natural key → id of the new ones."""
    seen = _message_ids_seen(session, incoming)
    rows = [_row(key, one, seen) for one in incoming]
    statement = insert(Inbound).on_conflict_do_nothing().returning(Inbound.natural_key, Inbound.id)
    new = {found.natural_key: found.id for found in session.execute(statement, rows)}
    _accept_pictures(session, key, incoming, new)
    return new


def _row(key: bytes, one: Incoming, seen: set[str]) -> dict[str, Any]:
    return {
        "channel": one.channel,
        "natural_key": natural_key(key, one.identity),
        "sender": one.sender,
        "recipients": list(one.recipients),
        "message_id": one.message_id,
        "text": one.text,
        "raw": one.raw,
        "trusted": one.trusted,
        "opt_out_type": one.opt_out_type,
        "flagged": one.channel == "email" and one.message_id in seen,
        "state": "new" if one.trusted else "held",
        "reason": None if one.trusted else "the sender is not proved",
    }


def _message_ids_seen(session: Session, incoming: Sequence[Incoming]) -> set[str]:
    ids = [one.message_id for one in incoming if one.channel == "email" and one.message_id]
    if not ids:
        return set()
    found = session.scalars(select(Inbound.message_id).where(Inbound.message_id.in_(ids)))
    return {message_id for message_id in found if message_id}


def _accept_pictures(session: Session, key: bytes, incoming: Sequence[Incoming], new: dict[bytes, int]) -> None:
    rows = [
        {"inbound_id": new[found], "number": number, "url": picture.url, "content_type": picture.content_type}
        for one in incoming
        if one.pictures and (found := natural_key(key, one.identity)) in new
        for number, picture in enumerate(one.pictures)
    ]
    if rows:
        session.execute(insert(Media), rows)


def claim(session: Session, owner: str, lease: timedelta, limit: int) -> list[Claimed]:
    """Up to `limit` of the oldest rows whose senders no other worker has in hand; they are to be taken in this order.
    A row that once ended a worker is claimed alone, and only as the oldest of its sender."""
    values = {"owner": owner, "lease": lease}
    return _claim(session, FRESH, {**values, "limit": limit}) or _claim(session, AGAIN, {**values, "limit": 1})


def _claim(session: Session, statement: TextClause, values: dict[str, Any]) -> list[Claimed]:
    rows = session.execute(statement, values)
    return sorted((Claimed(row.id, row.attempt) for row in rows), key=lambda claimed: claimed.id)


def take(session: Session, claimed: Claimed) -> Inbound | None:
    """The row itself, locked for this transaction; None when it is no longer this worker's, or when it is given back
    because an earlier row of its sender is still open: follow and leave never change places."""
    found = session.execute(MINE, {"id": claimed.id, "attempt": claimed.attempt}).one_or_none()
    if found is None:
        return None
    row, too_early = found
    if too_early:
        release(session, [claimed])
        return None
    return row


def finish(
    session: Session, row: Inbound, state: str, intent: str | None, reason: str | None, account_id: int | None
) -> None:
    """Commits with the effects: how the row ended."""
    ended = {"id": row.id, "state": state, "intent": intent, "reason": reason, "account": account_id}
    session.execute(FINISH, ended)


def release(session: Session, claimed: Sequence[Claimed]) -> None:
    """Gives back what this worker claimed and did not begin; that was no crash."""
    ids = [one.id for one in claimed]
    given_back = update(Inbound).where(Inbound.id.in_(ids), Inbound.state == "working")
    session.execute(given_back.values(state="new", attempt=Inbound.attempt - 1, lease_until=None, lease_owner=None))


def expire(session: Session) -> tuple[int, list[int]]:
    """Rows whose worker is gone: (how many may be claimed again, ids of those set aside after the third time)."""
    late = and_(Inbound.state == "working", Inbound.lease_until < func.now())
    state = case((Inbound.attempt >= CRASHES, "quarantined"), else_="new")
    expired = update(Inbound).where(late).values(state=state, lease_until=None, lease_owner=None)
    rows = session.execute(
        expired.returning(Inbound.id, Inbound.state), execution_options={"synchronize_session": False}
    ).all()
    aside = [row.id for row in rows if row.state == "quarantined"]
    return len(rows) - len(aside), aside


def oldest_age(session: Session) -> timedelta:
    """The age of the oldest accepted input that nobody has finished: the one number of health."""
    oldest = select(func.min(Inbound.received_at)).where(Inbound.state.in_(OPEN)).scalar_subquery()
    age = session.scalar(select(func.now() - oldest))
    return age if age is not None else timedelta(0)


def decide_held(session: Session, ids: Sequence[int] | None, state: str) -> int:
    """An operator's word on held or quarantined rows (all of them without `ids`): `new` approves, `dropped` drops."""
    chosen = update(Inbound).where(Inbound.state.in_(["held", "quarantined"]))
    if ids is not None:
        chosen = chosen.where(Inbound.id.in_(ids))
    result = session.execute(chosen.values(state=state, attempt=0, trusted=state == "new"))
    return cast("CursorResult[Any]", result).rowcount


# Statements of every text that comes in are written out: to put them together takes as long as to run them.
_CLAIM = """
    WITH due AS (
        SELECT id FROM inbound i
        WHERE state IN ('new', 'working') AND {which}
          AND NOT EXISTS (SELECT FROM inbound earlier
                          WHERE earlier.channel = i.channel AND earlier.sender = i.sender AND earlier.id < i.id
                            AND earlier.state {earlier})
        ORDER BY id LIMIT :limit FOR UPDATE SKIP LOCKED
    )
    UPDATE inbound i SET state = 'working', attempt = attempt + 1, lease_until = now() + :lease, lease_owner = :owner
    FROM due WHERE i.id = due.id
    RETURNING i.id, i.attempt
"""
FRESH: Final = text(_CLAIM.format(which="state = 'new' AND attempt = 0", earlier="= 'working'"))
AGAIN: Final = text(
    _CLAIM.format(
        which=f"attempt BETWEEN 1 AND {CRASHES - 1} AND (state = 'new' OR lease_until < now())",
        earlier="IN ('new', 'working')",
    )
)
_earlier = aliased(Inbound)
MINE: Final = (
    select(
        Inbound,
        exists().where(
            _earlier.channel == Inbound.channel,
            _earlier.sender == Inbound.sender,
            _earlier.id < Inbound.id,
            _earlier.state.in_(OPEN),
        ),
    )
    .where(Inbound.id == bindparam("id"), Inbound.attempt == bindparam("attempt"), Inbound.state == "working")
    .with_for_update(of=Inbound)
)
FINISH: Final = text("""
    UPDATE inbound
    SET state = :state, intent = :intent, reason = :reason, account_id = :account, lease_until = NULL,
        lease_owner = NULL, done_at = now()
    WHERE id = :id
""")
