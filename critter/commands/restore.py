"""`critter restore`: a backup into an empty database, with everything that was open held until an operator's word."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import psycopg
import typer
from psycopg import sql
from sqlalchemy import Engine, make_url, text
from sqlalchemy.orm import Session

import migrations
from critter import backups, erasures
from critter.backups import Manifest
from critter.database import opened, owned, role
from critter.inside import counted, database, operator
from critter.servers.reached import reached
from gateway.bell import Bell
from gateway.errors import Refused, SettingsError
from gateway.ledger import audit, holding
from gateway.ledger.holding import Holding
from gateway.ledger.invariants import prove
from gateway.network import accounts, erasing
from gateway.settings import Settings, load
from gateway.store.database import transaction
from workers import litter

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def run(
    file: Annotated[Path | None, typer.Argument(metavar="[FILE]", help="What critter backup wrote.")] = None,
    drill: Annotated[
        bool, typer.Option("--drill", help="Into a database of its own, which is checked and dropped: once a week.")
    ] = False,
    release: Annotated[bool, typer.Option("--release", help="Let go of what a restore holds.")] = False,
    drop: Annotated[bool, typer.Option("--drop", help="End what a restore holds, unsent and unread.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Restore a backup; without FILE: what is held since the last restore.

    What was open in the backup may have been done since: deliveries, fan-outs and unread inputs are held, and nothing
    leaves until you --release or --drop them."""
    settings = load()
    if (file is not None) + release + drop > 1 or (drill and file is None):
        raise Refused("Say one: FILE, FILE --drill, --release or --drop.")
    if file is None:
        _decide(settings, release, drop, yes)
    elif drill:
        with reached(settings), _scratch(settings) as elsewhere:
            _restore(elsewhere, file, pictures=False)
            raise typer.Exit(_checked(elsewhere))
    else:
        with reached(settings):
            _restore(settings, file, pictures=True)
            raise typer.Exit(_checked(settings))


def _restore(settings: Settings, file: Path, *, pictures: bool) -> None:
    engine = owned(settings)
    try:
        with backups.opened(file) as (manifest, tar):
            _refuse(engine, settings, manifest)
            _tell(f"backup of {manifest.made_at}, schema {manifest.revision}")
            backups.fill(settings, tar, _tell)
            migrations.migrate(engine, role=role(settings))
            with transaction(engine) as session:
                _stop_all(session, manifest)
            _tell("held: everything that was open")
            if pictures:
                _tell(f"pictures: {backups.unpack_pictures(settings, tar):,} new")
                _erase_again(engine, settings)
    finally:
        engine.dispose()


def _refuse(engine: Engine, settings: Settings, manifest: Manifest) -> None:
    if manifest.mode != settings.mode:
        raise SettingsError(f"CRITTER_MODE is {settings.mode}, but this backup was made by {manifest.mode} Critter")
    with engine.connect() as connection:
        tables = connection.scalar(text("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"))
        others = connection.scalar(text(OTHERS))
    if tables:
        raise Refused("The database is not empty: name an empty one in CRITTER_DATABASE_URL, or a new CRITTER_VAR.")
    if others:
        raise Refused(f"{counted(others, 'connection')} to the database: stop Critter's processes first.")


def _stop_all(session: Session, manifest: Manifest) -> None:
    if not audit.stands(session, manifest.audit):
        raise Refused("The audit in this backup is not the one that was there when it was made: it was changed.")
    holding.hold(session)
    held = holding.held(session)
    counts = {"inputs": held.inputs, "fanouts": held.fanouts, "deliveries": held.deliveries}
    audit.record(session, operator(), "restore", None, {"backup": manifest.made_at, **counts})


def _erase_again(engine: Engine, settings: Settings) -> None:
    """Who was erased after the backup was made."""
    for account_id in erasures.remembered(settings.var):
        with transaction(engine) as session:
            person = accounts.by_id(session, account_id)
            done = erasing.erase(session, person, operator()) if person else None
        if done is None or not done.rows:
            continue
        litter.remove_unreferenced(engine, settings.var, list(done.pictures))
        _tell(f"erased again: {erasing.tombstone(account_id)}")


def _checked(settings: Settings) -> int:
    engine = opened(settings)
    try:
        with transaction(engine) as session:
            held = holding.held(session)
        with transaction(engine) as session:
            proof = prove(session)
    finally:
        engine.dispose()
    typer.echo(_told(held))
    typer.echo("The books agree." if proof.clean else f"{counted(len(proof.broken), 'row')} broken: see critter audit.")
    return 0 if proof.clean else 1


def _told(held: Holding) -> str:
    if not held.anything:
        return "Nothing is held."
    parts = (
        counted(held.inputs, "input"),
        f"{held.fanouts:,} {'fan-out' if held.fanouts == 1 else 'fan-outs'}",
        f"{held.deliveries:,} {'delivery' if held.deliveries == 1 else 'deliveries'}",
    )
    return f"Held: {', '.join(parts)}. critter restore --release lets them go, --drop ends them."


def _decide(settings: Settings, release: bool, drop: bool, yes: bool) -> None:
    with reached(settings), database(settings) as engine:
        with transaction(engine) as session:
            held = holding.held(session)
        typer.echo(_told(held))
        if not (release or drop) or held.since is None:
            return
        if not yes:
            what = "Send and read them? People may get some twice, marked" if release else "End them unsent and unread?"
            typer.confirm(what, abort=True)
        with transaction(engine) as session:
            bells = holding.release(session) if release else holding.drop(session)
            audit.record(session, operator(), "restore.release" if release else "restore.drop")
    _ring(settings, bells)
    typer.echo("Released." if release else "Ended.")


def _ring(settings: Settings, bells: frozenset[str]) -> None:
    bell = Bell(settings.redis_url)
    for name in sorted(bells):
        bell.ring(name)
    bell.close()


@contextmanager
def _scratch(settings: Settings) -> Iterator[Settings]:
    """A database of its own beside ours, dropped afterwards."""
    name = f"critter_drill_{secrets.token_hex(4)}"
    try:
        with psycopg.connect(settings.database_owner_url, autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name)))
    except psycopg.Error as error:
        raise Refused(f"No database for the drill can be made: {str(error).splitlines()[0]}") from None
    places = {
        which: make_url(url).set(database=name).render_as_string(hide_password=False)
        for which, url in (("database_url", settings.database_url), ("database_owner_url", settings.database_owner_url))
    }
    try:
        yield settings.model_copy(update=places)
    finally:
        with psycopg.connect(settings.database_owner_url, autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def _tell(line: str) -> None:
    typer.echo(line, err=True)


OTHERS = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
"""
