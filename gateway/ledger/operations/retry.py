"""Retry by an operator: rows that ended badly are put back, held inputs are let in. `critter retry` and `critter held`
use it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session

from gateway.errors import Refused
from gateway.ledger.audit import audit_log
from gateway.ledger.inbox import inbox
from gateway.ledger.outbox import digest_items
from gateway.store.channel_sql import gives_up_after
from gateway.store.tables import Inbound

BADLY: Final = ("failed", "unknown")  # how a delivery must have ended to be put back
LARGEST: Final = 2**63 - 1
ASIDE: Final = ("held", "quarantined")


class DeliveryStatus(NamedTuple):
    """One delivery and how it stands."""

    message_id: int
    address_id: int
    channel: str
    state: str
    reason: str | None


class HeldInput(NamedTuple):
    """One input that waits for an operator."""

    id: int
    channel: str
    state: str
    received_at: datetime
    sender: str
    reason: str | None


def deliveries(session: Session, message_id: int, address_id: int | None) -> Sequence[DeliveryStatus]:
    """One delivery, or without an address all of a message, locked."""
    return [DeliveryStatus(*row) for row in session.execute(STANDING, {"message": message_id, "address": address_id})]


def put_back(session: Session, rows: Sequence[DeliveryStatus], actor: str) -> frozenset[str]:
    """Puts back those that failed or stayed in doubt; each leaves when it is its turn in its lane. What may have
    arrived before is marked as a possible duplicate. Returns the channels whose workers to wake; raises Refused when
    there is nothing to put back."""
    badly = [row for row in rows if row.state in BADLY]
    if not badly:
        raise Refused(_nothing_to_retry(rows))
    queues = reopen(session, badly)
    for row in badly:
        was = {"address": str(row.address_id), "was": row.state, "reason": row.reason}
        audit_log.record(session, actor, "delivery.retry", row.message_id, was)
    return queues


def reopen(session: Session, rows: Sequence[DeliveryStatus]) -> frozenset[str]:
    """Puts these back; returns the channels whose workers to wake. The caller writes the audit."""
    keys = {"messages": [row.message_id for row in rows], "addresses": [row.address_id for row in rows]}
    session.execute(PUT_BACK, keys)
    digest_items.reopen(session, keys["messages"])
    return frozenset(row.channel for row in rows)


def _nothing_to_retry(rows: Sequence[DeliveryStatus]) -> str:
    if len(rows) != 1:
        return f"None of its {len(rows)} deliveries failed or is in doubt. Nothing to retry."
    why = f" ({rows[0].reason})" if rows[0].reason else ""
    return f"That delivery is {rows[0].state}{why}; only a failed one or one in doubt is retried."


def list_held(session: Session) -> Sequence[HeldInput]:
    """The inputs that wait for an operator, the oldest first."""
    return [HeldInput(*row) for row in session.execute(HELD)]


def read_one(session: Session, input_id: int) -> Inbound:
    """One input that waits for an operator; raises Refused for any other."""
    row = session.get(Inbound, input_id) if input_id <= LARGEST else None
    if row is None or row.state not in ASIDE:
        raise Refused(f"{input_id} is not held: critter held list shows what is.")
    return row


def readmit(session: Session, row: Inbound, actor: str) -> None:
    """Has a quarantined input read once more; raises Refused for any other."""
    if row.state == "held":
        raise Refused(f"That input is held ({row.reason}): critter held approve {row.id} lets it in.")
    if row.state != "quarantined":
        raise Refused(f"That input is {row.state}; only a quarantined one is retried.")
    decide(session, [row.id], "new", actor, "inbound.retry")


def decide(
    session: Session, ids: Sequence[int], state: str, actor: str, action: str, detail: Mapping[str, str] | None = None
) -> int:
    """Applies an operator's decision to held or quarantined inputs and records it in the audit; how many there were."""
    for row_id in ids:
        audit_log.record(session, actor, action, row_id, detail)
    return inbox.decide_held(session, ids, state)


STANDING: Final = text("""
    SELECT message_id, address_id, channel, state, reason FROM deliveries
    WHERE message_id = :message AND (CAST(:address AS bigint) IS NULL OR address_id = :address)
    ORDER BY address_id FOR UPDATE
""")

PUT_BACK: Final = text(f"""
    UPDATE deliveries d
    SET state = CASE WHEN d.attempt = 0 THEN 'queued' ELSE 'retry' END, reason = NULL, not_before = now(),
        give_up_at = now() + {gives_up_after("d.channel")},
        lease_until = NULL, lease_owner = NULL, ended_at = NULL,
        possible_duplicate = d.possible_duplicate OR EXISTS (
            SELECT FROM attempts a WHERE a.message_id = d.message_id AND a.address_id = d.address_id
            AND a.state IN ('sending', 'sent', 'delivered', 'unknown'))
    FROM unnest(CAST(:messages AS bigint[]), CAST(:addresses AS bigint[])) AS given (message_id, address_id)
    WHERE d.message_id = given.message_id AND d.address_id = given.address_id
""")  # noqa: S608

HELD: Final = text("""
    SELECT id, channel, state, received_at, sender, reason FROM inbound
    WHERE state IN ('held', 'quarantined') ORDER BY id
""")
