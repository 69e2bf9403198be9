"""How everything flows, for the operators' first page: what was accepted, read, fanned out and sent in a time, by its
parts and moment by moment; and how it stands now, in one word. Each statement finds its rows by an id, which tells the
time."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal, NamedTuple

from sqlalchemy import func, select, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from gateway.channels import CHANNELS, SMS
from gateway.ledger.money import spend_breaker
from gateway.ledger.operations import drain_mode, metrics_snapshot
from gateway.ledger.operations.metrics_snapshot import PATIENCE, Figures
from gateway.settings import Settings

Level = Literal["good", "waits", "bad"]
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
            begin = session.scalars(select(func.now())).one() - span.length
            given = {"begin": begin, "step": span.step}
            inputs = session.execute(INPUTS, given).all()
            actions = session.execute(ACTIONS, given).all()
            deliveries = session.execute(DELIVERIES, given).all()
            session.execute(text("RESET statement_timeout"))
    except OperationalError:
        return None
    stages = {
        "accepted": [*((row.channel, row.came, row.rows) for row in inputs), *map(tuple, actions)],
        "read": [(row.kind, row.done, row.rows) for row in inputs],
        "made": [(row.channel, row.made, row.rows) for row in deliveries],
        "sent": [(row.kind, row.sent, row.rows) for row in deliveries],
    }
    found = {name: _stage(rows, begin, span) for name, rows in stages.items()}
    waited = [0.0] * span.slots
    for row in inputs:
        if row.done is not None:
            slot = _slot(row.done, begin, span)
            waited[slot] = max(waited[slot], round(row.waited, 2))
    return Through(found, waited)


def _slot(moment: datetime, begin: datetime, span: TimeSpan) -> int:
    """The last one ends now."""
    return min(span.slots - 1, (moment - begin) // span.step)


def _stage(rows: Iterable[tuple[str, datetime | None, int]], begin: datetime, span: TimeSpan) -> Stage:
    kinds: Counter[str] = Counter()
    series = [0] * span.slots
    for kind, moment, count in rows:
        if moment is not None:
            kinds[kind] += count
            series[_slot(moment, begin, span)] += count
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
    workers = dict.fromkeys(f"worker-{CHANNELS[channel].queue}" for channel in settings.channels)
    return [*PROCESSES, *doors, *workers]


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


# A slot is the moment at which it begins; NULL is outside of the time. An id tells when its row was made, so that old
# rows are not looked at. Each table is read once.
_SLOT: Final = "CASE WHEN {at} > :begin THEN date_bin(:step, {at}, CAST(:begin AS timestamptz)) END"
_SINCE: Final = "id_at(CAST(:begin AS timestamptz))"
INPUTS: Final = text(
    f"""
    SELECT channel, CASE WHEN state <> 'done' THEN state WHEN intent IN ('update', 'group', 'direct', 'reply')
                    THEN 'update' ELSE 'command' END AS kind,
           {_SLOT.format(at="received_at")} AS came, {_SLOT.format(at="done_at")} AS done, count(*) AS rows,
           CAST(max(extract(epoch FROM done_at - received_at)) AS float8) AS waited
    FROM inbound WHERE id >= {_SINCE} GROUP BY 1, 2, 3, 4
"""  # noqa: S608
)
ACTIONS: Final = text(
    f"""
    SELECT door, {_SLOT.format(at="created_at")} AS came, count(*) AS rows
    FROM actions WHERE id >= {_SINCE} AND key IS NOT NULL GROUP BY 1, 2
"""  # noqa: S608
)
DELIVERIES: Final = text(
    f"""
    SELECT channel, CASE WHEN state = 'delivered' OR (channel <> '{SMS}' AND state = 'sent') THEN 'arrived'
                         WHEN state = 'sent' THEN 'open' ELSE 'other' END AS kind,
           {_SLOT.format(at="created_at")} AS made, {_SLOT.format(at="sent_at")} AS sent, count(*) AS rows
    FROM deliveries WHERE message_id >= {_SINCE} GROUP BY 1, 2, 3, 4
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
