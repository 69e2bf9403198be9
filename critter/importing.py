"""`critter people import` as the command line does it: read, report, change, show how far it is, tell what was done."""

import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import typer
from sqlalchemy.orm import Session

from critter.inside import counted, operator
from gateway.errors import Refused
from gateway.ledger import audit
from gateway.network import accounts, enrolment, people_import
from gateway.network.enrolment import Imported
from gateway.network.people_import import Known, Plan
from gateway.network.roster import Problem, Roster

SHOWN = 50  # bad rows, and people who would be deactivated
LONG = 2000  # rows from which on it shows how far it is


@dataclass(frozen=True, slots=True)
class Done:
    """What changed, or with `sure` off what would. `missing`: handles of those whom a complete file does not name."""

    imported: Imported
    missing: tuple[str, ...]
    sure: bool

    def plain(self) -> dict[str, Any]:
        return {**asdict(self.imported), "deactivated": list(self.missing), "changed_anything": self.sure}

    def told(self) -> str:
        one = self.imported
        people = f"{one.added:,} added, {one.changed:,} changed, {len(self.missing):,} deactivated"
        new = f"{one.groups:,} groups, {one.consents:,} consents, {one.follows:,} follows"
        new += f", {one.aliases:,} aliases" if one.aliases else ""
        line = (
            f"{counted(one.people, 'row')}: {people}; phones and mailboxes: {one.phones_and_mailboxes:,}; new: {new}."
        )
        return line if self.sure else f"Nothing was changed. With --yes it would be: {line}"


def content(file: Path) -> bytes:
    """The whole file, or standard input; raises Refused."""
    try:
        return sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    except OSError as error:
        raise Refused(f"{file}: {error.strerror or error}.") from None


def run(session: Session, found: Roster, *, complete: bool, sure: bool) -> Done:
    """All of it or nothing. A complete file only shows what it would do until one is sure."""
    trial = session.begin_nested()
    missing = people_import.missing(session, found) if complete else []
    _show_missing(missing)
    _deactivate(session, missing)  # first: their numbers may be somebody else's by now
    plan = people_import.plan(session, found)
    if plan.problems:
        _refuse(plan.problems)
    imported = _carried_out(session, plan)
    audit.record(session, operator(), "people.import", None, asdict(imported))
    applied = sure or not complete
    trial.commit() if applied else trial.rollback()  # what a preview tells is exactly what would happen
    return Done(imported, tuple(one.handle for one in missing), applied)


def _refuse(problems: Sequence[Problem]) -> None:
    for problem in problems[:SHOWN]:
        typer.echo(f"{problem.place}: {problem.reason}", err=True)
    if len(problems) > SHOWN:
        typer.echo(f"and {len(problems) - SHOWN:,} more", err=True)
    raise Refused(f"{counted(len(problems), 'problem')} in the file: nothing was changed.")


def _show_missing(missing: Sequence[Known]) -> None:
    for one in missing[:SHOWN]:
        typer.echo(f"not in the file: @{one.handle} {one.name}", err=True)
    if len(missing) > SHOWN:
        typer.echo(f"and {len(missing) - SHOWN:,} more", err=True)


def _carried_out(session: Session, plan: Plan) -> Imported:
    if len(plan.rows) < LONG:
        return enrolment.carry_out(session, plan)
    with typer.progressbar(length=len(plan.rows), label="Importing", file=sys.stderr) as bar:
        return enrolment.carry_out(session, plan, bar.update)


def _deactivate(session: Session, missing: Sequence[Known]) -> None:
    accounts.deactivate_all(session, [one.id for one in missing])
    for one in missing:
        audit.record(session, operator(), "people.deactivate", one.id, {"handle": one.handle, "by": "import"})
