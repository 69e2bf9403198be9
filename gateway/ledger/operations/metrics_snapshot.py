"""The metrics of an installation at one moment, for /metrics: each statement finds its rows by an index and counts a
bounded number of them, so that a snapshot costs the same with a thousand deliveries and with a hundred million."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final, NamedTuple

from sqlalchemy import TextClause, text
from sqlalchemy.orm import Session

from gateway.ledger.commit import counters
from gateway.ledger.money import budgets, spending
from gateway.ledger.operations import partitions, task_failures
from gateway.ledger.senders import pauses
from gateway.ledger.senders.pauses import Paused
from gateway.settings import Settings
from gateway.store.channel_sql import names

COUNTED: Final = 10_000  # rows that are counted one by one; more are "10000"
LOOKED_AT: Final = 500  # rows of one number and priority among which the oldest that is due is looked for
ALIVE: Final = timedelta(seconds=30)  # a process counts as alive for so long after its last heartbeat
PATIENCE: Final = "2s"  # for one statement


class Figures(NamedTuple):
    """One snapshot. An age is that of the oldest row that is due, in seconds, 0 without one; counts stop at COUNTED."""

    totals: Mapping[tuple[str, str], float]
    ages: Mapping[str, float]
    waiting: Mapping[str, int]
    unknown: int
    dead: Mapping[str, int]  # failed, quarantined, unknown
    inputs: Mapping[str, int]  # held, quarantined
    senders: Sequence[Paused]
    processes: Mapping[str, int]
    budget_left: float | None  # a share, 0 to 1; None without a budget
    off: int = 0  # mailboxes that are off because too many mails to them bounced
    failing: int = 0  # tasks of the clock that keep failing
    outside: int = 0  # deliveries in the default partition


def take_snapshot(session: Session, settings: Settings) -> Figures:
    """Takes one snapshot. The settings make the planner use the indexes even when it has no statistics."""
    session.execute(text(f"SET LOCAL statement_timeout = '{PATIENCE}'"))
    session.execute(
        text("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off; SET LOCAL enable_sort = off")
    )
    totals = counters.totals(session)
    bounds = {"most": COUNTED, "some": LOOKED_AT, "alive": ALIVE}
    return Figures(
        totals=totals,
        ages={queue: age.total_seconds() if age else 0.0 for queue, age in session.execute(AGES, bounds)},
        waiting=_by_name(session, WAITING, bounds),
        unknown=session.scalars(UNKNOWN, bounds).one(),
        dead={"failed": 0, "unknown": 0, "quarantined": 0} | _by_name(session, DEAD, bounds),
        inputs={"held": 0, "quarantined": 0} | _by_name(session, INPUTS, bounds),
        senders=pauses.list_pauses(session),
        processes=_by_name(session, PROCESSES, bounds),
        budget_left=budget_left(session, settings),
        off=session.scalars(OFF, bounds).one(),
        failing=len(task_failures.list_failing(session)),
        outside=partitions.outside(session),
    )


def _by_name(session: Session, statement: TextClause, bounds: Mapping[str, object]) -> dict[str, int]:
    return {name: count for name, count in session.execute(statement, bounds)}  # noqa: C416  dict() asks for its keys


def budget_left(session: Session, settings: Settings) -> float | None:
    """The share of this month's money for texts that is left, 0 to 1; None when no texts are sent."""
    if not settings.sms:
        return None
    _, month = spending.read_budgets_left(session, budgets.limits(settings), budgets.COMPANY)
    return month.left / month.limit if month.limit else 0.0


# The ids of callbacks ascend with time, so the oldest one is the first by id. For inputs and deliveries the id does not
# tell how long they are due, for some are put off: so the first few inputs, and the first few rows of each number and
# priority, are looked at. The priority is compared by >= and <=, not by =, and ordered by, so that only the index
# deliveries_due fits: the primary key gives the order of messages, too, and by it a planner without statistics would
# read all deliveries there ever were.
AGES: Final = text(f"""
    SELECT 'inbound' AS queue, (SELECT now() - min(due) FROM (
        SELECT coalesce(not_before, received_at) AS due FROM inbound
        WHERE state IN ('new', 'working') AND (not_before IS NULL OR not_before <= now())
        ORDER BY id LIMIT :some) AS head) AS age
    UNION ALL
    SELECT 'proving', (SELECT now() - min(coalesce(not_before, received_at)) FROM inbound
                       WHERE state = 'unproved' AND (not_before IS NULL OR not_before <= now()))
    UNION ALL
    SELECT 'fanout', (SELECT now() - min(not_before) FROM fanouts WHERE state = 'waiting' AND not_before <= now())
    UNION ALL
    SELECT 'receipts', (SELECT now() - received_at FROM callbacks WHERE applied_at IS NULL ORDER BY id LIMIT 1)
    UNION ALL
    SELECT 'pictures', (SELECT now() - not_before FROM media
                        WHERE state = 'new' AND not_before <= now() ORDER BY not_before LIMIT 1)
    UNION ALL
    SELECT 'wake_ups', (SELECT now() - until FROM held
                        WHERE state = 'waiting' AND until <= now() ORDER BY until LIMIT 1)
    UNION ALL
    SELECT 'calls', now() - least(
        (SELECT min(next_at) FROM calls WHERE ended_at IS NULL AND next_at <= now()),
        (SELECT min(next_at) FROM call_people WHERE answered_at IS NULL AND next_at <= now()))
    UNION ALL
    SELECT channel, (SELECT now() - min(head.not_before)
                     FROM (SELECT 0 AS id UNION ALL SELECT id FROM senders) AS sender
                     CROSS JOIN generate_series(0, 9) AS priority
                     CROSS JOIN LATERAL (
                         SELECT d.not_before FROM deliveries d
                         WHERE d.channel = queue.channel AND d.sender_id = sender.id
                           AND d.priority >= priority AND d.priority <= priority
                           AND d.ended_at IS NULL AND d.state IN ('queued', 'retry')
                         ORDER BY d.priority, d.message_id LIMIT :some) AS head
                     WHERE head.not_before <= now())
    FROM unnest(ARRAY[{names()}]) AS queue (channel)
""")  # noqa: S608

WAITING: Final = text(f"""
    SELECT 'inbound' AS queue, (SELECT count(*) FROM (
        SELECT FROM inbound WHERE state IN ('new', 'working') LIMIT :most) AS row) AS rows
    UNION ALL
    SELECT 'proving', (SELECT count(*) FROM (SELECT FROM inbound WHERE state = 'unproved' LIMIT :most) AS row)
    UNION ALL
    SELECT 'fanout', (SELECT count(*) FROM (SELECT FROM fanouts WHERE state = 'waiting' LIMIT :most) AS row)
    UNION ALL
    SELECT 'receipts', (SELECT count(*) FROM (SELECT FROM callbacks WHERE applied_at IS NULL LIMIT :most) AS row)
    UNION ALL
    SELECT 'pictures', (SELECT count(*) FROM (SELECT FROM media WHERE state = 'new' LIMIT :most) AS row)
    UNION ALL
    SELECT 'wake_ups', (SELECT count(*) FROM (SELECT FROM held WHERE state = 'waiting' LIMIT :most) AS row)
    UNION ALL
    SELECT 'calls', (SELECT count(*) FROM (SELECT FROM calls WHERE ended_at IS NULL LIMIT :most) AS row)
    UNION ALL
    SELECT channel, (SELECT count(*) FROM (
        SELECT FROM deliveries d
        WHERE d.channel = queue.channel AND d.ended_at IS NULL AND d.state IN ('queued', 'retry') LIMIT :most) AS row)
    FROM unnest(ARRAY[{names()}]) AS queue (channel)
""")  # noqa: S608

UNKNOWN: Final = text("""
    SELECT count(*) FROM (SELECT FROM deliveries WHERE state = 'unknown' AND ended_at IS NULL
                          AND not_before <> created_at LIMIT :most) AS row
""")

DEAD: Final = text("""
    SELECT CASE reason WHEN 'quarantined' THEN reason ELSE state END, count(*)
    FROM (SELECT state, reason FROM deliveries
          WHERE ended_at IS NOT NULL AND reason IS NOT NULL AND state IN ('failed', 'unknown') LIMIT :most) AS row
    GROUP BY 1
""")

INPUTS: Final = text("""
    SELECT state, count(*) FROM (
        SELECT state FROM inbound WHERE state IN ('held', 'quarantined') LIMIT :most) AS row
    GROUP BY state
""")

OFF: Final = text("SELECT count(*) FROM (SELECT FROM addresses WHERE bouncing_since IS NOT NULL LIMIT :most) AS row")

PROCESSES: Final = text("""
    SELECT name, count(*) FILTER (WHERE seen_at > now() - CAST(:alive AS interval)) FROM processes GROUP BY name
""")
