"""`critter people import` on the command line: reads, reports, shows its progress, says what was done."""

import sys
from collections.abc import Sequence
from pathlib import Path

import typer
from sqlalchemy.orm import Session

from critter.console.console import format_count, operator_name
from gateway.errors import Refused
from gateway.network.operating import people_imports
from gateway.network.operating.people_imports import ImportReport, WrongRows
from gateway.network.people.imports import apply
from gateway.network.people.imports.apply import Imported
from gateway.network.people.imports.csv_file import Problem, Roster
from gateway.network.people.imports.plan import ImportPlan, KnownAccount

SHOWN = 50  # bad rows, and people who would be deactivated
LONG = 2000  # rows from which on it shows its progress


def read_content(file: Path) -> bytes:
    """The whole file, or standard input; raises Refused."""
    try:
        return sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    except OSError as error:
        raise Refused(f"{file}: {error.strerror or error}.") from None


def run(session: Session, found: Roster, *, complete: bool, sure: bool) -> ImportReport:
    """Imports all of it or nothing. A complete file only shows what it would do until `sure` is given."""
    missing = people_imports.find_missing(session, found, complete=complete)
    _show_missing(missing)
    try:
        return people_imports.run(
            session, found, missing, operator_name(), sure=sure or not complete, carry_out=_carried_out
        )
    except WrongRows as wrong:
        _refuse(wrong.problems)
        raise


def _refuse(problems: Sequence[Problem]) -> None:
    for problem in problems[:SHOWN]:
        typer.echo(f"{problem.place}: {problem.reason}", err=True)
    if len(problems) > SHOWN:
        typer.echo(f"and {len(problems) - SHOWN:,} more", err=True)
    raise Refused(f"{format_count(len(problems), 'problem')} in the file: nothing was changed.")


def _show_missing(missing: Sequence[KnownAccount]) -> None:
    for one in missing[:SHOWN]:
        typer.echo(f"not in the file: @{one.handle} {one.name}", err=True)
    if len(missing) > SHOWN:
        typer.echo(f"and {len(missing) - SHOWN:,} more", err=True)


def _carried_out(session: Session, plan: ImportPlan) -> Imported:
    if len(plan.rows) < LONG:
        return apply.carry_out(session, plan)
    with typer.progressbar(length=len(plan.rows), label="Importing", file=sys.stderr) as bar:
        return apply.carry_out(session, plan, bar.update)


def summarize(done: ImportReport) -> str:
    rows = format_count(done.imported.people, "row")
    if not done.something:
        return f"{rows}: all of it is so already. Nothing was changed."
    line = f"{rows}: {_people(done)}; new: {_new(done.imported)}."
    return line if done.sure else f"Nothing was changed. With --yes it would be: {line}"


def _people(done: ImportReport) -> str:
    one = done.imported
    primary = f"; {format_count(one.primaries, 'other phone or mailbox')} first" if one.primaries else ""
    return f"{one.added:,} added, {one.changed:,} changed, {len(done.missing):,} deactivated{primary}"


def _new(one: Imported) -> str:
    counts = {"phone or mailbox": one.phones_and_mailboxes, "group": one.groups, "consent": one.consents}
    counts |= {"follow": one.follows} | ({"alias": one.aliases} if one.aliases else {})
    return ", ".join(format_count(count, noun) for noun, count in counts.items())
