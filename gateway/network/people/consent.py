"""Consent and opt-outs as they were said, for operators and the law; and texts that may be a refusal in other words.

`critter consent` asks; `process` and `unknown_senders` flag texts. What is flagged was read as usual: a person decides.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from gateway.channels import SMS
from gateway.errors import Refused
from gateway.language.opt_out.keywords import sounds_like_refusal
from gateway.network.people import addresses
from gateway.store.tables import Address, Inbound, Refusal

LARGEST: Final = 2**63 - 1


class ConsentRecord(NamedTuple):
    """One yes or no: whose, the exact words, to which of our numbers, the carrier's id, how it came, when."""

    id: int
    created_at: datetime
    kind: str
    address: str
    channel: str
    handle: str | None
    wording: str
    our_address: str | None
    carrier_id: str | None
    source: str


@dataclass(frozen=True, slots=True)
class FlaggedRefusal:
    """A text that may ask us to stop; `stopped`: its phone has opted out by now."""

    inbound_id: int
    address_id: int
    address: str
    handle: str | None
    received_at: datetime
    closed_at: datetime | None
    stopped: bool


def flag(session: Session, inbound: Inbound, address_id: int) -> bool:
    """Keeps a text for an operator to look at, when it sounds like a refusal; True when it does."""
    if inbound.channel != SMS or not sounds_like_refusal(inbound.text or ""):
        return False
    session.execute(insert(Refusal).values(inbound_id=inbound.id, address_id=address_id).on_conflict_do_nothing())
    return True


def list_records(session: Session, account_id: int | None = None, number: str | None = None) -> Iterator[ConsentRecord]:
    """All records, or one person's, or one number's, the oldest first. They are read while they are iterated, however
    many.

    The old rows of a number that has a new owner since are included."""
    rows = session.execute(KEPT, {"account": account_id, "number": number}, execution_options={"yield_per": 1000})
    return (ConsentRecord(*row) for row in rows)


def list_newest(session: Session, before: int | None, limit: int) -> list[ConsentRecord]:
    """The newest first, those before that id."""
    return [ConsentRecord(*row) for row in session.execute(NEWEST, {"before": before, "limit": limit})]


def list_flagged(session: Session, *, everything: bool = False) -> list[FlaggedRefusal]:
    """What waits for an operator, the oldest first; `everything`: the closed ones too."""
    return [FlaggedRefusal(**row) for row in session.execute(FLAGGED, {"all": everything, "one": None}).mappings()]


def read_one(session: Session, inbound_id: int) -> FlaggedRefusal:
    """An open or closed one; raises Refused."""
    known = 0 < inbound_id <= LARGEST
    row = session.execute(FLAGGED, {"all": True, "one": inbound_id}).mappings().first() if known else None
    if row is None:
        raise Refused(f"No text {inbound_id} is flagged: critter consent flagged shows those that are.")
    return FlaggedRefusal(**row)


def stop(session: Session, row: FlaggedRefusal) -> bool:
    """An operator decides that it was a refusal: the phone opts out with the words of the text. False when it was
    out."""
    inbound = session.get_one(Inbound, row.inbound_id)
    phone = session.get_one(Address, row.address_id, with_for_update=True)
    ours = inbound.recipients[0] if inbound.recipients else None
    first = phone.stopped_at is None
    if first:
        addresses.stop(session, phone, inbound.text or "", ours, inbound.message_id, "operator")
    close(session, row.inbound_id)
    return first


def close(session: Session, inbound_id: int) -> bool:
    """Closes it when an operator is done with it; False when it was closed before."""
    return bool(session.execute(CLOSE, {"one": inbound_id}).all())


_RECORDS: Final = """
    SELECT c.id, c.created_at, c.kind, split_part(a.address, ' until ', 1), a.channel, p.handle, c.wording,
           c.our_address, c.carrier_id, c.source
    FROM consent c JOIN addresses a ON a.id = c.address_id LEFT JOIN accounts p ON p.id = a.account_id
"""
NEWEST: Final = text(
    _RECORDS + "WHERE CAST(:before AS bigint) IS NULL OR c.id < :before ORDER BY c.id DESC LIMIT :limit"
)
KEPT: Final = text(
    _RECORDS
    + """
    WHERE (CAST(:account AS bigint) IS NULL OR a.account_id = :account)
      AND (CAST(:number AS text) IS NULL OR split_part(a.address, ' until ', 1) = :number)
    ORDER BY c.id
"""
)

FLAGGED: Final = text("""
    SELECT r.inbound_id, r.address_id, split_part(a.address, ' until ', 1) AS address, p.handle,
           i.received_at, r.closed_at, a.stopped_at IS NOT NULL AS stopped
    FROM refusals r JOIN inbound i ON i.id = r.inbound_id JOIN addresses a ON a.id = r.address_id
    LEFT JOIN accounts p ON p.id = a.account_id
    WHERE (r.closed_at IS NULL OR :all) AND (CAST(:one AS bigint) IS NULL OR r.inbound_id = :one)
    ORDER BY r.inbound_id
""")

CLOSE: Final = text(
    "UPDATE refusals SET closed_at = now() WHERE inbound_id = :one AND closed_at IS NULL RETURNING inbound_id"
)
