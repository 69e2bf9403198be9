"""`critter retention`: what is old enough to be deleted, and when; with --now it is deleted at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from typing import Annotated, Any

import typer

from critter.console.help_request import working

if working():
    from sqlalchemy import Engine
    from sqlalchemy.orm import Session

    from critter.console.console import database, format_count, operator_name, show_json, show_rows
    from gateway.ledger.audit import audit_log
    from gateway.ledger.operations import redactions, retention
    from gateway.ledger.operations.retention import DueRetention, PastMonth, RetentionAges
    from gateway.settings import load
    from gateway.store.database import transaction
    from workers.upkeep.retention import ages, batches

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def run(
    now: Annotated[bool, typer.Option("--now", help="Do it, and show how far it is.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """What is older than it is to be kept. The clock takes it away by itself, once an hour, in small batches.

    Posts stay, and what is open stays: a held input, a delivery on its way."""
    settings = load()
    old = ages(settings)
    with database(settings) as engine:
        if now:
            done = _do(engine, batches(engine, old), quiet=as_json)
            show_json(done) if as_json else typer.echo(_told(done))
            return
        with transaction(engine) as session:
            found, past = [retention.due(session, kind, old) for kind in retention.kinds(old)], _past(session, old)
            waiting = redactions.count_left(session)
    if as_json:
        show_json(_plain(found, past, waiting, old))
    else:
        _show(found, past, waiting, old)


def _past(session: Session, old: RetentionAges) -> list[PastMonth]:
    return retention.months(session, old.deliveries)


def _do(engine: Engine, steps: Iterator[tuple[str, int]], *, quiet: bool) -> dict[str, int]:
    done: Counter[str] = Counter()
    for name, rows in steps:
        done[name] += rows
        if not quiet:
            typer.echo(f"{name}: {done[name]:,}", err=True)
    changed = {name: rows for name, rows in done.items() if rows}
    with transaction(engine) as session:
        audit_log.record(session, operator_name(), "retention.now", None, changed)
    return changed


def _told(done: dict[str, int]) -> str:
    summary = ", ".join(f"{name} {rows:,}" for name, rows in done.items())
    return f"Done: {summary}." if summary else "Nothing was old enough."


def _days(age: timedelta) -> str:
    return f"{age.days:,} days" if age.days > 1 else f"{age.total_seconds() / 3600:g} hours"


def _show(found: list[DueRetention], past: list[PastMonth], waiting: int, old: RetentionAges) -> None:
    rows = [_line(one, old) for one in found]
    rows += [
        ("month of deliveries " + ("kept: something is open" if month.open else "dropped"), _days(old.deliveries),
         f"~{month.rows:,}", month.table.removeprefix("deliveries_").replace("_", "-"))
        for month in past
    ]  # fmt: skip
    show_rows(("what", "after", "now", "oldest"), rows)
    if waiting:
        typer.echo(f"{format_count(waiting, 'text')} still to be deleted at the carrier")
    typer.echo("The clock does this each hour; critter retention --now does it at once.")


def _line(one: DueRetention, old: RetentionAges) -> tuple[str, ...]:
    oldest = f"{one.oldest:%Y-%m-%d}" if one.oldest else ""
    return one.kind.says, _days(getattr(old, one.kind.age)), f"{one.rows:,}", oldest


def _plain(found: list[DueRetention], past: list[PastMonth], waiting: int, old: RetentionAges) -> dict[str, Any]:
    return {
        "due": [
            {
                "what": one.kind.name,
                "after_seconds": int(getattr(old, one.kind.age).total_seconds()),
                "rows": one.rows,
                "oldest": one.oldest.isoformat() if one.oldest else None,
            }
            for one in found
        ],
        "months": [month._asdict() for month in past],
        "at_the_carrier": waiting,
    }
