"""`critter outbox`: what waits, what was sent, and what makes no progress, and why."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Literal

import typer

from critter.console.help_request import working

if working():
    from critter.commands.carriers import pause_line
    from critter.console.console import format_age, open_session, show_json, show_rows
    from gateway.channels import CHANNELS
    from gateway.ledger.operations import outbox_stats, waiting_items
    from gateway.ledger.operations.outbox_stats import DeliveryCount, RunningFanouts, WaitingDelivery
    from gateway.ledger.operations.waiting_items import WaitingItems
    from gateway.ledger.senders import pauses
    from gateway.ledger.senders.pauses import Paused
    from gateway.settings import load

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
SHOWN = 20
# As gateway/ledger/operations/outbox_stats has them, which mypy checks.
State = Literal["queued", "sending", "retry", "unknown", "held", "sent", "delivered", "failed", "cancelled"]


@app.command()
def run(
    state: Annotated[State | None, typer.Option(help="List deliveries in this state.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """How many texts and mails are in which state, and up to 20 that are stuck."""
    with open_session(load()) as session:
        counts = outbox_stats.counts(session)
        rows = outbox_stats.in_state(session, state, SHOWN) if state else outbox_stats.stuck(session, SHOWN)
        fanouts = outbox_stats.fanouts(session)
        items = waiting_items.count(session)
        paused = [row for row in pauses.list_pauses(session) if row.paused]
    if as_json:
        more = {"waiting": _items(items), "paused": [_paused(row) for row in paused]}
        show_json(_plain(list(counts), list(rows), fanouts, state) | more)
        return
    _show_counts([count for count in counts if state in (None, count.state)], fanouts, state)
    if items.waiting or items.folded:
        typer.echo(_waits(items))
    for row in paused:
        typer.echo(pause_line(row))
    _show_waiting(list(rows), state)


def _show_counts(counts: list[DeliveryCount], fanouts: RunningFanouts, state: str | None) -> None:
    if counts:
        rows = [(CHANNELS[one.channel].nouns, one.state, f"{one.deliveries:,}", _age(one.oldest)) for one in counts]
        show_rows(("", "state", "count", "oldest open"), rows)
    else:
        typer.echo(f"Nothing is {state}." if state else "The outbox is empty: nothing was ever sent.")
    if fanouts.fanouts:
        due = f", the oldest due for {format_age(fanouts.oldest)}" if fanouts.oldest else ""
        typer.echo(f"{fanouts.fanouts:,} still to be spread{due}")


def _waits(items: WaitingItems) -> str:
    """Of what waits for its readers: how much, when more is due, and whether anything is overdue."""
    after = f", the next for {format_age(items.next)}" if items.next else ""
    late = f"; the oldest is overdue for {format_age(items.overdue)}" if items.overdue else ""
    folded = f", {items.folded:,} in digests that are about to leave" if items.folded else ""
    return f"{items.waiting:,} wait for their readers{after}{folded}{late}"


def _items(items: WaitingItems) -> dict[str, Any]:
    return items._asdict() | {"next": _seconds(items.next), "overdue": _seconds(items.overdue)}


def _show_waiting(rows: list[WaitingDelivery], state: str | None) -> None:
    if not rows:
        return
    typer.echo("\n" + ("" if state else "These are stuck:"))
    titles = ("delivery", "by", "to", "state", "tries", "age", "next", "reason")
    show_rows(titles, [_line(row) for row in rows])


def _line(row: WaitingDelivery) -> tuple[object, ...]:
    to = f"@{row.handle}" if row.handle else None
    return (row.id, row.channel, to, row.state, row.attempt, format_age(row.age), _next(row.next), row.reason)


def _paused(row: Paused) -> dict[str, Any]:
    until = row.until.isoformat() if row.until else None
    return {"carrier": row.carrier, "number": row.number, "until": until, "reason": row.reason}


def _age(age: timedelta | None) -> str:
    return format_age(age) if age is not None else ""


def _next(wait: timedelta | None) -> str:
    if wait is None:
        return ""
    return f"in {format_age(wait)}" if wait > timedelta(0) else f"due for {format_age(-wait)}"


def _plain(
    counts: list[DeliveryCount], rows: list[WaitingDelivery], fanouts: RunningFanouts, state: str | None
) -> dict[str, Any]:
    return {
        "counts": [{**one._asdict(), "oldest": _seconds(one.oldest)} for one in counts],
        "fanouts": {"waiting": fanouts.fanouts, "oldest": _seconds(fanouts.oldest)},
        state or "stuck": [{**row._asdict(), "age": _seconds(row.age), "next": _seconds(row.next)} for row in rows],
    }


def _seconds(span: timedelta | None) -> float | None:
    return None if span is None else round(span.total_seconds(), 1)
