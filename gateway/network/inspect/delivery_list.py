"""Deliveries for operators: one page of them, the newest first, and how many of the last day are in which state. It
shows what kind of message it is and between whom, never its words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from gateway.network.inspect.delivery_search import DeliverySearch

PAGE: Final = 40
PATIENCE: Final = "5s"
LARGEST: Final = 2**63 - 1


class ListedDelivery(NamedTuple):
    """`kind`: of the message; for a post's copy `visibility` and `group_handle` say to whom it was."""

    message_id: int
    address_id: int
    channel: str
    state: str
    reason: str | None
    attempt: int
    parts: int | None
    micros: int | None
    created_at: datetime
    not_before: datetime
    sent_at: datetime | None
    ended_at: datetime | None
    kind: str
    visibility: str | None
    group_handle: str | None
    author_handle: str | None
    author_name: str | None
    reader_handle: str | None
    reader_name: str | None
    address: str
    instead: bool

    @property
    def id(self) -> str:
        return f"{self.message_id}:{self.address_id}"


@dataclass(frozen=True, slots=True)
class DeliveryPage:
    """`older`: the id from which the next page goes on; None on the last one."""

    rows: Sequence[ListedDelivery]
    older: str | None


def list_deliveries(session: Session, wanted: DeliverySearch, before: str = "") -> DeliveryPage | None:
    """None when the search takes too long: it must say more."""
    message, _, address = before.partition(":")
    given = {
        "states": list(wanted.states) or None,
        "name": wanted.name, "to": wanted.to, "by": wanted.by, "code": wanted.code, "channel": wanted.channel,
        "since": wanted.since, "until": wanted.until,
        "message": _id(message), "address": _id(address), "limit": PAGE + 1,
    }  # fmt: skip
    try:
        with session.begin_nested():
            session.execute(text(f"SET LOCAL statement_timeout = '{PATIENCE}'"))
            rows = [ListedDelivery(*row) for row in session.execute(LISTED, given)]
            session.execute(text("RESET statement_timeout"))
    except OperationalError:
        return None
    shown = rows[:PAGE]
    return DeliveryPage(shown, shown[-1].id if len(rows) > PAGE else None)


def _id(given: str) -> int:
    return int(given) if given.isascii() and given.isdecimal() and int(given) <= LARGEST else LARGEST


def count_states(session: Session) -> Mapping[str, int]:
    """Of the deliveries that were made within a day."""
    return {row.state: row.rows for row in session.execute(STATES)}


LISTED: Final = text("""
    SELECT d.message_id, d.address_id, d.channel, d.state, d.reason, d.attempt, d.segments, paid.micros, d.created_at,
           d.not_before, d.sent_at, d.ended_at, m.kind, p.visibility, g.handle, author.handle, author.name,
           reader.handle, reader.name, split_part(a.address, ' until ', 1), m.instead_of IS NOT NULL
    FROM deliveries d
    JOIN messages m ON m.id = d.message_id
    JOIN addresses a ON a.id = d.address_id
    LEFT JOIN posts p ON p.id = m.post_id
    LEFT JOIN accounts g ON g.id = p.group_id
    LEFT JOIN accounts author ON author.id = m.author_id
    LEFT JOIN accounts reader ON reader.id = a.account_id
    LEFT JOIN LATERAL (
        SELECT sum(coalesce(c.billed, c.micros)) AS micros
        FROM attempts t JOIN charges c ON c.attempt_id = t.id
        WHERE t.message_id = d.message_id AND t.address_id = d.address_id) AS paid ON true
    WHERE (d.message_id, d.address_id) < (:message, :address)
      AND (CAST(:states AS text[]) IS NULL OR d.state = ANY (CAST(:states AS text[])))
      AND (CAST(:since AS timestamptz) IS NULL OR d.message_id >= id_at(CAST(:since AS timestamptz)))
      AND (CAST(:until AS timestamptz) IS NULL OR d.message_id < id_at(CAST(:until AS timestamptz)))
      AND (CAST(:channel AS text) IS NULL OR d.channel = :channel)
      AND (CAST(:code AS text) IS NULL OR d.reason = :code)
      AND (CAST(:to AS text) IS NULL OR a.account_id = (SELECT id FROM accounts WHERE handle = :to))
      AND (CAST(:by AS text) IS NULL OR m.author_id = (SELECT id FROM accounts WHERE handle = :by)
           OR p.group_id = (SELECT id FROM accounts WHERE handle = :by))
      AND (CAST(:name AS text) IS NULL OR m.author_id = (SELECT id FROM accounts WHERE handle = :name)
           OR p.group_id = (SELECT id FROM accounts WHERE handle = :name)
           OR a.account_id = (SELECT id FROM accounts WHERE handle = :name))
    ORDER BY d.message_id DESC, d.address_id DESC LIMIT :limit
""")
STATES: Final = text("""
    SELECT state, count(*) AS rows FROM deliveries WHERE message_id >= id_at(now() - interval '1 day') GROUP BY state
""")
