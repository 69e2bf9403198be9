"""`critter costs`: what texts cost, by person and destination, what is left of the budgets; and releasing held
updates."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal, NamedTuple

import typer

from critter.console.help_request import working
from gateway.errors import Refused

if working():
    from critter.console import worker_wakeup
    from critter.console.console import open_session, operator_name, show_json, show_rows
    from gateway.ledger.money import budgets, spending
    from gateway.ledger.money.budgets import MICROS
    from gateway.ledger.money.spending import BudgetLeft, SpendingStatus, SpentAmount
    from gateway.network.operating import pausing
    from gateway.settings import Settings, load

By = Literal["day", "group", "person", "country"]  # as gateway/ledger/money/spending has it, which mypy checks
app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


class Span(NamedTuple):
    """The period that was asked for: in words, and from when until when (UTC)."""

    words: str
    since: datetime
    until: datetime


@app.command()
def run(
    day: Annotated[str | None, typer.Option(metavar="YYYY-MM-DD", help="One UTC day.")] = None,
    month: Annotated[str | None, typer.Option(metavar="YYYY-MM", help="One month; this one unless you say.")] = None,
    since: Annotated[str | None, typer.Option(metavar="YYYY-MM-DD", help="From that day until now.")] = None,
    by: Annotated[By, typer.Option(help="One line for each.")] = "day",
    resume: Annotated[bool, typer.Option("--resume", help="Let updates go that the breaker stopped.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """What texts cost: this month, or the time you say; the budgets, and what the month will come to."""
    settings = load()
    if resume:
        _resume(settings)
        return
    asked = _span(day, month, since)
    with open_session(settings) as session:
        lines = list(spending.read_spent(session, by, asked.since, asked.until))
        status = spending.read_status(session, budgets.limits(settings))
    if as_json:
        show_json(_plain(asked, by, lines, status))
    else:
        _show(asked, by, lines, status)


def _resume(settings: Settings) -> None:
    with open_session(settings) as session:
        done = pausing.resume_updates(session, operator_name())
        missing = worker_wakeup.find_missing(session, pausing.WAKES) if done else ()
    if not done:
        typer.echo("Nothing to resume: updates are not stopped.")
        return
    worker_wakeup.notify(settings, pausing.WAKES)
    typer.echo("Updates go again. For an hour nothing stops them but the budgets.")
    worker_wakeup.exit_if_missing(missing)


def _span(day: str | None, month: str | None, since: str | None) -> Span:
    """Raises Refused for an invalid date, or for more than one option."""
    if sum(each is not None for each in (day, month, since)) > 1:
        raise Refused("Say one of --day, --month and --since.")
    now = datetime.now(UTC)
    if day:
        begin = _date(day, "%Y-%m-%d", "--day 2026-11-05")
        return Span(f"on {begin:%-d %B %Y}", begin, begin + timedelta(days=1))
    if since:
        begin = _date(since, "%Y-%m-%d", "--since 2026-11-05")
        return Span(f"since {begin:%-d %B %Y}", begin, max(now, begin))
    begin = _date(month, "%Y-%m", "--month 2026-11") if month else now.replace(day=1, hour=0, minute=0, second=0)
    begin = begin.replace(microsecond=0)
    return Span(f"in {begin:%B %Y}", begin, (begin + timedelta(days=32)).replace(day=1))


def _date(written: str, form: str, example: str) -> datetime:
    try:
        return datetime.strptime(written, form).replace(tzinfo=UTC)
    except ValueError:
        raise Refused(f"“{written[:20]}” is not a date. Write it like {example}.") from None


def _show(asked: Span, by: By, lines: list[SpentAmount], status: SpendingStatus) -> None:
    if lines:
        total = _total(lines)
        billed = f", {_dollars(total.billed)} of it billed by the carrier" if total.billed else ""
        texts = f"{total.texts:,} text{'' if total.texts == 1 else 's'}"
        parts = f"{total.parts:,} part{'' if total.parts == 1 else 's'}"
        typer.echo(f"{texts} {asked.words}, {parts}, {_dollars(total.micros)}{billed}.\n")
        rows = [(one.name, f"{one.texts:,}", f"{one.parts:,}", _dollars(one.micros)) for one in lines]
        show_rows((by, "texts", "parts", "cost"), rows)
    else:
        typer.echo(f"No text left {asked.words}.")
    typer.echo()
    month, day = status.month, status.day
    money = tuple(map(_dollars, (month.used, month.limit, month.left)))
    show_rows(
        ("budget", "used", "of", "left"),
        [("this month", *money), ("today, parts", f"{day.used:,}", f"{day.limit:,}", f"{day.left:,}")],
    )
    typer.echo(f"At the last week's pace this month comes to {_dollars(status.forecast)}.")
    _show_alarms(status)


def _show_alarms(status: SpendingStatus) -> None:
    if status.forecast > status.month.limit:
        typer.echo("That is more than the month's budget (CRITTER_MONTHLY_SMS_BUDGET).")
    if status.exhausted:
        typer.echo(f"Used up, so that texts were not sent: {', '.join(status.exhausted)}.")
    if status.breaker.tripped_at:
        typer.echo(
            f"Updates wait since {status.breaker.tripped_at:%H:%M} UTC: far more than usual was sent "
            f"({status.breaker.usual:,} parts an hour are usual). "
            "Look with --by person; critter costs --resume lets them go."
        )


def _total(lines: list[SpentAmount]) -> SpentAmount:
    texts, parts, micros, billed = (sum(column) for column in zip(*(line[1:] for line in lines), strict=True))
    return SpentAmount("", texts, parts, micros, billed)


def _dollars(micros: int) -> str:
    return f"${micros / MICROS:,.2f}"


def _plain(asked: Span, by: By, lines: list[SpentAmount], status: SpendingStatus) -> dict[str, Any]:
    return {
        "since": asked.since.isoformat(),
        "until": asked.until.isoformat(),
        "by": by,
        "spent": [
            {by: one.name, "texts": one.texts, "parts": one.parts, "dollars": one.micros / MICROS,
             "billed": one.billed / MICROS}
            for one in lines
        ],
        "month": {key: value / MICROS for key, value in _budget(status.month).items()},
        "day": _budget(status.day),
        "forecast": status.forecast / MICROS,
        "exhausted": list(status.exhausted),
        "breaker": {
            "tripped_at": status.breaker.tripped_at and status.breaker.tripped_at.isoformat(),
            "hour": status.breaker.hour,
            "usual": status.breaker.usual,
        },
    }  # fmt: skip


def _budget(one: BudgetLeft) -> dict[str, int]:
    return {"used": one.used, "limit": one.limit, "left": one.left}
