"""`critter restore`: replaces our database with a backup; everything that was open is held until an operator
decides."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer

from critter.console.help_request import working
from gateway.channels import NAMES
from gateway.errors import Refused

if working():
    from critter.backup import archive, in_place_restore, restore, side_by_side_restore
    from critter.backup.databases import Server, Unreachable
    from critter.backup.restore import Restore
    from critter.console import prompts, worker_wakeup
    from critter.console.console import database, format_count, operator_name
    from critter.processes import registry
    from critter.servers.reached import reach_servers
    from gateway import failpoints
    from gateway.ledger.audit import audit_log
    from gateway.ledger.audit.invariants import prove
    from gateway.ledger.operations import restore_hold
    from gateway.ledger.operations.restore_hold import RestoreHold
    from gateway.settings import Settings, load
    from gateway.store.database import connect, transaction

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def run(
    file: Annotated[Path | None, typer.Argument(metavar="[FILE]", help="What critter backup wrote.")] = None,
    drill: Annotated[
        bool, typer.Option("--drill", help="Into a database of its own, which is checked and dropped: once a week.")
    ] = False,
    replace: Annotated[
        bool, typer.Option("--replace", help="Also when the database is not empty; it is kept under another name.")
    ] = False,
    here: Annotated[
        bool, typer.Option("--in-place", help="Into the empty database itself, without making another one.")
    ] = False,
    release: Annotated[bool, typer.Option("--release", help="Let go of what a restore holds.")] = False,
    drop: Annotated[bool, typer.Option("--drop", help="End what a restore holds, unsent and unread.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Restore a backup; without FILE: what is held since the last restore.

    All of it is restored or nothing: stop all processes, and run it again if it was broken off. What was open in the
    backup may have been done since: deliveries, fan-outs and unread inputs are held, and nothing leaves until you
    --release or --drop them."""
    settings = load()
    failpoints.arm(settings.crash_at, settings.var, "restore")
    if (file is not None) + release + drop > 1 or (file is None and (drill or replace or here)):
        raise Refused("Say one: FILE, FILE --drill, --release or --drop.")
    if drill + replace + here > 1:
        raise Refused("Say one of --drill, --replace and --in-place.")
    if file is None:
        _decide(settings, release, drop, yes)
        return
    with archive.open_archive(file) as backup, reach_servers(settings, by_owner=True):
        restore.refuse_unfit(settings, backup.manifest)
        restore.refuse_urls(settings)
        asked = Restore(settings, backup, _tell)
        raise typer.Exit(_drill(asked) if drill else _restore(asked, replace=replace, here=here))


def _restore(asked: Restore, *, replace: bool, here: bool) -> int:
    url, why = asked.settings.database_owner_url, "--in-place"
    with ExitStack() as stack:
        try:
            server = None if here else stack.enter_context(Server(url))
        except Unreachable as unreachable:
            server, why = None, str(unreachable)
        if server is not None:
            side_by_side_restore.sweep(server, asked.settings.var)
        if when := restore.restored_at(url, asked.backup.manifest):  # it was killed at its end, or is run twice
            _tell(f"This backup was restored at {when} already; nothing was changed.")
        elif server is not None:
            side_by_side_restore.restore(asked, server, replace=replace)
        else:
            in_place_restore.restore(asked, url, why)
    return _checked(asked.settings, asked.settings.database_owner_url)


def _drill(asked: Restore) -> int:
    try:
        with Server(asked.settings.database_owner_url) as server, side_by_side_restore.drill(server) as url:
            restore.fill(asked, url)
            return _checked(asked.settings, url)
    except Unreachable as unreachable:
        raise Refused(f"No database for the drill can be made: {unreachable}.") from None


def _checked(settings: Settings, url: str) -> int:
    """Shows what is held there, and whether the tables are consistent; returns the exit code."""
    engine = connect(url, keys=settings.secret_keys, marked=True)
    try:
        with transaction(engine) as session:
            held = restore_hold.read_held(session)
        with transaction(engine) as session:
            proof = prove(session)
    finally:
        engine.dispose()
    typer.echo(_told(held))
    typer.echo(
        "The books agree." if proof.clean else f"{format_count(len(proof.broken), 'row')} broken: see critter audit."
    )
    return 0 if proof.clean else 1


def _told(held: RestoreHold) -> str:
    if not held.anything:
        return "Nothing is held."
    parts: tuple[str, ...] = (
        format_count(held.inputs, "input"),
        f"{held.fanouts:,} {'fan-out' if held.fanouts == 1 else 'fan-outs'}",
        f"{held.deliveries:,} {'delivery' if held.deliveries == 1 else 'deliveries'}",
    )
    if held.items:
        parts = (*parts, format_count(held.items, "item") + " waiting for readers")
    if held.calls:
        parts = (*parts, format_count(held.calls, "call") + " waiting for answers")
    return f"Held: {', '.join(parts)}. critter restore --release lets them go, --drop ends them."


def _decide(settings: Settings, release: bool, drop: bool, yes: bool) -> None:
    with reach_servers(settings), database(settings) as engine:
        with transaction(engine) as session:
            held = restore_hold.read_held(session)
        typer.echo(_told(held))
        if not (release or drop) or held.since is None:
            return
        if not yes:
            what = "Send and read them? People may get some twice, marked" if release else "End them unsent and unread?"
            prompts.confirm(what)
        with transaction(engine) as session:
            drains = restore_hold.release(session) if release else restore_hold.drop(session)
            audit_log.record(session, operator_name(), "restore.release" if release else "restore.drop")
            missing = worker_wakeup.find_missing(session, _wanted(settings, held, drains))
    worker_wakeup.notify(settings, drains)
    typer.echo("Released." if release else "Ended.")
    worker_wakeup.exit_if_missing(missing)


def _wanted(settings: Settings, held: RestoreHold, drains: frozenset[str]) -> list[str]:
    """The queues that have work, of channels that are on."""
    work = {
        "inbound": held.inputs,
        "fanout": held.fanouts + held.items + held.calls,
        **dict.fromkeys(NAMES, held.deliveries),
    }
    running = registry.of(settings)
    return [drain for drain in drains if work.get(drain) and f"worker-{drain}" in running]


def _tell(line: str) -> None:
    typer.echo(line, err=True)
