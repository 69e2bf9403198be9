"""Reads the file of `critter people import`: CSV in, checked rows out, without a database."""

import codecs
import csv
import io
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cache
from typing import NamedTuple, TypeVar
from zoneinfo import available_timezones

from babel import Locale, UnknownLocaleError

from gateway.channels import EMAIL
from gateway.errors import Refused
from gateway.network.people.addresses import normal_mailbox, normal_phone, refuse_unreachable
from gateway.network.people.aliases import normal_alias
from gateway.network.people.handles import HANDLE, canonical_handle, clean_name, handle_problem
from gateway.typed_input import clean_input, drop_invisible, named, show_escaped, strip_invisible

_FROM_OFFICES = ("aliases", "employee_id")
COLUMNS = ("handle", "name", "phone", "email", "groups", "follows", "language", "timezone", "consent", *_FROM_OFFICES)
REQUIRED = ("handle", "name")
NOT_UTF8 = (
    "The file is not UTF-8; it was read as Windows-1252 (Latin-1). Look at the accents, or save it as “CSV UTF-8”."
)
LONGEST_WORDING = 2000
_LOST = "\ufffd"  # stands for what could not be decoded
_MARK_READ_WRONG = "ï»¿"  # a byte order mark that some program read as three letters
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
    """Why a line cannot be imported. Lines are counted from 1, which is the header. `column`: its column, when it is
    one cell."""

    line: int
    reason: str
    column: str = ""

    @property
    def place(self) -> str:
        return f"line {self.line}, {self.column}" if self.column else f"line {self.line}"


@dataclass(slots=True)
class Roster:
    """The whole file, which may be imported when there are no problems. `note` is for the person even then. `torn`:
    rows with problems, without their wrong cells, so that no other row is reported for a name that they have."""

    rows: list[Row] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    note: str | None = None
    torn: list[Row] = field(default_factory=list)


Cells = dict[str, str]


class PhoneCountries(NamedTuple):
    """The country of phones without a +, and the countries that texts may be sent to."""

    region: str
    countries: Collection[str]


def read(content: bytes, places: PhoneCountries, reserved: Collection[str] = ()) -> Roster:
    """The people of a CSV file as Excel or any other program writes it. `reserved` are the verbs. Raises Refused when
    the file as a whole cannot be used: it is no text, has no header, or has an unknown column."""
    text, note = _decoded(content)
    roster = Roster(note=note)
    for line, cells in _lines(text, roster.problems):
        row, wrong = _row(line, cells, places, reserved)
        (roster.torn if wrong else roster.rows).append(row)
        roster.problems += wrong
    if not roster.rows and not roster.problems:
        raise Refused("The file has a header and no people.")
    roster.problems += _said_twice(sorted(roster.rows + roster.torn, key=lambda row: row.line))
    roster.problems.sort(key=lambda problem: problem.line)
    return roster


def _decoded(content: bytes) -> tuple[str, str | None]:
    """The text without invisible characters, and a note when its encoding was guessed."""
    text, note = _text(content)
    return drop_invisible(text).removeprefix(_MARK_READ_WRONG), note


def _text(content: bytes) -> tuple[str, str | None]:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", "replace"), None
    if b"\x00" in content[:2] and len(content) > 2:  # the header begins with an ASCII letter
        return content.decode("utf-16-be" if content[0] == 0 else "utf-16-le", "replace"), None
    if b"\x00" in content:
        raise Refused("That is no CSV file: save the table as “CSV UTF-8”.")
    try:
        return content.decode(), None
    except UnicodeDecodeError:
        return content.removeprefix(codecs.BOM_UTF8).decode("cp1252", "replace"), NOT_UTF8


def _lines(text: str, problems: list[Problem]) -> Iterator[tuple[int, Cells]]:
    """Each row's first line and its cells by column."""
    text, start = _without_separator_line(text)
    first = text.lstrip("\r\n").split("\n", 1)[0]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=first.count), strict=True)
    rows = _numbered(reader, start, problems)
    _, header = next(rows, (0, []))
    columns = _columns(header)
    for line, cells in rows:
        if len(cells) > len(columns) and any(strip_invisible(cell) for cell in cells[len(columns) :]):
            problems.append(
                Problem(
                    line, f"{len(cells)} cells under {len(columns)} columns: put cells with the separator in quotes."
                )
            )
        elif [strip_invisible(cell).casefold() for cell in cells[: len(columns)]] == columns:
            problems.append(Problem(line, "The names of the columns stand here again: take the line out."))
        else:
            yield line, {column: strip_invisible(cell) for column, cell in zip(columns, cells, strict=False)}


def _without_separator_line(text: str) -> tuple[str, int]:
    """Excel's own first line, `sep=;`, only says what the next line shows."""
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
        if any(map(strip_invisible, cells)):
            yield line, cells


def _columns(header: Sequence[str]) -> list[str]:
    columns = [strip_invisible(cell).casefold() for cell in header]
    if not columns:
        raise Refused(f"The file is empty: there is no column. Its first line names them: {', '.join(COLUMNS)}.")
    while columns and not columns[-1]:
        columns.pop()
    if wrong := list(_header_problems(columns)):
        raise Refused(" ".join([*wrong, f"The first line names the columns: {', '.join(COLUMNS)}."]))
    return columns


def _header_problems(columns: Sequence[str]) -> Iterator[str]:
    for column in dict.fromkeys(columns):
        if column not in COLUMNS:
            near = get_close_matches(column, COLUMNS, 1)
            yield f"Unknown column “{show_escaped(column)}”{f': did you mean “{near[0]}”?' if near else '.'}"
    yield from (f"The file has no column “{column}”." for column in REQUIRED if column not in columns)
    twice = [column for column, count in Counter(columns).items() if count > 1]
    yield from (f"The column “{show_escaped(column)}” is there twice." for column in twice)


T = TypeVar("T")


def _row(line: int, cells: Cells, places: PhoneCountries, reserved: Collection[str]) -> tuple[Row, list[Problem]]:
    """The person without the wrong cells, and all that is wrong."""
    wrong: list[Problem] = []

    def cell(column: str, read: Callable[[str], T], otherwise: T) -> T:
        try:
            return read(_whole(cells.get(column, "")))
        except Refused as refused:
            wrong.append(Problem(line, str(refused), column))
            return otherwise

    nobody: tuple[str, ...] = ()
    row = Row(
        line=line,
        handle=cell("handle", lambda written: _handle(written, reserved), ""),
        name=cell("name", clean_name, ""),
        phones=cell("phone", lambda written: _phones(written, places), nobody),
        mailboxes=cell("email", lambda written: _each(written, _mailbox), nobody),
        groups=cell("groups", lambda written: _each(written, lambda name: _group(name, reserved)), nobody),
        follows=cell("follows", lambda written: _each(written, _followed), nobody),
        language=cell("language", language, None),
        timezone=cell("timezone", timezone, None),
        consent=cell("consent", lambda written: _wording(written, bool(cells.get("phone"))), None),
        aliases=cell("aliases", lambda written: _each(written, lambda name: normal_alias(name, reserved)), nobody),
        employee_id=cell("employee_id", lambda written: normal_alias(written, reserved) if written else None, None),
    )
    return row, wrong


def _whole(cell: str) -> str:
    if _LOST in cell:
        raise Refused("Letters are lost here (U+FFFD): save the file anew as “CSV UTF-8”.")
    return cell


def _handle(written: str, reserved: Collection[str]) -> str:
    handle = canonical_handle(written)
    problem = handle_problem(handle, reserved) if handle else "No handle."
    if problem:
        raise Refused(problem)
    return handle


def _followed(name: str) -> str:
    handle = canonical_handle(name)
    if not HANDLE.fullmatch(handle):
        raise Refused(handle_problem(handle) or "")
    return handle


def _mailbox(written: str) -> str:
    try:
        return normal_mailbox(written)
    except Refused as refused:
        raise Refused(f"“{show_escaped(written)}”: {refused}{_odd(written)}") from None


def _odd(written: str) -> str:
    """Those of its characters that nobody would expect there."""
    odd = "".join(one for one in written if not one.isascii() or not one.isprintable())
    return f" There is {named(odd)}." if odd else ""


def _each(cell: str, normal: Callable[[str], str]) -> tuple[str, ...]:
    """The names in a cell, separated by blanks, each once. All wrong ones are reported together."""
    return _all_of(filter(None, _BETWEEN.split(cell)), normal)


def _all_of(names: Iterable[str], normal: Callable[[str], str]) -> tuple[str, ...]:
    found, wrong = dict[str, None](), dict[str, None]()
    for name in names:
        try:
            found[normal(name)] = None
        except Refused as refused:
            wrong[str(refused)] = None
    if wrong:
        raise Refused(" ".join(wrong))
    return tuple(found)


def _phones(cell: str, places: PhoneCountries) -> tuple[str, ...]:
    """The phones in a cell. Blanks stand between numbers and inside them: what can be read as one number is one."""
    numbers = (number for piece in _BEFORE_PLUS.split(cell) if piece for number in _numbers(piece, places.region))
    return _all_of(numbers, lambda number: _phone(number, places))


def _numbers(piece: str, region: str) -> list[str]:
    try:
        return [normal_phone(piece, region)]
    except Refused:
        return piece.split()


def _phone(written: str, places: PhoneCountries) -> str:
    try:
        number = normal_phone(written, places.region)
    except Refused as refused:
        raise Refused(f"{refused}{_odd(written) or _made_a_number(written)}") from None
    refuse_unreachable(number, places.countries)
    return number


def _made_a_number(written: str) -> str:
    if re.fullmatch(r"\d[.,]?\d*E\+?\d+", written, re.IGNORECASE):
        return " A spreadsheet has shortened it: make the column one of text, and type it again."
    return ""


def _group(name: str, reserved: Collection[str]) -> str:
    """A group's name as written; its handle is the canonical form."""
    problem = handle_problem(canonical_handle(name), reserved)
    if problem:
        raise Refused(f"The group: {problem}")
    return name.lstrip("@#")


def _wording(consent: str, phones: bool) -> str | None:
    if consent and not phones:
        raise Refused("There is consent and no phone that it could be for.")
    if len(consent) > LONGEST_WORDING:
        raise Refused(f"The wording of the consent has more than {LONGEST_WORDING} characters.")
    return consent or None


@cache
def language(cell: str) -> str | None:
    """A BCP 47 tag in its usual form; None for an empty cell."""
    cell = clean_input(cell)
    if not cell:
        return None
    try:
        return "-".join(part for part in str(Locale.parse(cell.replace("_", "-"), sep="-")).split("_") if part)
    except (ValueError, UnknownLocaleError):
        raise Refused(f"“{show_escaped(cell, 20)}” is no language: write it like en, fr or pt-BR.") from None


@cache
def timezone(cell: str) -> str | None:
    """An IANA name; None for an empty cell."""
    cell = clean_input(cell)
    if not cell:
        return None
    known = {zone.casefold(): zone for zone in available_timezones()}
    zone = known.get(cell.replace(" ", "_").casefold())
    if zone is None:
        raise Refused(f"“{show_escaped(cell)}” is not a time zone. Write it like Europe/Berlin or America/New_York.")
    return zone


def _said_twice(rows: Sequence[Row]) -> Iterator[Problem]:
    """Reports handles, phones, mailboxes and aliases that an earlier line has."""
    first: dict[str, Row] = {}
    for row in rows:
        for column, kind, value in _unique(row):
            earlier = first.setdefault(value, row)
            if earlier is not row:
                whose = f", of @{earlier.handle}" if earlier.handle else ""
                yield Problem(row.line, f"The {kind} is in line {earlier.line} too{whose}.", column)


def _unique(row: Row) -> Iterator[tuple[str, str, str]]:
    """What must be unique in a row: its column, a word for it, and its value."""
    if row.handle:
        yield "handle", f"handle @{row.handle}", row.handle
    yield from (("phone", "phone", phone) for phone in row.phones)
    yield from ((EMAIL, f"mailbox {mailbox}", mailbox) for mailbox in row.mailboxes)
    yield from (("aliases", f"alias “{alias}”", alias) for alias in row.aliases)
    if row.employee_id:
        yield "employee_id", f"alias “{row.employee_id}”", row.employee_id
