"""What the commands that read the database share: the database or one line why not, JSON, tables, the operator's
name."""

import getpass
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import typer
from psycopg.errors import UndefinedColumn, UndefinedTable
from sqlalchemy import Engine, inspect, select
from sqlalchemy.exc import OperationalError, ProgrammingError
from sqlalchemy.orm import Session

from critter.console.database import Unfinished, open_database
from gateway.errors import Refused, SettingsError
from gateway.settings import Settings
from gateway.store import restore_marker
from gateway.store.database import transaction
from gateway.store.tables import Installation


@contextmanager
def database(settings: Settings) -> Iterator[Engine]:
    """The installed database of our mode; raises Refused or SettingsError, also when it becomes unreachable
    meanwhile."""
    engine = open_database(settings)
    try:
        _refuse_other(engine, settings.mode)
        yield engine
    except OperationalError as error:
        if restore_marker.is_refusal(error):
            raise Unfinished from None
        reason = str(error.orig).strip().splitlines()[0]
        raise Refused(f"The database stopped answering: {reason}. Nothing was changed; try again.") from None
    except ProgrammingError as error:
        if not isinstance(error.orig, UndefinedTable | UndefinedColumn):
            raise
        raise Refused("The database is of another version than this Critter: run critter migrate.") from None
    finally:
        engine.dispose()


def _refuse_other(engine: Engine, mode: str) -> None:
    if not inspect(engine).has_table(Installation.__tablename__):
        raise Refused("The database is empty: critter up makes it, or critter migrate.")
    with transaction(engine) as session:
        made_by = session.scalar(select(Installation.mode))
    if made_by not in (None, mode):
        raise SettingsError(f"CRITTER_MODE is {mode}, but this database was made by {made_by} Critter")


@contextmanager
def open_session(settings: Settings) -> Iterator[Session]:
    """One transaction on the database."""
    with database(settings) as engine, transaction(engine) as session:
        yield session


def show_json(what: Any) -> None:
    """One line, as other programs read it; ids are decimal strings already."""
    typer.echo(json.dumps(what, ensure_ascii=False, default=str))


def show_rows(titles: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Columns as wide as their longest value; the last one may be longer than the screen."""
    table = [list(titles), *([("" if cell is None else str(cell)) for cell in row] for row in rows)]
    widths = [max(len(row[place]) for row in table) for place in range(len(titles) - 1)]
    for number, row in enumerate(table):
        line = "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[-1]]).rstrip()
        typer.echo(typer.style(line, dim=True) if number == 0 else line)


def format_age(age: timedelta) -> str:
    """40 s, 3 min, 5 h, 2 days."""
    seconds = max(0, round(age.total_seconds()))
    for unit, size in (("days", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


_MANY = {
    "person": "people",
    "alias": "aliases",
    "phone or mailbox": "phones and mailboxes",
    "other phone or mailbox": "other phones and mailboxes",
}


def format_count(count: int, noun: str) -> str:
    """1 input, 3 inputs, 2 deliveries, 4 people, 5 phones and mailboxes."""
    many = (
        _MANY.get(noun)
        or (f"{noun}es" if noun.endswith("s") else None)
        or (f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s")
    )
    return f"{count:,} {noun if count == 1 else many}"


def operator_name() -> str:
    """The user at the command line, for the audit."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        return "command line"
