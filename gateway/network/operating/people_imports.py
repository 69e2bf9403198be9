"""Adds and changes people from a checked CSV file, all of it or nothing. `critter people import` and the page for it
call it."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy.orm import Session

from gateway.ledger.audit import audit_log
from gateway.network.people import accounts
from gateway.network.people.imports import apply
from gateway.network.people.imports import plan as people_import
from gateway.network.people.imports.apply import Imported
from gateway.network.people.imports.csv_file import Problem, Roster
from gateway.network.people.imports.plan import ImportPlan, KnownAccount

Carrier = Callable[[Session, ImportPlan], Imported]


class WrongRows(Exception):
    """The file has lines that cannot be imported, so nothing was changed."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(f"{len(problems)} problems")
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What changed, or without `sure` what would change. `missing`: those whom a complete file does not name."""

    imported: Imported
    missing: tuple[KnownAccount, ...]
    sure: bool

    def plain(self) -> dict[str, Any]:
        changed = self.sure and self.something
        handles = [one.handle for one in self.missing]
        return {**asdict(self.imported), "deactivated": handles, "changed_anything": changed}

    @property
    def something(self) -> bool:
        """Whether it changes anything: the same file does not change anything the second time."""
        return bool(self.missing or any(count for name, count in asdict(self.imported).items() if name != "people"))


def find_missing(session: Session, found: Roster, *, complete: bool) -> list[KnownAccount]:
    """Those who would be deactivated, because a file that names everybody does not name them."""
    return people_import.missing(session, found) if complete else []


def run(
    session: Session,
    found: Roster,
    missing: Sequence[KnownAccount],
    actor: str,
    *,
    sure: bool,
    carry_out: Carrier = apply.carry_out,
) -> ImportReport:
    """Imports all of it; without `sure` it is done and taken back again, so that a preview says exactly what would
    happen. Raises WrongRows."""
    trial = session.begin_nested()
    _deactivate(session, missing, actor)  # first: their numbers may belong to somebody else by now
    plan = people_import.plan(session, found)
    if plan.problems:
        trial.rollback()
        raise WrongRows(plan.problems)
    imported = carry_out(session, plan)
    done = ImportReport(imported, tuple(missing), sure)
    if done.something:
        audit_log.record(session, actor, "people.import", None, asdict(imported))
    trial.commit() if sure else trial.rollback()
    return done


def _deactivate(session: Session, missing: Sequence[KnownAccount], actor: str) -> None:
    accounts.deactivate_all(session, [one.id for one in missing])
    for one in missing:
        audit_log.record(session, actor, "people.deactivate", one.id, {"handle": one.handle, "by": "import"})
