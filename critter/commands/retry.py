"""`critter retry ID`: a delivery that failed, or an input that was set aside, gets another chance."""

from __future__ import annotations

from typing import Annotated

import typer

from critter.console.help_request import working
from gateway.errors import Refused

if working():
    from sqlalchemy.orm import Session

    from critter.console import worker_wakeup
    from critter.console.console import format_count, open_session, operator_name
    from gateway.channels import NOUNS
    from gateway.ledger.operations import retry
    from gateway.network.inspect.id_lookup import LookupResult, look_up
    from gateway.settings import load
    from gateway.store.tables import Inbound

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def run(
    row_id: Annotated[
        str,
        typer.Argument(metavar="ID", help="A delivery (MESSAGE:ADDRESS), a message (all of it that failed), an input."),
    ],
) -> None:
    """Put a failed delivery, one in doubt, or a quarantined input back. It may arrive twice if it arrived before.

    Exit 3: it is put back, and no worker is alive that would do it."""
    settings = load()
    with open_session(settings) as session:
        queues, what = _put_back(session, look_up(session, row_id))
        missing = worker_wakeup.find_missing(session, queues)
    worker_wakeup.notify(settings, queues)
    typer.echo(f"Put back: {what}. critter trace {row_id} shows how it goes.")
    worker_wakeup.exit_if_missing(missing)


def _put_back(session: Session, found: LookupResult) -> tuple[frozenset[str], str]:
    """(queues to wake, what was put back)"""
    if found.kind == "inbound":
        retry.readmit(session, session.get_one(Inbound, found.inbound_id), operator_name())
        return frozenset({"inbound"}), "1 input"
    if found.message_id is None:
        raise Refused("That is a post: retry one of its deliveries. critter trace shows them.")
    rows = retry.deliveries(session, found.message_id, found.address_id)
    channels = retry.put_back(session, rows, operator_name())
    badly = sum(row.state in retry.BADLY for row in rows)
    words = NOUNS[next(iter(channels))] if len(channels) == 1 else "delivery"
    return channels, format_count(badly, words)
