"""Deliveries for operators: one page of them, the newest first, and how many of the last day are in which state. It
shows what kind of message it is and between whom, never its words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

from sqlalchemy import select, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from gateway.network.inspect.delivery_search import DeliverySearch
from gateway.store.tables import Account, Address

PAGE: Final = 40
PATIENCE: Final = "3s"
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
    given = _conditions(session, wanted)
    limits = {"message": _id(message), "address": _id(address), "limit": PAGE + 1}
    statement = text(
        LISTED.format(conditions="".join(f" AND {CONDITIONS[name]}" for name in given if name in CONDITIONS))
    )
    try:
        with session.begin_nested():
            session.execute(text(f"SET LOCAL statement_timeout = '{PATIENCE}'"))
            rows = [ListedDelivery(*row) for row in session.execute(statement, {**given, **limits})]
            session.execute(text("RESET statement_timeout"))
    except OperationalError:
        return None
    shown = rows[:PAGE]
    return DeliveryPage(shown, shown[-1].id if len(rows) > PAGE else None)


def _conditions(session: Session, wanted: DeliverySearch) -> dict[str, object]:
    """Only those that were asked for stand in the statement, and names are looked up before it, so that each search is
    answered by an index of its own. A name that is nobody's finds nothing."""
    given: dict[str, object] = {name: getattr(wanted, name) for name in ("since", "until", "channel", "code")}
    given["states"] = list(wanted.states)
    if wanted.states in BY_INDEX:
        given[BY_INDEX[wanted.states]] = True
    if wanted.to:
        given["to"] = _addresses(session, wanted.to)
    if wanted.by:
        given["by"] = _account(session, wanted.by)
    if wanted.name:
        given |= {"whose": _account(session, wanted.name), "theirs": _addresses(session, wanted.name)}
    named = ("to", "by", "whose", "theirs")
    return {name: value for name, value in given.items() if value or name in named}


def _account(session: Session, handle: str) -> int:
    """A person's or a group's id; 0 for a name that is nobody's."""
    return session.scalar(select(Account.id).where(Account.handle == handle)) or 0


def _addresses(session: Session, handle: str) -> list[int]:
    mine = select(Address.id).join(Account, Account.id == Address.account_id)
    return list(session.scalars(mine.where(Account.handle == handle)))


def _id(given: str) -> int:
    return int(given) if given.isascii() and given.isdecimal() and int(given) <= LARGEST else LARGEST


def count_states(session: Session) -> Mapping[str, int] | None:
    """Of the deliveries that were made within a day; None when there are too many to count them for a page."""
    try:
        with session.begin_nested():
            session.execute(text(f"SET LOCAL statement_timeout = '{PATIENCE}'"))
            found = {row.state: row.rows for row in session.execute(STATES)}
            session.execute(text("RESET statement_timeout"))
    except OperationalError:
        return None
    return found


# States that a partial index knows, and the condition of that index.
BY_INDEX: Final = {("failed",): "dead", ("retry",): "open", ("queued", "sending"): "open", ("held",): "waiting"}
CONDITIONS: Final = {
    "states": "d.state = ANY (CAST(:states AS text[]))",
    "dead": "d.ended_at IS NOT NULL AND d.reason IS NOT NULL",
    "open": "d.ended_at IS NULL",
    "waiting": "(d.message_id, d.address_id) IN (SELECT message_id, address_id FROM held WHERE state = 'waiting')",
    "since": "d.message_id >= id_at(CAST(:since AS timestamptz))",
    "until": "d.message_id < id_at(CAST(:until AS timestamptz))",
    "channel": "d.channel = :channel",
    "code": "d.reason = :code",
    "to": "d.address_id = ANY (CAST(:to AS bigint[]))",
    "by": "(d.author_id = :by OR p.group_id = :by)",
    "whose": "(d.author_id = :whose OR p.group_id = :whose OR d.address_id = ANY (CAST(:theirs AS bigint[])))",
}
LISTED: Final = """
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
    WHERE (d.message_id, d.address_id) < (:message, :address){conditions}
    ORDER BY d.message_id DESC, d.address_id DESC LIMIT :limit
"""
STATES: Final = text("""
    SELECT state, count(*) AS rows FROM deliveries WHERE message_id >= id_at(now() - interval '1 day') GROUP BY state
""")
