"""The inbox: what the doors accepted, stored once and read once, in the order of each sender. The doors put rows in,
workers/inbound takes them."""

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple, cast

from sqlalchemy import (
    CursorResult,
    String,
    TextClause,
    and_,
    bindparam,
    case,
    exists,
    func,
    literal_column,
    select,
    text,
    tuple_,
    update,
)
from sqlalchemy.orm import Session, aliased

from gateway.ledger.commit import counters
from gateway.store.direct import NOT_WAITING
from gateway.store.tables import Inbound, Installation

CRASHES = 3  # a row that ended three workers is set aside (Mailman's rule)
OPEN = ("new", "working")
ORDERED: Final = timedelta(hours=1)  # how long, at most, a row that is put off holds up its sender's next rows


@dataclass(frozen=True, slots=True)
class Picture:
    """A file that the carrier keeps for us to fetch."""

    url: str
    content_type: str | None


@dataclass(frozen=True, slots=True)
class Incoming:
    """One text or mail at the door, its transport already checked. `identity`: a repeat of it has the same one."""

    channel: str
    identity: bytes
    sender: str
    recipients: tuple[str, ...]
    raw: bytes
    trusted: bool
    message_id: str | None = None
    text: str | None = None
    opt_out_type: str | None = None
    sent_at: datetime | None = None  # known when it did not come straight through the door
    pictures: tuple[Picture, ...] = ()
    proof: str | None = None  # mail: what proved its sender at the door


@dataclass(frozen=True, slots=True)
class ClaimedInput:
    """A row that this worker may work on; `attempt` fences it against a worker that wakes up late."""

    id: int
    attempt: int


def hash_key(session: Session) -> bytes:
    """The secret that this installation hashes into every natural key."""
    return session.scalars(select(Installation.hash_key)).one()


def natural_key(key: bytes, identity: bytes) -> bytes:
    return hashlib.sha256(key + identity).digest()


# One statement for a whole group, whatever its size: PostgreSQL plans it once, and it is a transaction by itself.
ACCEPT = """
WITH given AS (
    SELECT * FROM unnest(
        %(channel)b::text[], %(natural_key)b::bytea[], %(sender)b::text[], %(recipients)b::text[],
        %(message_id)b::text[], %(text)b::text[], %(raw)b::bytea[], %(trusted)b::boolean[], %(opt_out_type)b::text[],
        %(sent_at)b::timestamptz[], %(proof)b::text[]
    ) AS given (channel, natural_key, sender, recipients, message_id, text, raw, trusted, opt_out_type, sent_at, proof)
), new AS (
    INSERT INTO inbound (channel, natural_key, sender, recipients, message_id, text, raw, trusted, opt_out_type,
                         sent_at, flagged, state, reason, proof)
    SELECT channel, natural_key, sender, string_to_array(recipients, E'\\n'), message_id, text, raw, trusted,
           opt_out_type, sent_at,
           channel = 'email'
               AND (SELECT true FROM inbound b WHERE b.message_id = given.message_id LIMIT 1) IS NOT NULL,
           CASE WHEN trusted THEN 'new' WHEN channel = 'email' THEN 'unproved' ELSE 'held' END,
           CASE WHEN NOT trusted AND channel <> 'email' THEN 'the sender is not proved' END, proof
    FROM given
    ON CONFLICT DO NOTHING
    RETURNING natural_key, id
), pictures AS (
    INSERT INTO media (inbound_id, number, url, content_type)
    SELECT new.id, picture.number, picture.url, picture.content_type
    FROM unnest(%(owner)s::bytea[], %(number)s::smallint[], %(url)s::text[], %(content_type)s::text[])
         AS picture (natural_key, number, url, content_type)
    JOIN new USING (natural_key)
)
SELECT natural_key, id FROM new
"""


def accept(session: Session, key: bytes, incoming: Sequence[Incoming]) -> dict[bytes, int]:
    """Stores those that are new; a repeat is the same success. Returns natural key → id of the new ones."""
    given = rows(key, incoming)
    found = {row.natural_key: row.id for row in session.connection().exec_driver_sql(ACCEPT, given)}
    count_new(given, found)
    return found


def put_claimed(session: Session, one: Incoming) -> Inbound:
    """Writes a row as if the door had accepted it and a worker had claimed it: for `critter explain`, which takes
    everything back afterwards."""
    row = Inbound(
        channel=one.channel,
        natural_key=one.identity,
        sender=one.sender,
        recipients=list(one.recipients),
        text=one.text,
        raw=one.raw or None,
        trusted=one.trusted,
        state="working",
    )
    session.add(row)
    session.flush()
    return row


def count_new(given: dict[str, list[Any]], found: Collection[bytes]) -> None:
    """Counts those that were new, for /metrics."""
    for channel in set(given["channel"]):
        new = sum(
            each == channel for key, each in zip(given["natural_key"], given["channel"], strict=True) if key in found
        )
        counters.add("accepted", channel, amount=new)


def known(session: Session, key: bytes, channel: str, identities: Sequence[bytes]) -> set[bytes]:
    """Which of these are in the inbox already."""
    keys = {natural_key(key, identity): identity for identity in identities}
    there = select(Inbound.natural_key).where(Inbound.channel == channel, Inbound.natural_key.in_(keys))
    return {keys[found] for found in session.scalars(there)}


def rows(key: bytes, incoming: Sequence[Incoming]) -> dict[str, list[Any]]:
    """What ACCEPT takes: a list for each column."""
    keys = [natural_key(key, one.identity) for one in incoming]
    return _pictures(keys, incoming) | {
        "channel": [one.channel for one in incoming],
        "natural_key": keys,
        "sender": [one.sender for one in incoming],
        "recipients": ["\n".join(one.recipients) for one in incoming],
        "message_id": [one.message_id for one in incoming],
        "text": [one.text for one in incoming],
        "raw": [one.raw for one in incoming],
        "trusted": [one.trusted for one in incoming],
        "opt_out_type": [one.opt_out_type for one in incoming],
        "sent_at": [one.sent_at for one in incoming],
        "proof": [one.proof for one in incoming],
    }


def _pictures(keys: Sequence[bytes], incoming: Sequence[Incoming]) -> dict[str, list[Any]]:
    numbered = [(key, *each) for key, one in zip(keys, incoming, strict=True) for each in enumerate(one.pictures)]
    return {
        "owner": [key for key, _, _ in numbered],
        "number": [number for _, number, _ in numbered],
        "url": [picture.url for _, _, picture in numbered],
        "content_type": [picture.content_type for _, _, picture in numbered],
    }


def claim(session: Session, owner: str, lease: timedelta, limit: int) -> list[ClaimedInput]:
    """Claims up to `limit` of the oldest rows whose senders no other worker has in hand; they are to be taken in this
    order. A row that once ended a worker is claimed alone, and only as the oldest of its sender."""
    return claim_again(session, owner, lease) or _claim(
        session, FRESH, {"owner": owner, "lease": lease, "limit": limit}
    )


def claim_again(session: Session, owner: str, lease: timedelta) -> list[ClaimedInput]:
    """Claims the oldest row that once ended a worker, if it is the oldest of its sender."""
    return _claim(session, AGAIN, {"owner": owner, "lease": lease, "limit": 1})


def _claim(session: Session, statement: TextClause, values: dict[str, Any]) -> list[ClaimedInput]:
    rows = session.execute(statement, values)
    return sorted((ClaimedInput(row.id, row.attempt) for row in rows), key=lambda claimed: claimed.id)


class Taken(NamedTuple):
    """A row. `behind`: when an earlier row of its sender that was put off is to be read. Follow and leave never change
    places, so only what need not wait for that row is read before it."""

    row: Inbound
    behind: datetime | None


def take(session: Session, claimed: ClaimedInput) -> Taken | None:
    """The row itself, locked for this transaction; None when it is no longer this worker's, or when it is given back
    because an earlier row of its sender is still open."""
    found = session.execute(MINE, {"id": claimed.id, "attempt": claimed.attempt}).one_or_none()
    if found is None:
        return None
    row, follows, _ = found
    if not follows:
        return Taken(row, None)
    who = {"channel": row.channel, "sender": row.sender, "id": row.id, "ordered": ORDERED}
    too_early, behind = session.execute(EARLIER, who).one()
    if too_early:
        release(session, [claimed])
        return None
    return Taken(row, behind)


BLOTTED = "••••"


def redact(row: Inbound) -> None:
    """Deletes the words of a row, because they are a PIN or a code; the row stays."""
    row.text, row.raw = (BLOTTED if row.text is not None else None), None


def finish(
    session: Session, row: Inbound, state: str, intent: str | None, reason: str | None, account_id: int | None
) -> None:
    """Writes how the row ended, in the transaction that commits its effects."""
    ended = {"id": row.id, "state": state, "intent": intent, "reason": reason, "account": account_id}
    session.execute(FINISH, ended)


def put_off(session: Session, row: Inbound, moment: datetime) -> None:
    """Has the row read at that moment: its sender wrote more than is read at once, or an earlier row is read then.
    This counts as no crash."""
    session.execute(PUT_OFF, {"id": row.id, "moment": moment})


def release(session: Session, claimed: Sequence[ClaimedInput], pause: timedelta = timedelta(0)) -> None:
    """Gives back what this worker claimed and did not end; this counts as no crash. Rows that another worker has by now
    stay with it, and rows that a sweep has taken back meanwhile do not count as a crash either. With a pause they are
    claimed again after it."""
    mine = tuple_(Inbound.id, Inbound.attempt).in_([(one.id, one.attempt) for one in claimed])
    given_back = update(Inbound).where(mine, Inbound.state.in_(OPEN))
    values: dict[str, Any] = {"state": "new", "attempt": Inbound.attempt - 1, "lease_until": None, "lease_owner": None}
    if pause:
        values["not_before"] = func.now() + pause
    session.execute(given_back.values(**values))


def expire(session: Session) -> tuple[int, list[int]]:
    """Ends the leases of workers that are gone: (how many rows may be claimed again, ids of those set aside after the
    third time)."""
    late = and_(Inbound.state == "working", Inbound.lease_until < func.now())
    state = case((Inbound.attempt >= CRASHES, "quarantined"), else_="new")
    expired = update(Inbound).where(late).values(state=state, lease_until=None, lease_owner=None)
    rows = session.execute(
        expired.returning(Inbound.id, Inbound.state), execution_options={"synchronize_session": False}
    ).all()
    aside = [row.id for row in rows if row.state == "quarantined"]
    return len(rows) - len(aside), aside


def oldest_age(session: Session) -> timedelta:
    """The age of the oldest accepted input that nobody has finished: the most important number of health."""
    due = func.coalesce(Inbound.not_before, Inbound.received_at)
    oldest = select(func.min(due)).where(due <= func.now())
    states = (Inbound.state.in_(OPEN), Inbound.state == "unproved")  # each has an index of its own
    age = session.scalar(select(func.now() - func.least(*(oldest.where(each).scalar_subquery() for each in states))))
    return age if age is not None else timedelta(0)


def decide_held(session: Session, ids: Sequence[int] | None, state: str) -> int:
    """Applies an operator's decision to held or quarantined rows (all of them without `ids`): the state `new` approves
    them, `dropped` drops them."""
    chosen = update(Inbound).where(Inbound.state.in_(["held", "quarantined"]))
    if ids is not None:
        chosen = chosen.where(Inbound.id.in_(ids))
    # A row that is let in is not checked again against the limits of its sender.
    judged = func.coalesce(Inbound.not_before, func.now())
    result = session.execute(chosen.values(state=state, attempt=0, trusted=state == "new", not_before=judged))
    return cast("CursorResult[Any]", result).rowcount


# The statements that run for every text are written out: building them with SQLAlchemy takes as long as running them.
# A claim need not wait for the disk, because a claim that is lost in a crash of the database is made again. The effects
# do wait.
# OFFSET 0 keeps the planner from turning the check of each sender into a join over all open rows.
_CLAIM = """due AS (
        SELECT id FROM inbound i
        WHERE state IN ('new', 'working') AND {which} AND (not_before IS NULL OR not_before <= now())
          AND NOT EXISTS (SELECT FROM inbound earlier
                          WHERE earlier.channel = i.channel AND earlier.sender = i.sender AND earlier.id < i.id
                            AND earlier.state IN ('new', 'working') AND {earlier}
                            AND (earlier.not_before IS NULL OR earlier.not_before <= now()) OFFSET 0)
        ORDER BY id LIMIT {{limit}} FOR UPDATE SKIP LOCKED
    ), claimed AS (
        UPDATE inbound i
        SET state = 'working', attempt = attempt + 1, lease_until = now() + :lease, lease_owner = :owner
        FROM due WHERE i.id = due.id
        RETURNING {{result}}
    )"""
_CLAIMED = f"i.id, i.attempt, {NOT_WAITING}"
CLAIM_FRESH: Final = _CLAIM.format(
    which="state = 'new' AND attempt = 0", earlier="(earlier.state = 'working' OR earlier.attempt > 0)"
)
CLAIM_AGAIN: Final = _CLAIM.format(
    which=f"attempt BETWEEN 1 AND {CRASHES - 1} AND (state = 'new' OR lease_until < now())", earlier="true"
)
FRESH: Final = text(f"WITH {CLAIM_FRESH.format(limit=':limit', result=_CLAIMED)} SELECT id, attempt FROM claimed")  # noqa: S608
AGAIN: Final = text(f"WITH {CLAIM_AGAIN.format(limit=':limit', result=_CLAIMED)} SELECT id, attempt FROM claimed")  # noqa: S608
_earlier = aliased(Inbound)
# The commit of what is read need not wait for the disk: the input is there and is read again if that is forgotten.
MINE: Final = (
    select(
        Inbound,
        exists().where(
            _earlier.channel == Inbound.channel,
            _earlier.sender == Inbound.sender,
            _earlier.id < Inbound.id,
            _earlier.state.in_(OPEN),
        ),
        literal_column(NOT_WAITING, String),
    )
    .where(Inbound.id == bindparam("id"), Inbound.attempt == bindparam("attempt"), Inbound.state == "working")
    .with_for_update(of=Inbound)
)
# Asked only for rows behind others. When a sender's program runs wild, many rows are behind thousands.
EARLIER: Final = text("""
    SELECT coalesce(bool_or(not_before IS NULL OR not_before <= now()), false) AS too_early,
           max(not_before) FILTER (WHERE id >= id_at(now() - :ordered)) AS behind
    FROM (SELECT id, not_before FROM inbound
          WHERE channel = :channel AND sender = :sender AND id < :id AND state IN ('new', 'working')
          ORDER BY id DESC LIMIT 100) AS earlier
""")
PUT_OFF: Final = text("""
    UPDATE inbound
    SET state = 'new', attempt = attempt - 1, lease_until = NULL, lease_owner = NULL, not_before = :moment
    WHERE id = :id
""")
FINISH: Final = text("""
    UPDATE inbound
    SET state = :state, intent = :intent, reason = :reason, account_id = :account, lease_until = NULL,
        lease_owner = NULL, done_at = now()
    WHERE id = :id
""")
