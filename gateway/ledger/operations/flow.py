"""How everything flows, for the operators' first page: what was accepted, read, fanned out and sent in a time, by its
parts and moment by moment; and how it stands now, in one word. Each statement finds its rows by an id, which tells the
time."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal, NamedTuple

from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from gateway.channels import CHANNELS, EMAIL
from gateway.ledger.money import spend_breaker
from gateway.ledger.operations import drain_mode, metrics_snapshot
from gateway.ledger.operations.metrics_snapshot import PATIENCE, Figures
from gateway.settings import Settings

Level = Literal["good", "waits", "bad"]
STAGES: Final = ("accepted", "read", "made", "sent")
UNREAD: Final = 60.0  # seconds after which an unread input is an alarm; /readyz fails then, too
SLOW: Final = 60.0  # seconds for which something due may wait before it is said
PROCESSES: Final = ("web", "worker-inbound", "worker-proving", "worker-fanout", "clock")


class TimeSpan(NamedTuple):
    """How far back a page looks, and in which steps."""

    name: str
    length: timedelta
    step: timedelta

    @property
    def slots(self) -> int:
        return int(self.length / self.step)


SPANS: Final = {
    "hour": TimeSpan("hour", timedelta(hours=1), timedelta(minutes=1)),
    "day": TimeSpan("day", timedelta(days=1), timedelta(minutes=30)),
    "week": TimeSpan("week", timedelta(days=7), timedelta(hours=3)),
}


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage in that time: how many, of which kinds, and in each step, the oldest first."""

    total: int
    kinds: Mapping[str, int]
    series: Sequence[int]


@dataclass(frozen=True, slots=True)
class Through:
    """What went through, by stage; and in each step the longest that an input waited to be read, in seconds."""

    stages: Mapping[str, Stage]
    waited: Sequence[float]


@dataclass(frozen=True, slots=True)
class Standing:
    """How it stands now. `what`: why it is not good, in a word; `since`: seconds; `missing`: processes of which none
    is alive."""

    level: Level
    what: str
    figures: Figures
    missing: tuple[str, ...] = ()
    since: float = 0.0


def read_through(session: Session, span: TimeSpan) -> Through | None:
    """None when there is too much to count it for a page."""
    try:
        with session.begin_nested():
            session.execute(text(f"SET LOCAL statement_timeout = '{PATIENCE}'"))
            given = {"span": span.length, "step": span.step.total_seconds(), "slots": span.slots}
            rows = session.execute(THROUGH, given).all()
            waited = {row.slot: float(row.seconds) for row in session.execute(WAITED, given)}
            session.execute(text("RESET statement_timeout"))
    except OperationalError:
        return None
    found = {
        name: _stage([(row.kind, row.slot, row.rows) for row in rows if row.stage == name], span.slots)
        for name in STAGES
    }
    return Through(found, [round(waited.get(slot, 0.0), 2) for slot in range(span.slots)])


def _stage(rows: Sequence[tuple[str, int, int]], slots: int) -> Stage:
    kinds: Counter[str] = Counter()
    series = [0] * slots
    for kind, slot, count in rows:
        kinds[kind] += count
        series[slot] += count
    return Stage(sum(series), kinds, series)


def read_standing(session: Session, settings: Settings) -> Standing:
    """The first trouble that counts: what is unread comes before what is unsent."""
    with session.begin_nested() as aside:
        figures = metrics_snapshot.take_snapshot(session, settings)
        aside.rollback()  # its settings for the planner end here
    missing = tuple(name for name in list_expected(settings) if not figures.processes.get(name))
    level, what, since = _judge(session, figures, missing)
    return Standing(level, what, figures, missing, since)


def list_expected(settings: Settings) -> list[str]:
    """The processes of which one of each must run."""
    doors = ["mail"] if settings.mail else []
    return [*PROCESSES, *doors, *(f"worker-{CHANNELS[channel].queue}" for channel in settings.channels)]


class Retrying(NamedTuple):
    """How many deliveries wait for another try, and the one whose turn is next: its id, whose it is, why, and when."""

    rows: int
    id: str | None
    channel: str | None
    name: str | None
    reason: str | None
    next: datetime | None


def read_retrying(session: Session) -> Retrying:
    return Retrying(*session.execute(RETRYING, {"most": metrics_snapshot.COUNTED}).one())


def _judge(session: Session, figures: Figures, missing: Sequence[str]) -> tuple[Level, str, float]:
    unread = max(figures.ages["inbound"], figures.ages["proving"])
    if unread > UNREAD:
        return "bad", "unread", unread
    if missing:
        return "bad", "missing", 0.0
    if drain_mode.is_closing(session):
        return "waits", "closing", 0.0
    if any(row.paused for row in figures.senders):
        return "waits", "paused", 0.0
    if spend_breaker.state(session).tripped_at:
        return "waits", "breaker", 0.0
    slow = max(("fanout", *CHANNELS), key=lambda queue: figures.ages.get(queue, 0.0))
    if figures.ages.get(slow, 0.0) > SLOW:
        return "waits", slow, figures.ages[slow]
    return ("waits", "failing", 0.0) if figures.failing else ("good", "", 0.0)


# Slot 0 is the oldest. An id tells when its row was made, so that old rows are not looked at.
_SLOT: Final = "greatest(0, CAST(:slots AS int) - 1 - floor(extract(epoch FROM now() - {at}) / :step)::int)"
_SINCE: Final = "id_at(now() - CAST(:span AS interval))"
_WITHIN: Final = "{at} > now() - CAST(:span AS interval)"
THROUGH: Final = text(
    f"""
    SELECT 'accepted' AS stage, channel AS kind, {_SLOT.format(at="received_at")} AS slot, count(*) AS rows
    FROM inbound WHERE id >= {_SINCE} AND {_WITHIN.format(at="received_at")} GROUP BY 1, 2, 3
    UNION ALL
    SELECT 'accepted', door, {_SLOT.format(at="created_at")}, count(*)
    FROM actions WHERE id >= {_SINCE} AND key IS NOT NULL AND {_WITHIN.format(at="created_at")} GROUP BY 1, 2, 3
    UNION ALL
    SELECT 'read', CASE WHEN state <> 'done' THEN state WHEN intent IN ('update', 'group', 'direct', 'reply')
                        THEN 'update' ELSE 'command' END,
           {_SLOT.format(at="done_at")}, count(*)
    FROM inbound WHERE id >= {_SINCE} AND {_WITHIN.format(at="done_at")} GROUP BY 1, 2, 3
    UNION ALL
    SELECT 'made', channel, {_SLOT.format(at="created_at")}, count(*)
    FROM deliveries WHERE message_id >= {_SINCE} AND {_WITHIN.format(at="created_at")} GROUP BY 1, 2, 3
    UNION ALL
    SELECT 'sent', CASE WHEN state = 'delivered' OR (channel = '{EMAIL}' AND state = 'sent') THEN 'arrived'
                        WHEN state = 'sent' THEN 'open' ELSE 'other' END,
           {_SLOT.format(at="sent_at")}, count(*)
    FROM deliveries WHERE message_id >= {_SINCE} AND {_WITHIN.format(at="sent_at")} GROUP BY 1, 2, 3
"""  # noqa: S608
)
WAITED: Final = text(
    f"""
    SELECT {_SLOT.format(at="done_at")} AS slot, max(extract(epoch FROM done_at - received_at)) AS seconds
    FROM inbound WHERE id >= {_SINCE} AND {_WITHIN.format(at="done_at")} GROUP BY 1
"""  # noqa: S608
)
RETRYING: Final = text("""
    WITH waits AS MATERIALIZED (
        SELECT message_id, address_id, channel, reason, not_before FROM deliveries
        WHERE ended_at IS NULL AND not_before <> created_at AND state = 'retry' ORDER BY not_before LIMIT :most
    ), first AS (SELECT * FROM waits ORDER BY not_before LIMIT 1)
    SELECT (SELECT count(*) FROM waits), first.message_id || ':' || first.address_id, first.channel, reader.name,
           first.reason, first.not_before
    FROM (SELECT 1) AS once LEFT JOIN first ON true
    LEFT JOIN addresses a ON a.id = first.address_id LEFT JOIN accounts reader ON reader.id = a.account_id
""")
