"""`critter held`: what waits for an operator's decision: senders who are not proved, inputs that three workers crashed
on."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any

import typer

from critter.console.help_request import working

if working():
    from critter.console import worker_wakeup
    from critter.console.console import format_count, open_session, operator_name, show_json, show_rows
    from gateway.channels import NOUNS
    from gateway.ledger.audit import audit_log
    from gateway.ledger.operations import retry
    from gateway.ledger.operations.retry import HeldInput
    from gateway.network.operating import held_inputs
    from gateway.security.masking import mask_contact
    from gateway.settings import Settings, load
    from gateway.store.tables import Inbound

app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    help="Mails and inputs that wait for your decision.",
)
READERS = ("inbound",)
Ids = Annotated[list[int] | None, typer.Argument(metavar="[ID]...", help="Which, as critter held list names them.")]
All = Annotated[bool, typer.Option("--all", help="All of them.")]


@app.command("list")
def show(as_json: Annotated[bool, typer.Option("--json", help="One JSON array.")] = False) -> None:
    """What is held and why."""
    settings = load()
    with open_session(settings) as session:
        rows = retry.list_held(session)
    if as_json:
        show_json([_plain(settings, row) for row in rows])
    elif rows:
        show_rows(("id", "received (UTC)", "by", "from", "why"), [_line(settings, row) for row in rows])
    else:
        typer.echo("Nothing is held.")


@app.command("show")
def show_one(
    input_id: Annotated[int, typer.Argument(metavar="ID", help="As critter held list names it.")],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """One of them: how it came, to which of our addresses, why it is held. Its words may be private and are not shown.
    That you looked is kept."""
    settings = load()
    with open_session(settings) as session:
        row = retry.read_one(session, input_id)
        found = _details(settings, row)
        audit_log.record(session, operator_name(), "held.show", row.id)
    if as_json:
        show_json(found)
        return
    noun = NOUNS.get(found["channel"], found["channel"])
    typer.echo(f"{noun} {found['id']} from {found['sender']}, {found['received_at'][:16].replace('T', ' ')} UTC")
    typer.echo(
        f"to {', '.join(found['recipients']) or 'nobody'}; {found['octets']:,} octets; {found['tries']} of 3 tries"
    )
    typer.echo(f"{found['state']}: {found['reason'] or 'nobody said why'}")
    typer.echo(f"critter held approve {found['id']} lets it in, critter held drop {found['id']} puts it away.")


def _details(settings: Settings, row: Inbound) -> dict[str, Any]:
    mask = partial(mask_contact, settings.secret_keys[0])
    shown = HeldInput(row.id, row.channel, row.state, row.received_at, row.sender, row.reason)
    return _plain(settings, shown) | {
        "recipients": [held_inputs.without_token(one, mask) for one in row.recipients],
        "octets": len(row.raw or (row.text or "").encode()),
        "tries": row.attempt,
        "proof": row.proof,
    }


@app.command()
def approve(ids: Ids = None, everything: All = False) -> None:
    """Let them in: they are read as if their senders were proved.

    Exit 3: they are let in, and no worker is alive that would read them."""
    settings = load()
    with open_session(settings) as session:
        count = held_inputs.approve(session, ids or [], operator_name(), everything=everything)
        missing = worker_wakeup.find_missing(session, READERS) if count else ()
    worker_wakeup.notify(settings, READERS)
    typer.echo(f"Let in: {format_count(count, 'input')}." if count else "Nothing is held.")
    worker_wakeup.exit_if_missing(missing)


@app.command()
def drop(ids: Ids = None, everything: All = False) -> None:
    """Put them away unread; nobody is told."""
    with open_session(load()) as session:
        count = held_inputs.drop(session, ids or [], operator_name(), everything=everything)
    typer.echo(f"Dropped: {format_count(count, 'input')}." if count else "Nothing is held.")


def _masked(settings: Settings, row: HeldInput) -> str:
    return mask_contact(settings.secret_keys[0], row.sender)


def _why(row: HeldInput) -> str:
    return row.reason or ("it ended three workers" if row.state == "quarantined" else "")


def _line(settings: Settings, row: HeldInput) -> tuple[object, ...]:
    return (row.id, f"{row.received_at:%Y-%m-%d %H:%M}", row.channel, _masked(settings, row), _why(row))


def _plain(settings: Settings, row: HeldInput) -> dict[str, str]:
    return {
        "id": str(row.id),
        "state": row.state,
        "channel": row.channel,
        "received_at": row.received_at.isoformat(),
        "sender": _masked(settings, row),
        "reason": _why(row),
    }
