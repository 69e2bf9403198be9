"""What texts cost: the month and its forecast, the day, the breaker; parts of each day by group; by group, person and
country; and the budgets."""

from calendar import monthrange
from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final, NamedTuple

from gateway.doors.web.operate import ROUTER, charts
from gateway.doors.web.operate.frame import show
from gateway.doors.web.visits.visit import Visit
from gateway.i18n.phrases import Phrase, say
from gateway.ledger.money import budgets, spending
from gateway.ledger.money.budgets import MICROS
from gateway.ledger.money.spending import DailyAmount, SpendingStatus

LARGEST: Final = 3  # groups that have a colour of their own
LOOKS: Final = ("s1", "s2", "s3")
REST: Final = "s5"
SHOWN: Final = 12  # rows of a table


class Month(NamedTuple):
    """One month by the clock of the database (UTC)."""

    first: date
    days: int

    @property
    def since(self) -> datetime:
        return datetime(self.first.year, self.first.month, 1, tzinfo=UTC)

    @property
    def until(self) -> datetime:
        return self.since + timedelta(days=self.days)


class BudgetLine(NamedTuple):
    """One budget: what it is for, how much, what is used of it, and the setting that changes it."""

    what: Phrase
    most: str
    used: str
    setting: str


@ROUTER.page("/operate/costs", "operator")
def costs(visit: Visit) -> str:
    """`?month=2026-11`: this one unless it says."""
    today = datetime.now(UTC).date()
    month = _month(visit.arg("month", 7), today)
    most = budgets.limits(visit.settings)
    status = spending.read_status(visit.session, most)
    daily = spending.read_daily(visit.session, month.since, month.until)
    return show(
        visit, "costs.html", status=status, month=month, before=_month("", month.first - timedelta(days=1)).first,
        this=month.first == today.replace(day=1), gone=round(100 * today.day / month.days), micros=MICROS,
        by_group=spending.read_spent(visit.session, "group", month.since, month.until)[:SHOWN],
        by_person=spending.read_spent(visit.session, "person", month.since, month.until)[:SHOWN],
        by_country=spending.read_spent(visit.session, "country", month.since, month.until)[:SHOWN],
        used={(row.scope, row.name): row.used for row in spending.read_used_today(visit.session)},
        most=most, budgets=_budgets(visit, status), **_chart(daily, month, today, most.month / MICROS, status),
    )  # fmt: skip


def _month(written: str, today: date) -> Month:
    """A month as it is written in an address; else that of the day."""
    try:
        first = datetime.strptime(written, "%Y-%m").replace(tzinfo=UTC).date() if written else today.replace(day=1)
    except ValueError:
        first = today.replace(day=1)
    return Month(first, monthrange(first.year, first.month)[1])


def _chart(
    daily: Sequence[DailyAmount], month: Month, today: date, dollars: float, status: SpendingStatus
) -> dict[str, Any]:  # fmt: skip
    """Columns of parts, the largest groups below; pale ones for the days to come; a line for one day's share."""
    parts, money = _by_day(daily)
    groups = _largest(daily)
    ahead = month.days - today.day if month.first == today.replace(day=1) else 0
    days = [month.first + timedelta(days=each) for each in range(month.days - ahead)]
    columns = [_column(parts[day], groups) for day in days]
    price = sum(money.values()) / max(1, sum(sum(each.values()) for each in parts.values()))  # of a part
    expected = (status.forecast - status.month.used) / price / ahead if ahead and price else 0.0
    below = [f"{day}" for day in (1, 8, 15, 22, month.days)]
    share = dollars * MICROS / month.days / price if price and dollars else None
    return {
        "chart": charts.draw_stacks(columns, [expected] * ahead, below, share),
        "share": share,
        "ahead": ahead,
        "groups": list(zip(groups, ("", "k2", "k3"), strict=False)),
        "rows": [
            (day, [parts[day].get(group, 0) for group in groups], sum(parts[day].values()), money[day] / MICROS)
            for day in days
        ],
    }


def _by_day(daily: Sequence[DailyAmount]) -> tuple[dict[date, Counter[str]], Counter[date]]:
    parts: dict[date, Counter[str]] = defaultdict(Counter)
    money: Counter[date] = Counter()
    for row in daily:
        parts[row.day][row.group] += row.parts
        money[row.day] += row.micros
    return parts, money


def _largest(daily: Sequence[DailyAmount]) -> list[str]:
    sums: Counter[str] = Counter()
    for row in daily:
        sums[row.group] += row.parts if row.group else 0
    return [group for group, rows in sums.most_common(LARGEST) if rows]


def _column(parts: Counter[str], groups: Sequence[str]) -> dict[str, float]:
    stack: dict[str, float] = {look: parts[group] for look, group in zip(LOOKS, groups, strict=False)}
    return stack | {REST: sum(rows for group, rows in parts.items() if group not in groups)}


def _budgets(visit: Visit, status: SpendingStatus) -> list[BudgetLine]:
    most = budgets.limits(visit.settings)
    fullest: dict[str, str] = {}
    for row in spending.read_used_today(visit.session):
        fullest.setdefault(row.scope, f"{row.name}, {row.used:,}")
    return [
        BudgetLine(say("Company, a month"), f"${status.month.limit / MICROS:,.2f}",
                   f"${status.month.used / MICROS:,.2f}", "CRITTER_MONTHLY_SMS_BUDGET"),
        BudgetLine(say("Company, a day"), f"{status.day.limit:,}", f"{status.day.used:,}", "CRITTER_DAILY_SMS_BUDGET"),
        BudgetLine(say("One person, a day"), f"{most.person:,}", fullest.get("person", "0"),
                   "CRITTER_PERSON_DAILY_PARTS"),
        BudgetLine(say("One group, a day"), f"{most.group:,}", fullest.get("group", "0"), "CRITTER_GROUP_DAILY_PARTS"),
        BudgetLine(say("Another country, a day"), f"{most.country:,}", fullest.get("country", "0"),
                   "CRITTER_COUNTRY_DAILY_PARTS"),
    ]  # fmt: skip
