"""The questions and urgent calls of a group that have not ended, for its page and for who ends one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from gateway.network.audience import visibility


@dataclass(frozen=True, slots=True)
class RunningCall:
    """`kind`: ask or rollcall; `words`: of its post; `asker`: who asked."""

    post_id: int
    kind: str
    asker_id: int
    asker: str
    words: str
    began_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class CallAnswer:
    """Of one who is asked. `words`: theirs, of a question; `gone`: why nobody waits for them; `reached`: a carrier or
    mail server has it."""

    account_id: int
    handle: str
    name: str
    answered_at: datetime | None
    words: str | None
    gone: str | None
    reached: bool

    @property
    def id(self) -> int:
        return self.account_id


def newest_of(session: Session, asker_id: int, group_id: int) -> int | None:
    """The post of the newest one that this person asked and that runs."""
    post_id: int | None = session.scalar(NEWEST, {"asker": asker_id, "group": group_id})
    return post_id


def list_running(session: Session, reader_id: int, group_id: int) -> Sequence[RunningCall]:
    """Those of the group that the reader may read, the newest first."""
    found = [RunningCall(*row) for row in session.execute(RUNNING, {"group": group_id})]
    return [one for one in found if visibility.may_read(session, reader_id, one.post_id)]


def list_answers(session: Session, call: RunningCall) -> Sequence[CallAnswer]:
    """Everybody who is asked: who answered first, then the others by name. For its asker alone."""
    return [CallAnswer(*row) for row in session.execute(ANSWERS, {"post": call.post_id})]


NEWEST: Final = text("""
    SELECT post_id FROM calls WHERE asker_id = :asker AND group_id = :group AND ended_at IS NULL
    ORDER BY post_id DESC LIMIT 1
""")
RUNNING: Final = text("""
    SELECT c.post_id, c.kind, c.asker_id, a.name, p.text, c.created_at, c.ends_at
    FROM calls c JOIN posts p ON p.id = c.post_id JOIN accounts a ON a.id = c.asker_id
    WHERE c.group_id = :group AND c.ended_at IS NULL AND p.deleted_at IS NULL ORDER BY c.post_id DESC LIMIT 5
""")
ANSWERS: Final = text("""
    SELECT a.id, a.handle, a.name, CASE WHEN p.retracted_at IS NULL THEN p.answered_at END,
           CASE WHEN p.retracted_at IS NULL THEN p.text END, p.gone,
           EXISTS (SELECT FROM messages m JOIN deliveries d ON d.message_id = m.id
                   JOIN addresses t ON t.id = d.address_id
                   WHERE m.post_id = p.post_id AND t.account_id = p.account_id AND d.state IN ('sent', 'delivered'))
    FROM call_people p JOIN accounts a ON a.id = p.account_id
    WHERE p.post_id = :post AND a.state <> 'suspended'
    ORDER BY p.answered_at IS NULL OR p.retracted_at IS NOT NULL, p.answered_at, a.plain_name, a.id
""")
