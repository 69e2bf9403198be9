"""People from a CSV file: it is looked at line by line, and shown what it would change, before anything is done."""

from dataclasses import dataclass
from typing import Final

from flask import Response, request

from gateway.channels import SMS
from gateway.doors.web.operate import ROUTER
from gateway.doors.web.operate.frame import operator, show
from gateway.doors.web.visits.visit import Visit, see_other
from gateway.errors import Refused
from gateway.i18n.phrases import Phrase, count, joined, say
from gateway.network.operating import people_imports, welcoming
from gateway.network.operating.people_imports import ImportReport, WrongRows
from gateway.network.people.imports import csv_file
from gateway.network.people.imports.csv_file import COLUMNS, PhoneCountries, Problem, Roster

LONGEST: Final = 4 << 20  # octets of the field with the file; some 50,000 people
SHOWN: Final = 50  # wrong lines


@dataclass(frozen=True, slots=True)
class LookedAt:
    """A file that was looked at and not yet done. `text`: its content, for the form that does it."""

    text: str
    complete: bool
    note: str | None = None
    report: ImportReport | None = None
    problems: tuple[Problem, ...] = ()
    refused: str | None = None  # why the file as a whole cannot be used

    @property
    def same(self) -> int:
        done = self.report.imported if self.report else None
        return done.people - done.added - done.changed if done else 0


@ROUTER.page("/operate/people/import", "admin")
def import_form(visit: Visit) -> str:
    return show(visit, "people_import.html", looked=None, columns=COLUMNS, shown=SHOWN)


@ROUTER.post("/operate/people/import", "admin", uploads=True, longest=LONGEST)
def import_people(visit: Visit) -> str | Response:
    """Without `do` it only looks; the answer is the page with what it found."""
    content, complete = _content(), bool(request.form.get("complete"))
    try:
        found = csv_file.read(content, _places(visit), visit.web.reserved)
    except Refused as refused:
        return _show(visit, LookedAt(_text(content), complete, refused=refused.text))
    sure = bool(request.form.get("do"))
    try:
        report = _run(visit, found, complete=complete, sure=sure)
    except WrongRows as wrong:
        return _show(visit, LookedAt(_text(content), complete, found.note, problems=wrong.problems))
    if not sure:
        return _show(visit, LookedAt(_text(content), complete, found.note, report))
    welcomed, waiting = welcoming.welcome_few(visit.session, visit.settings, operator(visit))
    visit.queues.add(SMS)
    visit.say(_done(report, welcomed, waiting))
    return see_other("/operate/people")


def _content() -> bytes:
    """Of the chosen file; else of the field, which has what was looked at, perhaps mended."""
    file = request.files.get("file")
    if file is not None and file.filename:
        return bytes(file.read())
    return request.form.get("text", "").encode()


def _text(content: bytes) -> str:
    """As the field shows it; a file in another encoding is decoded as the import does."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace").replace("\0", "")


def _places(visit: Visit) -> PhoneCountries:
    return PhoneCountries(visit.settings.sms_region, visit.settings.sms_countries)


def _run(visit: Visit, found: Roster, *, complete: bool, sure: bool) -> ImportReport:
    """Nobody puts themselves out by a file that does not name them."""
    missing = people_imports.find_missing(visit.session, found, complete=complete)
    if any(one.id == visit.account.id for one in missing):
        raise Refused(say("The file does not name you, so you would be put out yourself. Add your line."))
    return people_imports.run(visit.session, found, missing, operator(visit), sure=sure)


def _show(visit: Visit, looked: LookedAt) -> str:
    return show(visit, "people_import.html", looked=looked, columns=COLUMNS, shown=SHOWN)


def _done(report: ImportReport, welcomed: int, waiting: int) -> Phrase:
    one = report.imported
    parts = [
        count("{count} person added.", "{count} people added.", one.added),
        count("{count} changed.", "{count} changed.", one.changed),
    ]
    parts += [count("{count} put out.", "{count} put out.", len(report.missing))] if report.missing else []
    parts += [count("{count} phone welcomed.", "{count} phones welcomed.", welcomed)] if welcomed else []
    later = "{count} phones wait for their welcome: critter people welcome says its price."
    parts += (
        [count("{count} phone waits for its welcome: critter people welcome says its price.", later, waiting)]
        if waiting
        else []
    )
    return joined(parts)
