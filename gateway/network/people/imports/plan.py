"""Compares the checked file of `critter people import` with the database, before anything changes. apply.py carries the
plan out."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, fields
from typing import TypeVar

from sqlalchemy import ARRAY, TableValuedAlias, Text, func, literal, select
from sqlalchemy.orm import Session

from gateway.channels import EMAIL, SMS
from gateway.network.people import aliases
from gateway.network.people.handles import canonical_handle
from gateway.network.people.imports.csv_file import Problem, Roster, Row
from gateway.store.tables import Account, Address

CHUNK = 5000  # rows in one statement
LOCK = 0x726F7374  # one import at a time
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class KnownAccount:
    """A person or group that the file names and the database already has."""

    id: int
    handle: str
    kind: str
    state: str
    access: str | None
    name: str
    language: str
    timezone: str


_ACCOUNTS = select(*(getattr(Account, column.name) for column in fields(KnownAccount))).select_from(Account)


@dataclass(frozen=True, slots=True)
class OwnedAddress:
    """A phone or mailbox of the file that the database already has. Without an owner it is a stranger's opt-out."""

    id: int
    owner: str | None
    owner_state: str | None


_OWNED = (
    select(Address.address, Address.id, Account.handle, Account.state)
    .select_from(Address)
    .outerjoin(Account, Account.id == Address.account_id)
)


@dataclass(slots=True)
class ImportPlan:
    """What the file would change. It may be carried out when there are no problems."""

    rows: list[Row]
    problems: list[Problem]
    known: dict[str, KnownAccount]
    owned: dict[str, OwnedAddress]
    new_groups: dict[str, str] = field(default_factory=dict)  # handle → name
    called: dict[str, str] = field(default_factory=dict)  # alias → handle of the account that has it already

    @property
    def recycled(self) -> list[int]:
        """Addresses that pass from somebody who is deactivated to somebody else."""
        named = ((row.handle, self.owned.get(address)) for row in self.rows for address in row.phones + row.mailboxes)
        return [owned.id for handle, owned in named if owned and owned.owner not in (None, handle)]

    @property
    def handles(self) -> set[str]:
        return {row.handle for row in self.rows}

    @property
    def added(self) -> list[Row]:
        return [row for row in self.rows if row.handle not in self.known]

    @property
    def revived(self) -> list[Row]:
        """Those who were deactivated and are in the file again."""
        return [row for row in self.rows if row.handle in self.known and self.known[row.handle].state == "deactivated"]

    @property
    def changed(self) -> list[Row]:
        return [row for row in self.rows if row.handle in self.known and _differs(row, self.known[row.handle])]


def plan(session: Session, roster: Roster) -> ImportPlan:
    """Compares the rows with the database; changes nothing."""
    session.execute(select(func.pg_advisory_xact_lock(LOCK)))
    all_rows = roster.rows + roster.torn
    known = _known(session, {name for row in all_rows for name in _names(row)})
    made = ImportPlan(roster.rows, list(roster.problems), known, _owned(session, all_rows))
    made.called = _called(session, all_rows)
    people = {row.handle for row in all_rows}
    groups = {canonical_handle(group): group for row in all_rows for group in row.groups}
    made.new_groups = {handle: name for handle, name in groups.items() if handle not in known and handle not in people}
    made.problems += (
        Problem(row.line, why, column) for row in all_rows for column, why in _problems(made, row, people)
    )
    made.problems.sort(key=lambda problem: problem.line)
    return made


def _called(session: Session, rows: Sequence[Row]) -> dict[str, str]:
    """Which of the file's names and aliases are somebody's aliases already."""
    words = {word for row in rows for word in (*_names(row), *row.called)}
    found = (aliases.owners(session, chunk) for chunk in chunks(sorted(words)))
    return {word: owner.handle for part in found for word, owner in part.items()}


def _names(row: Row) -> Iterator[str]:
    yield row.handle
    yield from row.called
    yield from row.follows
    yield from map(canonical_handle, row.groups)


def chunks(rows: Sequence[T], size: int = CHUNK) -> Iterator[Sequence[T]]:
    return (rows[start : start + size] for start in range(0, len(rows), size))


def _known(session: Session, handles: Iterable[str]) -> dict[str, KnownAccount]:
    found: dict[str, KnownAccount] = {}
    for chunk in chunks(sorted(handles)):
        wanted = _listed(chunk)
        rows = session.execute(_ACCOUNTS.join(wanted, wanted.c.value == Account.handle))
        found |= {row.handle: KnownAccount(*row) for row in rows}
    return found


def _owned(session: Session, rows: Sequence[Row]) -> dict[str, OwnedAddress]:
    found: dict[str, OwnedAddress] = {}
    for channel, named in ((SMS, _all_phones(rows)), (EMAIL, _all_mailboxes(rows))):
        for chunk in chunks(named):
            wanted = _listed(chunk)
            held = _OWNED.join(wanted, wanted.c.value == Address.address).where(Address.channel == channel)
            found |= {row[0]: OwnedAddress(row[1], row[2], row[3]) for row in session.execute(held)}
    return found


def _listed(values: Sequence[str]) -> TableValuedAlias:
    """As a table to join, not for ANY: a prepared ANY walks its whole list for every row."""
    return func.unnest(literal(list(values), ARRAY(Text))).table_valued("value").render_derived()


def _all_phones(rows: Sequence[Row]) -> list[str]:
    return [phone for row in rows for phone in row.phones]


def _all_mailboxes(rows: Sequence[Row]) -> list[str]:
    return [mailbox for row in rows for mailbox in row.mailboxes]


Why = tuple[str, str]  # the column, and what is wrong in it


def _problems(plan: ImportPlan, row: Row, people: set[str]) -> Iterator[Why]:
    known = plan.known.get(row.handle)
    if known is not None and known.kind == "group":
        yield "handle", f"@{row.handle} is a group."
    yield from _name_problems(plan, row, people)
    if not row.handle:  # the addresses may well be theirs
        return
    yield from _alias_problems(plan, row, people)
    for column, noun, each in (("phone", "phone", row.phones), ("email", "mailbox", row.mailboxes)):
        for address in each:
            owned = plan.owned.get(address)
            if owned and owned.owner not in (None, row.handle) and owned.owner_state != "deactivated":
                yield (
                    column,
                    f"The {noun} belongs to @{owned.owner}: deactivate them first, or take it from one of the two.",
                )


def _name_problems(plan: ImportPlan, row: Row, people: set[str]) -> Iterator[Why]:
    for name in map(canonical_handle, row.groups):
        group = plan.known.get(name)
        if (group is not None and group.kind != "group") or name in people:
            yield "groups", f"@{name} is a person, not a group."
        elif group is not None and group.state != "active":
            yield "groups", f"The group @{name} is {group.state}."
    for name in row.follows:
        known = plan.known.get(name)
        if name == row.handle:
            yield "follows", "Nobody follows themselves."
        elif name not in people and name not in plan.new_groups and (known is None or known.state != "active"):
            yield "follows", f"Follows “{name[:40]}”, whom nobody knows: neither in this file nor in Critter."


def _alias_problems(plan: ImportPlan, row: Row, people: set[str]) -> Iterator[Why]:
    if known_as := plan.called.get(row.handle):
        fix = "take another handle, or critter people alias --remove"
        yield "handle", f"@{row.handle} is an alias of @{known_as}: {fix}."
    for group in map(canonical_handle, row.groups):
        if group in plan.called:
            yield "groups", f"The group: “{group}” is an alias of @{plan.called[group]}."
    for alias, kind in row.called.items():
        column = "aliases" if kind == "alias" else kind
        if alias in plan.known or alias in people or alias in plan.new_groups:
            yield column, f"The alias “{alias}” is a handle."
        elif plan.called.get(alias, row.handle) != row.handle:
            yield column, f"The alias “{alias}” is @{plan.called[alias]}'s already."


def _differs(row: Row, known: KnownAccount) -> bool:
    said = (row.name, row.language or known.language, row.timezone or known.timezone)
    return said != (known.name, known.language, known.timezone) or known.state == "deactivated"


def missing(session: Session, roster: Roster) -> list[KnownAccount]:
    """Active people whom a complete file does not name: those who would be deactivated."""
    in_file = {row.handle for row in roster.rows}
    active = _ACCOUNTS.where(Account.kind == "person", Account.state == "active")
    people = session.execute(active.order_by(Account.handle))
    return [KnownAccount(*row) for row in people if row.handle not in in_file]
