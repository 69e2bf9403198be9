"""The people for the operators' page: one page of them by handle, with the last two digits of their phones."""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session

PAGE: Final = 50


class PersonRow(NamedTuple):
    """The state of a phone or mailbox is None without one."""

    id: int
    handle: str
    name: str
    title: str | None
    state: str
    role: str
    phone: str | None
    phone_state: str | None
    mailbox_state: str | None
    seen_at: datetime | None


def list_people(session: Session, words: str, after: str, *, everybody: bool) -> tuple[Sequence[PersonRow], str | None]:
    """Those whose handle or name begins so; `everybody`: the deactivated too. And the handle from which the next page
    goes on."""
    start = re.sub(r"([\\%_])", r"\\\1", words) + "%"
    given = {"start": start, "after": after, "everybody": everybody, "limit": PAGE + 1}
    rows = [PersonRow(*row) for row in session.execute(LISTED, given)]
    return rows[:PAGE], rows[PAGE - 1].handle if len(rows) > PAGE else None


LISTED: Final = text("""
    SELECT p.id, p.handle, p.name, p.title, p.state, p.role, right(phone.address, 2),
           CASE WHEN phone.stopped_at IS NOT NULL THEN 'stopped' ELSE phone.state END,
           CASE WHEN mailbox.bouncing_since IS NOT NULL THEN 'bounces' ELSE mailbox.state END,
           greatest(phone.seen_at, mailbox.seen_at)
    FROM accounts p
    LEFT JOIN addresses phone ON phone.account_id = p.id AND phone.is_primary AND phone.channel = 'sms'
    LEFT JOIN addresses mailbox ON mailbox.account_id = p.id AND mailbox.is_primary AND mailbox.channel = 'email'
    WHERE p.kind = 'person' AND p.handle > :after AND (:everybody OR p.state <> 'deactivated')
      AND (p.handle ILIKE :start OR p.name ILIKE :start OR p.name ILIKE '% ' || :start)
    ORDER BY p.handle LIMIT :limit
""")
