"""`critter dead`: deliveries that failed and inputs that three workers crashed on: listed, shown, retried, dropped.

Single ones are named by their ids; many by what they have in common, and then their number is shown first.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from critter.console.help_request import working
from gateway.channels import NAMES, NOUNS
from gateway.errors import Refused

if working():
    from sqlalchemy import Engine
    from sqlalchemy.orm import Session

    from critter.console import prompts, worker_wakeup
    from critter.console.console import database, format_age, open_session, operator_name, show_json, show_rows
    from gateway.carriers.operator_advice import advice
    from gateway.carriers.twilio.error_codes import CODES
    from gateway.language.words import durations
    from gateway.ledger.operations import dead_letters as dead
    from gateway.ledger.operations.dead_letters import Dead, DeadLetterCount, DeadLetterFilter
    from gateway.ledger.operations.retry import DeliveryStatus
    from gateway.network.inspect import trace_deliveries
    from gateway.network.inspect.id_lookup import look_up
    from gateway.network.operating import dead_letter_actions
    from gateway.network.operating.dead_letter_actions import BulkAction
    from gateway.settings import load
    from gateway.store.database import transaction
    from gateway.store.tables import Inbound

app = typer.Typer(
    add_completion=False, pretty_exceptions_enable=False, no_args_is_help=True, help="What failed for good."
)
Ids = Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help="MESSAGE:ADDRESS, a message, or an input.")]
Reason = Annotated[
    str | None, typer.Option(help="A carrier's code or a word: 30008, gave_up, quarantined, unknown, failed …")
]
Channel = Annotated[str | None, typer.Option(help=f"{' or '.join(NAMES)}.")]
Since = Annotated[str | None, typer.Option(metavar="2h", help="Those that died within this time.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]
SHOWN = 20
MOST = 1000  # in JSON
TITLES = ("count", "", "state", "reason", "meaning")
ENDINGS = {
    "gave_up": "trying took longer than it may",
    "quarantined": "it ended three workers: see the log, mend the cause, then retry",
    "rendering": "it could not be put into words: see the log",
    "no_route": "none of our numbers can text there",
}


@app.command("list")
def show_all(
    reason: Reason = None,
    channel: Channel = None,
    since: Since = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """How many died of what, and the newest of them."""
    which = _which(reason, channel, since)
    with open_session(load()) as session:
        counts = dead.counts(session, which)
        rows = dead.list_dead(session, which, MOST if as_json else SHOWN)
    if as_json:
        show_json({"counts": [one._asdict() for one in counts], "dead": [_plain(row) for row in rows]})
    elif not rows:
        typer.echo("There are no dead letters." if which == DeadLetterFilter() else "There are none of those.")
    else:
        show_rows(TITLES, [_count(one) for one in counts])
        typer.echo("")
        titles = ("id", "", "to", "state", "tries", "died", "reason")
        show_rows(titles, [_line(row) for row in rows])
        total = sum(one.rows for one in counts)
        if total > len(rows):
            typer.echo(f"and {total - len(rows):,} more (--json lists {MOST:,})")


@app.command()
def show(row_id: Annotated[str, typer.Argument(metavar="ID", help="As critter dead list names it.")]) -> None:
    """One of them: its tries, why it ended, and what could be done."""
    with open_session(load()) as session:
        found = look_up(session, row_id)
        if found.kind == "inbound":
            _show_input(session.get_one(Inbound, found.inbound_id))
            return
        for row in dead_letter_actions.read_status(session, found, row_id)[:SHOWN]:
            typer.echo(f"{row.message_id}:{row.address_id}  {NOUNS[row.channel]}, {row.state}: {_meaning(row.reason)}")
            for line in _tries(session, row):
                typer.echo(line)
    typer.echo(f"critter trace {row_id} shows the rest; critter dead retry {row_id} sends it again.")


@app.command()
def retry(
    ids: Ids = None, reason: Reason = None, channel: Channel = None, since: Since = None, yes: Yes = False
) -> None:
    """Send or read them again. What may have arrived before is marked as a possible duplicate.

    Exit 3: they are put back, and no worker is alive that would do it."""
    settings = load()
    which = _which(reason, channel, since)
    with database(settings) as engine:
        if ids:
            queues, done = _retry_named(engine, _only(ids, which))
        else:
            queues, done = _many(engine, which, yes, dead_letter_actions.RETRY)
        with transaction(engine) as session:
            missing = worker_wakeup.find_missing(session, queues)
    worker_wakeup.notify(settings, queues)
    typer.echo(f"Put back: {done:,}. critter outbox shows how it goes." if done else "There are none of those.")
    worker_wakeup.exit_if_missing(missing)


@app.command()
def drop(
    ids: Ids = None, reason: Reason = None, channel: Channel = None, since: Since = None, yes: Yes = False
) -> None:
    """Put them away for good; nobody is told."""
    which = _which(reason, channel, since)
    with database(load()) as engine:
        if ids:
            done = _drop_named(engine, _only(ids, which))
        else:
            _, done = _many(engine, which, yes, dead_letter_actions.DROP)
    typer.echo(f"Dropped: {done:,}." if done else "There are none of those.")


def _retry_named(engine: Engine, ids: Sequence[str]) -> tuple[frozenset[str], int]:
    with transaction(engine) as session:
        return dead_letter_actions.retry_named(session, ids, operator_name())


def _drop_named(engine: Engine, ids: Sequence[str]) -> int:
    with transaction(engine) as session:
        return dead_letter_actions.drop_named(session, ids, operator_name())


def _many(engine: Engine, which: DeadLetterFilter, yes: bool, deed: BulkAction) -> tuple[frozenset[str], int]:
    """Shows how many there are, asks, and does it."""
    if which == DeadLetterFilter():
        raise Refused("Say which: ids as critter dead list names them, or --reason, --channel or --since.")
    with transaction(engine) as session:
        which = dead.freeze_filter(session, which)
        counts = dead.counts(session, which)
    if not counts:
        return frozenset(), 0
    show_rows(TITLES, [_count(one) for one in counts])
    if not yes:
        prompts.confirm(f"{deed.name.capitalize()} {sum(one.rows for one in counts):,}?")
    return dead_letter_actions.apply_to_many(engine, which, deed, operator_name())


def _only(ids: Sequence[str], which: DeadLetterFilter) -> Sequence[str]:
    if which != DeadLetterFilter():
        raise Refused("Say either ids, or what those have in common.")
    return ids


def _which(reason: str | None, channel: str | None, since: str | None) -> DeadLetterFilter:
    if channel is not None and channel not in NAMES:
        raise Refused(f"--channel: {channel!r} is neither {' nor '.join(NAMES)}")
    return DeadLetterFilter(reason, channel, _span(since) if since else None)


def _span(given: str) -> timedelta:
    canonical = durations.duration(given.lower())
    if canonical is None or canonical.startswith("till"):
        raise Refused(f"--since: {given!r} is not a time: write 30m, 2h or 3d")
    then = datetime.now(UTC)
    return durations.ends(canonical, then) - then


def _tries(session: Session, row: DeliveryStatus) -> list[str]:
    [told], _ = trace_deliveries.deliveries(session, [row.message_id], row.address_id, lambda _: "", 1)
    return [
        f"    try {one['number']}  {one['started_at'][:19]}  {one['state']}  {one['reason'] or ''}".rstrip()
        for one in told["attempts"]
    ]


def _show_input(row: Inbound) -> None:
    dead_letter_actions.refuse_unless_aside(row)
    typer.echo(f"{row.id}  input by {row.channel}, {row.state}: {ENDINGS['quarantined']}")
    typer.echo(f"critter trace {row.id} shows the rest; critter dead retry {row.id} reads it again.")


def _meaning(reason: str | None) -> str:
    """The reason in words, with the next step where there is one."""
    code = int(reason) if reason and reason.isdecimal() else 0
    words = ENDINGS.get(reason or "") or (CODES[code].meaning if code in CODES else "")
    step = advice(reason)
    named = None if reason == "unnamed" else reason  # the ledger's value when no carrier gave a reason
    return "; ".join(part for part in (named, words, step) if part) or "nobody knows whether it arrived"


def _count(one: DeadLetterCount) -> tuple[object, ...]:
    words = "input" if one.kind == "input" else NOUNS[one.channel]
    reason = "quarantined" if one.kind == "input" else one.reason
    meaning = _meaning(reason).removeprefix(f"{reason}").removeprefix("; ")
    return (f"{one.rows:,}", words if one.rows == 1 else f"{words}s", one.state, one.reason, meaning)


def _line(row: Dead) -> tuple[object, ...]:
    words = "input" if row.kind == "input" else NOUNS[row.channel]
    to = f"@{row.handle}" if row.handle else None
    return (row.id, words, to, row.state, row.attempt, f"{format_age(datetime.now(UTC) - row.died_at)} ago", row.reason)


def _plain(row: Dead) -> dict[str, object]:
    return {**row._asdict(), "died_at": row.died_at.isoformat()}
