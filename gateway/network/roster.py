"""The file that `critter people import` takes: CSV in, checked rows out, no database yet."""

import csv
import io
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import NamedTuple
from zoneinfo import available_timezones

from babel import Locale, UnknownLocaleError

from gateway.errors import Refused
from gateway.network.addresses import normal_mailbox, normal_phone, refuse_unreachable
from gateway.network.aliases import normal_alias
from gateway.network.handles import canonical_handle, clean_name, handle_problem

_FROM_OFFICES = ("aliases", "employee_id")
COLUMNS = ("handle", "name", "phone", "email", "groups", "follows", "language", "timezone", "consent", *_FROM_OFFICES)
REQUIRED = ("handle", "name")
NOT_UTF8 = (
    "The file is not UTF-8; it was read as Windows-1252 (Latin-1). Look at the accents, or save it as “CSV UTF-8”."
)
LONGEST_WORDING = 2000
_BETWEEN = re.compile(r"[\s,;|]+")
_BEFORE_PLUS = re.compile(r"[\s,;|]+(?=\+)|[,;|\n]+")


@dataclass(frozen=True, slots=True)
class Row:
    """One person of the file. The first phone and mailbox are the primary ones; an empty cell is None or no names."""

    line: int
    handle: str
    name: str
    phones: tuple[str, ...] = ()
    mailboxes: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    follows: tuple[str, ...] = ()
    language: str | None = None
    timezone: str | None = None
    consent: str | None = None
    aliases: tuple[str, ...] = ()
    employee_id: str | None = None

    @property
    def called(self) -> dict[str, str]:
        """Every other word that they are called by, with its kind."""
        number = {self.employee_id: "employee_id"} if self.employee_id else {}
        return dict.fromkeys(self.aliases, "alias") | number


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a line cannot be imported; lines count from 1, the header's."""

    line: int
    reason: str


@dataclass(slots=True)
class Roster:
    """The whole file: it may be imported when there are no problems. `note` is for the person even then."""

    rows: list[Row] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    note: str | None = None


Cells = dict[str, str]


class Places(NamedTuple):
    """Where phones are: the country of those without a +, and the countries that texts may go to."""

    region: str
    countries: Collection[str]


def read(content: bytes, places: Places, reserved: Collection[str] = ()) -> Roster:
    """The people of a CSV file as Excel or any other program writes it. `reserved` are the verbs. Raises Refused when
    the file as a whole is of no use: not text, no header, a column nobody knows."""
    text, note = _decoded(content)
    roster = Roster(note=note)
    for line, cells in _lines(text, roster.problems):
        try:
            roster.rows.append(_row(line, cells, places, reserved))
        except Refused as refused:
            roster.problems.append(Problem(line, str(refused)))
    if not roster.rows and not roster.problems:
        raise Refused("The file has a header and no people.")
    roster.problems += _said_twice(roster.rows)
    return roster


def _decoded(content: bytes) -> tuple[str, str | None]:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", "replace"), None
    if b"\x00" in content:
        raise Refused("That is no CSV file: save the table as “CSV UTF-8”.")
    try:
        return content.decode("utf-8-sig"), None
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace"), NOT_UTF8


def _lines(text: str, problems: list[Problem]) -> Iterator[tuple[int, Cells]]:
    """Each row's first line and its cells by column."""
    text, start = _without_separator_line(text)
    first = text.lstrip("\r\n").split("\n", 1)[0]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=first.count), strict=True)
    rows = _numbered(reader, start, problems)
    _, header = next(rows, (0, []))
    columns = _columns(header)
    for line, cells in rows:
        if len(cells) > len(columns) and any(cell.strip() for cell in cells[len(columns) :]):
            problems.append(
                Problem(
                    line, f"{len(cells)} cells under {len(columns)} columns: put cells with the separator in quotes."
                )
            )
        else:
            yield line, {column: cell.strip() for column, cell in zip(columns, cells, strict=False)}


def _without_separator_line(text: str) -> tuple[str, int]:
    """Excel's own first line, `sep=;`, only says what the next one shows."""
    first, _, rest = text.partition("\n")
    return (rest, 1) if re.fullmatch(r"sep=.\r?", first, re.IGNORECASE) else (text, 0)


def _numbered(reader: Iterator[list[str]], start: int, problems: list[Problem]) -> Iterator[tuple[int, list[str]]]:
    while True:
        line = start + reader.line_num + 1  # type: ignore[attr-defined]  # csv's own reader
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            problems.append(Problem(line, f"Not CSV: {error}."))
            return
        if any(cell.strip() for cell in cells):
            yield line, cells


def _columns(header: Sequence[str]) -> list[str]:
    columns = [cell.strip().casefold() for cell in header]
    while columns and not columns[-1]:
        columns.pop()
    unknown = [column for column in columns if column not in COLUMNS]
    if unknown:
        raise Refused(f"Unknown column “{unknown[0][:40]}”. The columns are: {', '.join(COLUMNS)}.")
    missing = [column for column in REQUIRED if column not in columns]
    if missing:
        raise Refused(f"The file has no column “{missing[0]}”; its first line names the columns: {', '.join(COLUMNS)}.")
    twice = [column for column, count in Counter(columns).items() if count > 1]
    if twice:
        raise Refused(f"The column “{twice[0]}” is there twice.")
    return columns


def _row(line: int, cells: Cells, places: Places, reserved: Collection[str]) -> Row:
    handle = canonical_handle(cells.get("handle", ""))
    problem = handle_problem(handle, reserved) if handle else "No handle."
    if problem:
        raise Refused(problem)
    consent = cells.get("consent") or None
    phones = _phones(cells.get("phone", ""), places)
    return Row(
        line=line,
        handle=handle,
        name=clean_name(cells.get("name", "")),
        phones=phones,
        mailboxes=_each(cells.get("email", ""), normal_mailbox),
        groups=_each(cells.get("groups", ""), lambda name: _group(name, reserved)),
        follows=_each(cells.get("follows", ""), canonical_handle),
        language=language(cells.get("language", "")),
        timezone=timezone(cells.get("timezone", "")),
        consent=_wording(consent, phones),
        aliases=_each(cells.get("aliases", ""), lambda name: normal_alias(name, reserved)),
        employee_id=normal_alias(cells["employee_id"], reserved) if cells.get("employee_id") else None,
    )


def _each(cell: str, normal: Callable[[str], str]) -> tuple[str, ...]:
    """The names of a cell, blanks between them, each once."""
    return tuple(dict.fromkeys(normal(name) for name in _BETWEEN.split(cell) if name))


def _phones(cell: str, places: Places) -> tuple[str, ...]:
    """Blanks stand between numbers and inside them: what reads as one number is one."""
    found: dict[str, None] = {}
    for piece in filter(None, _BEFORE_PLUS.split(cell)):
        try:
            found[normal_phone(piece, places.region)] = None
        except Refused:
            if len(piece.split()) < 2:
                raise
            found |= {normal_phone(number, places.region): None for number in piece.split()}
    for number in found:
        refuse_unreachable(number, places.countries)
    return tuple(found)


def _group(name: str, reserved: Collection[str]) -> str:
    """A group's name as written; its handle is the canonical form."""
    problem = handle_problem(canonical_handle(name), reserved)
    if problem:
        raise Refused(f"The group: {problem}")
    return name.lstrip("@#")


def _wording(consent: str | None, phones: Sequence[str]) -> str | None:
    if consent and not phones:
        raise Refused("There is consent and no phone that it could be for.")
    if consent and len(consent) > LONGEST_WORDING:
        raise Refused(f"The wording of the consent has more than {LONGEST_WORDING} characters.")
    return consent


@cache
def language(cell: str) -> str | None:
    """A BCP 47 tag in its usual form; None for an empty cell."""
    if not cell:
        return None
    try:
        return "-".join(part for part in str(Locale.parse(cell.replace("_", "-"), sep="-")).split("_") if part)
    except (ValueError, UnknownLocaleError):
        raise Refused(f"“{cell[:20]}” is no language: write it like en, fr or pt-BR.") from None


@cache
def timezone(cell: str) -> str | None:
    """An IANA name; None for an empty cell."""
    if not cell:
        return None
    known = {zone.casefold(): zone for zone in available_timezones()}
    zone = known.get(cell.replace(" ", "_").casefold())
    if zone is None:
        raise Refused(f"“{cell[:40]}” is not a time zone. Write it like Europe/Berlin or America/New_York.")
    return zone


def _said_twice(rows: Sequence[Row]) -> Iterator[Problem]:
    """Handles, phones, mailboxes and aliases that an earlier line has."""
    first: dict[str, Row] = {}
    for row in rows:
        for kind, value in _unique(row):
            earlier = first.setdefault(value, row)
            if earlier is not row:
                yield Problem(row.line, f"The {kind} is in line {earlier.line} too, of @{earlier.handle}.")


def _unique(row: Row) -> Iterator[tuple[str, str]]:
    yield f"handle @{row.handle}", row.handle
    yield from (("phone", phone) for phone in row.phones)
    yield from ((f"mailbox {mailbox}", mailbox) for mailbox in row.mailboxes)
    yield from ((f"alias “{alias}”", alias) for alias in row.called)
