"""What texts have cost, and what is left to spend. `critter costs` and `check`, metrics and the price question ask.

Money is in millionths of a dollar: what the carrier billed, or what the price table says until it has.
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Final, Literal, NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session

from gateway.ledger.money import budgets, spend_breaker
from gateway.ledger.money.budgets import COMPANY, BudgetLimits, Key

MOST_USED: Final = 1000  # budgets of one day that a page shows
By = Literal["day", "group", "person", "country"]


class SpentAmount(NamedTuple):
    """What one day, group (#handle), person (@handle) or country cost. `billed`: the part of it that the carrier has
    billed."""

    name: str
    texts: int
    parts: int
    micros: int
    billed: int


class BudgetLeft(NamedTuple):
    """One budget as it stands: the company's month in millionths of a dollar, all others in parts."""

    scope: str
    subject: str
    used: int
    limit: int

    @property
    def left(self) -> int:
        return max(0, self.limit - self.used)


class DailyAmount(NamedTuple):
    """The parts of one day and group, and what they cost. `group`: its handle, "" without one."""

    day: date
    group: str
    parts: int
    micros: int


class UsedToday(NamedTuple):
    """What was used today of the budget of one group, person or country, by its handle or code."""

    scope: str
    name: str
    used: int
    allowed: int


class SpendingStatus(NamedTuple):
    """The company's two budgets, what the month will cost at the rate of the last week, the names of the budgets that
    are used up, and the spend breaker."""

    month: BudgetLeft
    day: BudgetLeft
    forecast: int
    exhausted: tuple[str, ...]
    breaker: spend_breaker.State


def read_spent(session: Session, by: By, since: datetime, until: datetime) -> Sequence[SpentAmount]:
    """What texts cost in that time, the most expensive first; days in their order."""
    rows = session.execute(SPENT[by], {"since": since, "until": until})
    return [SpentAmount(row.name, row.texts, row.parts, int(row.micros), int(row.billed)) for row in rows]


def read_daily(session: Session, since: datetime, until: datetime) -> Sequence[DailyAmount]:
    """What texts cost on each day, by group; days without any are left out."""
    rows = session.execute(DAILY, {"since": since, "until": until})
    return [DailyAmount(row.day, row.name, row.parts, int(row.micros)) for row in rows]


def read_used_today(session: Session) -> Sequence[UsedToday]:
    """Of groups, persons and countries, the fullest first."""
    return [UsedToday(*row) for row in session.execute(USED_TODAY, {"most": MOST_USED})]


def read_status(session: Session, most: BudgetLimits) -> SpendingStatus:
    day, month = read_budgets_left(session, most, COMPANY)
    pace = session.scalar(PACE) or 0
    exhausted = tuple(session.scalars(EXHAUSTED))
    return SpendingStatus(month, day, month.used + int(pace), exhausted, spend_breaker.state(session))


def read_budgets_left(session: Session, most: BudgetLimits, keys: Sequence[Key]) -> list[BudgetLeft]:
    """How these budgets stand now, in their order."""
    used = budgets.used_now(session, keys)
    return [BudgetLeft(scope, subject, used[scope, subject], budgets.limit_of(scope, most)) for scope, subject in keys]


# An attempt's id contains the time when it was made: the index on it finds the rows, and the time of the charge then
# decides which of them count.
_SPENT: Final = """
    SELECT {name} AS name, count(*) AS texts, sum(c.parts) AS parts, sum(coalesce(c.billed, c.micros)) AS micros,
           coalesce(sum(c.billed), 0) AS billed
    FROM charges c {join}
    WHERE c.attempt_id >= id_at(CAST(:since AS timestamptz) - interval '1 hour')
      AND c.charged_at >= :since AND c.charged_at < :until
    GROUP BY 1 ORDER BY {order}
"""
_DEAREST: Final = "4 DESC, 1"
SPENT: Final = {
    "day": text(_SPENT.format(name="to_char(c.charged_at AT TIME ZONE 'UTC', 'YYYY-MM-DD')", join="", order="1")),
    "country": text(_SPENT.format(name="c.country", join="", order=_DEAREST)),
    "group": text(
        _SPENT.format(
            name="coalesce('#' || g.handle, CASE c.group_id WHEN 0 THEN 'no group' ELSE 'a group that is gone' END)",
            join="LEFT JOIN accounts g ON g.id = c.group_id",
            order=_DEAREST,
        )
    ),
    "person": text(
        _SPENT.format(
            name="coalesce('@' || p.handle, CASE c.author_id WHEN 0 THEN 'Critter' ELSE 'somebody who is gone' END)",
            join="LEFT JOIN accounts p ON p.id = c.author_id",
            order=_DEAREST,
        )
    ),
}

# The average day of the last week (or of the days since the first charge, when these are fewer), times the days that
# are left in the month.
PACE: Final = text("""
    SELECT sum(coalesce(billed, micros))
           / greatest(1, least(7, extract(epoch FROM now() - min(charged_at)) / 86400))
           * extract(epoch FROM date_trunc('month', now(), 'UTC') + interval '1 month' - now()) / 86400
    FROM charges WHERE attempt_id >= id_at(now() - interval '7 days')
""")

DAILY: Final = text("""
    SELECT CAST(c.charged_at AT TIME ZONE 'UTC' AS date) AS day, coalesce(g.handle, '') AS name, sum(c.parts) AS parts,
           sum(coalesce(c.billed, c.micros)) AS micros
    FROM charges c LEFT JOIN accounts g ON g.id = c.group_id
    WHERE c.attempt_id >= id_at(CAST(:since AS timestamptz) - interval '1 hour')
      AND c.charged_at >= :since AND c.charged_at < :until
    GROUP BY 1, 2 ORDER BY 1, 2
""")

USED_TODAY: Final = text("""
    SELECT b.scope, CASE b.scope WHEN 'group' THEN '#' || coalesce(a.handle, b.subject)
                                 WHEN 'person' THEN '@' || coalesce(a.handle, b.subject) ELSE b.subject END,
           b.used, b.allowed
    FROM budgets b LEFT JOIN accounts a
      ON a.id = CASE WHEN b.scope IN ('group', 'person') THEN CAST(b.subject AS bigint) END
    WHERE b.scope IN ('group', 'person', 'country') AND b.day = CAST(now() AT TIME ZONE 'UTC' AS date) AND b.used > 0
    ORDER BY b.used DESC, b.scope, b.subject LIMIT :most
""")

EXHAUSTED: Final = text("""
    SELECT CASE b.scope WHEN 'company_day' THEN 'today' WHEN 'company_month' THEN 'this month'
                        WHEN 'country' THEN b.subject
                        WHEN 'group' THEN '#' || coalesce(a.handle, b.subject)
                        ELSE '@' || coalesce(a.handle, b.subject) END
    FROM budgets b LEFT JOIN accounts a
      ON a.id = CASE WHEN b.scope IN ('group', 'person') THEN CAST(b.subject AS bigint) END
    WHERE b.exhausted_at IS NOT NULL
      AND b.day = CASE b.scope WHEN 'company_month' THEN date_trunc('month', now() AT TIME ZONE 'UTC')
                  ELSE now() AT TIME ZONE 'UTC' END::date
    ORDER BY b.scope, b.subject
""")
