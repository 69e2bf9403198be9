"""`critter people import` on the command line: reads, reports, changes, shows its progress, says what was done."""

import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import typer
from sqlalchemy.orm import Session

from critter.console.console import format_count, operator_name
from gateway.errors import Refused
from gateway.ledger.audit import audit_log
from gateway.network.people import accounts
from gateway.network.people.imports import apply
from gateway.network.people.imports import plan as people_import
from gateway.network.people.imports.apply import Imported
from gateway.network.people.imports.csv_file import Problem, Roster
from gateway.network.people.imports.plan import ImportPlan, KnownAccount

SHOWN = 50  # bad rows, and people who would be deactivated
LONG = 2000  # rows from which on it shows its progress


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What changed, or without `sure` what would change. `missing`: handles of those whom a complete file does not
    name."""

    imported: Imported
    missing: tuple[str, ...]
    sure: bool

    def plain(self) -> dict[str, Any]:
        changed = self.sure and self.something
        return {**asdict(self.imported), "deactivated": list(self.missing), "changed_anything": changed}

    @property
    def something(self) -> bool:
        """Whether it changes anything: the same file does not change anything the second time."""
        return bool(self.missing or any(count for name, count in asdict(self.imported).items() if name != "people"))

    def summarize(self) -> str:
        rows = format_count(self.imported.people, "row")
        if not self.something:
            return f"{rows}: all of it is so already. Nothing was changed."
        line = f"{rows}: {self._people()}; new: {self._new()}."
        return line if self.sure else f"Nothing was changed. With --yes it would be: {line}"

    def _people(self) -> str:
        one = self.imported
        primary = f"; {format_count(one.primaries, 'other phone or mailbox')} first" if one.primaries else ""
        return f"{one.added:,} added, {one.changed:,} changed, {len(self.missing):,} deactivated{primary}"

    def _new(self) -> str:
        one = self.imported
        counts = {"phone or mailbox": one.phones_and_mailboxes, "group": one.groups, "consent": one.consents}
        counts |= {"follow": one.follows} | ({"alias": one.aliases} if one.aliases else {})
        return ", ".join(format_count(count, noun) for noun, count in counts.items())


def read_content(file: Path) -> bytes:
    """The whole file, or standard input; raises Refused."""
    try:
        return sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    except OSError as error:
        raise Refused(f"{file}: {error.strerror or error}.") from None


def run(session: Session, found: Roster, *, complete: bool, sure: bool) -> ImportReport:
    """Imports all of it or nothing. A complete file only shows what it would do until `sure` is given."""
    trial = session.begin_nested()
    missing = people_import.missing(session, found) if complete else []
    _show_missing(missing)
    _deactivate(session, missing)  # first: their numbers may belong to somebody else by now
    plan = people_import.plan(session, found)
    if plan.problems:
        _refuse(plan.problems)
    imported = _carried_out(session, plan)
    done = ImportReport(imported, tuple(one.handle for one in missing), sure or not complete)
    if done.something:
        audit_log.record(session, operator_name(), "people.import", None, asdict(imported))
    trial.commit() if done.sure else trial.rollback()  # a preview tells exactly what would happen
    return done


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


def _deactivate(session: Session, missing: Sequence[KnownAccount]) -> None:
    accounts.deactivate_all(session, [one.id for one in missing])
    for one in missing:
        audit_log.record(session, operator_name(), "people.deactivate", one.id, {"handle": one.handle, "by": "import"})
