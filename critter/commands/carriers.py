"""`critter carriers`: which of our numbers send, which are paused and why; an operator pauses and resumes them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from critter.console.help_request import working
from gateway.errors import Refused

if working():
    from critter.console.console import format_age, open_session, operator_name, show_json, show_rows
    from gateway.carriers.operator_advice import advice
    from gateway.carriers.smtp.provider_profiles import provider_terms
    from gateway.language.words import durations
    from gateway.ledger.senders import relay_quota
    from gateway.ledger.senders.pauses import RELAY, Paused
    from gateway.network.operating import pausing
    from gateway.settings import load

app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    help="Pause and resume our numbers and the relay.",
)
Which = Annotated[str, typer.Argument(metavar="NAME|NUMBER", help="A carrier (twilio, smtp), or one number of ours.")]


@app.command("list")
def show(as_json: Annotated[bool, typer.Option("--json", help="One JSON array.")] = False) -> None:
    """What sends, what is paused, and what to do about it."""
    settings = load()
    with open_session(settings) as session:
        rows = pausing.list_senders(session, settings)
        mails = relay_quota.today(session)
    daily = provider_terms(settings).daily
    if as_json:
        show_json([_plain(row, mails, daily) for row in rows])
        return
    if not rows:
        typer.echo("Nothing sends: both channels are off, or no worker-sms has run yet.")
        return
    show_rows(("carrier", "number", "state", "last refusal or reason"), [_line(row) for row in rows])
    for step in dict.fromkeys(_step(row) for row in rows if row.paused):
        typer.echo(step)
    if daily and settings.mail:
        typer.echo(f"mail: {mails:,} of {daily:,} of today (UTC)")


@app.command()
def pause(
    which: Which,
    wait: Annotated[str | None, typer.Option("--for", metavar="2h", help="How long; else until you resume.")] = None,
    reason: Annotated[str | None, typer.Option(help="Why, for whoever looks next.")] = None,
) -> None:
    """Nothing leaves there; what is to go waits and loses nothing."""
    span = _span(wait) if wait else None
    settings = load()
    with open_session(settings) as session:
        rows = pausing.pause(session, settings, which, span, operator_name(), reason or "")
    until = f"for {format_age(span)}" if span else f"until critter carriers resume {which}"
    typer.echo(f"Paused {until}: {_named(rows)}. A text or mail that is on its way already still goes.")


@app.command()
def resume(which: Which) -> None:
    """What waited leaves, within some seconds."""
    settings = load()
    with open_session(settings) as session:
        rows = pausing.resume(session, settings, which, operator_name())
    typer.echo(f"Resumed: {_named(rows)}. What waited leaves as soon as a worker looks, within some seconds.")


def _span(given: str) -> timedelta:
    canonical = durations.duration(given.lower())
    if canonical is None:
        raise Refused(f"--for: {given!r} is not a time: write 30m, 2h, 3d, or 'till 9'")
    now = datetime.now(UTC)
    return durations.ends(canonical, now) - now


def _named(rows: Sequence[Paused]) -> str:
    return ", ".join(row.number for row in rows)


def _state(row: Paused) -> str:
    if not row.paused:
        return "active"
    if row.until is None:
        return "paused until you resume it"
    return f"paused for {format_age(row.until - datetime.now(UTC))}"


def _step(row: Paused) -> str:
    step = advice(row.reason, row.carrier) or f"critter carriers resume {row.number}"
    return f"{row.number}: {step}"


def _line(row: Paused) -> tuple[object, ...]:
    return (row.carrier, row.number, _state(row), row.reason)


def pause_line(row: Paused) -> str:
    """One line about what is paused, for commands that show what waits."""
    return f"{row.number} is {_state(row)} ({row.reason or 'no reason given'}): {_step(row).partition(': ')[2]}"


def _plain(row: Paused, mails: int, daily: int | None) -> dict[str, object]:
    today = {"today": mails, "daily": daily} if row.carrier == RELAY and daily else {}
    return {
        "id": str(row.id),
        "carrier": row.carrier,
        "number": row.number,
        "paused": row.paused,
        "until": row.until.isoformat() if row.until else None,
        "reason": row.reason,
        "advice": advice(row.reason, row.carrier),
        **today,
    }
