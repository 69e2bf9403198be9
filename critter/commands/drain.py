"""`critter drain`: closes the doors and waits until all that was accepted is done. Deploys call it before a restart.

The other processes have confirmed what it reports: each door writes into the database that it is closed once it is.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Annotated, Final

import typer

from critter.console.help_request import working
from gateway.errors import Refused

if working():
    from sqlalchemy import Engine

    from critter.console.console import database, format_age, operator_name
    from gateway.ledger.audit import audit_log
    from gateway.ledger.operations import drain_mode, heartbeat
    from gateway.ledger.operations.drain_mode import DoorProcess
    from gateway.settings import load
    from gateway.store.database import transaction

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)

LOOK: Final = 0.5  # seconds
LEASE: Final = timedelta(seconds=15)  # the doors open again so long after this command was killed
RESTART: Final = timedelta(minutes=10)  # the time that a deploy has for it
OPENING: Final = 3  # heartbeats in which a door must say that it is open again
NOT_DONE: Final = 1  # exit codes
NOT_CONFIRMED: Final = 3


@dataclass(frozen=True)
class OpenWork:
    """The work that a drain still waits for; false when there is none."""

    work: Mapping[str, int] = field(default_factory=dict)
    doors: Sequence[DoorProcess] = ()

    def __bool__(self) -> bool:
        return bool(self.work or self.doors)

    def words(self) -> str:
        counts = [f"{count:,} {what}" for what, count in self.work.items()]
        return ", ".join([*counts, *(f"not confirmed by {named(door)}" for door in self.doors)])


@app.command()
def run(
    timeout: Annotated[float, typer.Option(min=0, metavar="SECONDS", help="How long to wait.")] = 120.0,
    off: Annotated[bool, typer.Option("--off", help="Open the doors again.")] = False,
) -> None:
    """Take nothing in, finish what there is, then restart.

    Exit 0: every process confirmed it. Exit 1: work is left. Exit 3: a process did not confirm that it is closed."""
    with database(load()) as engine:
        if off:
            was_closed = _ask_to_open(engine)
            typer.echo(_opened(engine) if was_closed else "The doors were open.")
            return
        try:
            rest = _drain(engine, timeout)
        except BaseException:  # Ctrl-C too: nobody will restart anything now
            _ask_to_open(engine)
            raise
        if rest:
            _ask_to_open(engine)
            typer.echo(f"Not drained within {timeout:g} s: {rest.words()}. {_opened(engine)}")
            typer.echo(_advice(rest))
            raise typer.Exit(NOT_CONFIRMED if rest.doors else NOT_DONE)
        _tell_silent(engine)
    minutes = RESTART.total_seconds() / 60
    typer.echo(f"Drained. Restart now: the doors of the old processes open again in {minutes:g} minutes.")


def named(door: DoorProcess) -> str:
    """How an operator finds the door: its process and its machine."""
    return f"{door.name} on {door.host or 'an unknown host'} (pid {door.pid or 'unknown'})"


def _drain(engine: Engine, timeout: float) -> OpenWork:
    """Waits; returns what is left in the end, which is nothing when all is done."""
    end = time.monotonic() + timeout
    with transaction(engine) as session:
        drain_mode.close_doors(session, LEASE)
        audit_log.record(session, operator_name(), "drain.begin")
    said, final = "", None
    while True:
        rest, final = _look(engine, final)
        if not rest or time.monotonic() >= end:
            return rest
        if final is None and (words := rest.words()) != said:
            said = words
            typer.echo(f"left: {words}")
        time.sleep(min(LOOK, max(0.0, end - time.monotonic())))


def _look(engine: Engine, final: datetime | None) -> tuple[OpenWork, datetime | None]:
    """One look: what is left; nothing when the drain is over. When all is done the doors are asked to stay closed for
    the restart as well, until `final`, and each has to confirm this too."""
    with transaction(engine) as session:
        rest = OpenWork(drain_mode.left(session), drain_mode.list_unconfirmed(session, final))
        if rest.work or (rest and final is None):
            drain_mode.keep_closed(session, LEASE)
            return rest, None
        if final is None:
            final = drain_mode.keep_closed(session, RESTART)
            rest = OpenWork(doors=drain_mode.list_unconfirmed(session, final))
        if not rest and not drain_mode.complete(session, final):
            raise Refused("Somebody opened the doors meanwhile (critter drain --off): this is not drained.")
        return rest, final


def _ask_to_open(engine: Engine) -> bool:
    with transaction(engine) as session:
        return drain_mode.open_doors(session)


def _opened(engine: Engine) -> str:
    """The state of the doors: each that is alive has a few heartbeats to confirm that it is open."""
    end = time.monotonic() + OPENING * heartbeat.BEAT
    while True:
        with transaction(engine) as session:
            closed = drain_mode.still_closed(session)
        if not closed:
            return "The doors are open again."
        if time.monotonic() >= end:
            return f"Not open again as far as they say: {', '.join(map(named, closed))}."
        time.sleep(LOOK)


def _advice(rest: OpenWork) -> str:
    if rest.doors:
        return "A process that hangs, or runs an older version, does not confirm: end it, then drain again."
    return "Do the workers run? critter outbox and critter carriers list say what does not get on."


def _tell_silent(engine: Engine) -> None:
    with transaction(engine) as session:
        for door in drain_mode.list_silent(session):
            typer.echo(
                f"Not heard of for {format_age(door.silent_for)}: {named(door)}. If it holds texts in its spool, they"
                " come in when it runs again."
            )
