"""`critter drain`: closes the doors and waits until all that was accepted is done. Deploys call it before a restart."""

import time
from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Final

import typer
from sqlalchemy import Engine

from critter.inside import database, operator
from gateway.ledger import audit, draining
from gateway.settings import load
from gateway.store.database import transaction

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)

LOOK: Final = 0.5  # seconds
LEASE: Final = timedelta(seconds=15)  # the doors open again so long after this command was killed
RESTART: Final = timedelta(minutes=10)  # the time that a deploy has after it


@app.command()
def run(
    timeout: Annotated[float, typer.Option(min=0, metavar="SECONDS", help="How long to wait.")] = 120.0,
    off: Annotated[bool, typer.Option("--off", help="Open the doors again.")] = False,
) -> None:
    """Take nothing in, finish what there is, then restart. Exit 1, and open doors, when it does not end in time."""
    with database(load()) as engine:
        if off:
            typer.echo("The doors are open again." if _open(engine) else "The doors were open.")
            return
        try:
            rest = _drain(engine, timeout)
        except BaseException:  # Ctrl-C too: nobody will restart anything now
            _open(engine)
            raise
        if rest:
            _open(engine)
            typer.echo(f"Not drained within {timeout:g} s: {_words(rest)}. The doors are open again.")
            typer.echo("Do the workers run? critter outbox and critter carriers list say what does not get on.")
            raise typer.Exit(1)
    minutes = RESTART.total_seconds() / 60
    typer.echo(f"Drained. Restart now: the doors of the old processes open again in {minutes:g} minutes.")


def _drain(engine: Engine, timeout: float) -> Mapping[str, int]:
    """What is left in the end: nothing when all is done."""
    end = time.monotonic() + timeout
    with transaction(engine) as session:
        draining.close_doors(session, LEASE)
        audit.record(session, operator(), "drain.begin")
    said = ""
    while True:
        with transaction(engine) as session:
            rest = draining.left(session)
            draining.keep_closed(session, LEASE if rest else RESTART)
        if not rest or time.monotonic() >= end:
            return rest
        if (words := _words(rest)) != said:
            said = words
            typer.echo(f"left: {words}")
        time.sleep(min(LOOK, max(0.0, end - time.monotonic())))


def _open(engine: Engine) -> bool:
    with transaction(engine) as session:
        return draining.open_doors(session)


def _words(rest: Mapping[str, int]) -> str:
    return ", ".join(f"{count:,} {what}" for what, count in rest.items())
