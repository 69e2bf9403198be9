"""`critter consent`: who said yes and no to texts, in which words; and texts of which a person must decide whether they
are a no."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterable
from enum import StrEnum
from functools import partial
from typing import Annotated, Any

import typer

from critter.console.help_request import working

if working():
    from critter.administration.accounts import account
    from critter.console.console import open_session, operator_name, show_json, show_rows
    from gateway.ledger.audit import audit_log
    from gateway.network.operating import flagged_texts
    from gateway.network.people import addresses, consent
    from gateway.network.people.consent import ConsentRecord, FlaggedRefusal
    from gateway.security.masking import mask_contact
    from gateway.settings import load
    from gateway.store.tables import Inbound

app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    help="Who said yes and no to texts, and in which words.",
)
Id = Annotated[int, typer.Argument(metavar="ID", help="As critter consent flagged names it.")]
Json = Annotated[bool, typer.Option("--json", help="JSON for other programs.")]
Person = Annotated[str | None, typer.Option(metavar="HANDLE", help="Only this person's.")]
Number = Annotated[str | None, typer.Option(metavar="NUMBER", help="Only this phone's, whoever had it when.")]


class Format(StrEnum):
    CSV = "csv"
    JSON = "json"


@app.command("list")
def show(person: Person = None, number: Number = None, as_json: Json = False) -> None:
    """What was said when. Numbers are masked; export has them whole."""
    settings = load()
    mask = partial(mask_contact, settings.secret_keys[0])
    with open_session(settings) as session:
        rows = [
            _plain(row) for row in consent.list_records(session, *_whose(session, person, number, settings.sms_region))
        ]
    for row in rows:
        row["number"] = mask(row["number"])
    if as_json:
        show_json(rows)
    elif rows:
        titles = ("when (UTC)", "said", "number", "whose", "by", "words")
        show_rows(titles, [_line(row) for row in rows])
    else:
        typer.echo("Nothing is kept of that.")


@app.command()
def export(
    how: Annotated[Format, typer.Option("--format", help="csv, or json: one object a line.")] = Format.CSV,
    person: Person = None,
    number: Number = None,
) -> None:
    """Everything to standard output, numbers and words as they were; that it was exported is audited."""
    settings = load()
    with open_session(settings) as session:
        whose = _whose(session, person, number, settings.sms_region)
        count = _written(how, map(_plain, consent.list_records(session, *whose)))
        audit_log.record(session, operator_name(), "consent.export", whose[0], {"rows": count, "format": how.value})


@app.command()
def flagged(
    everything: Annotated[bool, typer.Option("--all", help="The closed too.")] = False, as_json: Json = False
) -> None:
    """Texts that may ask us to stop. No words are shown: critter consent show ID does."""
    settings = load()
    mask = partial(mask_contact, settings.secret_keys[0])
    with open_session(settings) as session:
        rows = [_flag(row, mask(row.address)) for row in consent.list_flagged(session, everything=everything)]
    if as_json:
        show_json(rows)
    elif rows:
        titles = ("id", "received (UTC)", "from", "whose", "state")
        show_rows(titles, [list(row.values()) for row in rows])
    else:
        typer.echo("No text is flagged." if everything else "No text waits for a decision.")


@app.command("show")
def show_one(inbound_id: Id) -> None:
    """The words of one; that you looked is kept."""
    with open_session(load()) as session:
        row = consent.read_one(session, inbound_id)
        words = session.get_one(Inbound, row.inbound_id).text or "(its words are gone by age)"
        audit_log.record(session, operator_name(), "consent.show", inbound_id, {"whom": row.handle})
    typer.echo(words)


@app.command()
def stop(inbound_id: Id) -> None:
    """It was a no: the phone gets no more texts until it sends START. Kept with the words of the text."""
    with open_session(load()) as session:
        first = flagged_texts.stop(session, inbound_id, operator_name())
    typer.echo("Opted out. START from that phone brings texts back." if first else "It was opted out already.")


@app.command()
def dismiss(inbound_id: Id) -> None:
    """It was no refusal; nothing changes."""
    with open_session(load()) as session:
        closed = flagged_texts.dismiss(session, inbound_id, operator_name())
    typer.echo("Closed." if closed else "It was closed already.")


def _whose(session: Any, person: str | None, number: str | None, region: str) -> tuple[int | None, str | None]:
    """(account, number) to look for; raises Refused for a person or number that cannot be one."""
    account_id = account(session, person, "person").id if person else None
    return account_id, addresses.normal_phone(number, region) if number else None


def _written(how: Format, rows: Iterable[dict[str, Any]]) -> int:
    """How many records were written."""
    count = 0
    writer = csv.DictWriter(sys.stdout, FIELDS, lineterminator="\n")
    if how is Format.CSV:
        writer.writeheader()
    for count, row in enumerate(rows, 1):  # noqa: B007  counted as it goes by
        writer.writerow({name: _cell(value) for name, value in row.items()}) if how is Format.CSV else show_json(row)
    return count


def _cell(value: Any) -> Any:
    """Keeps a spreadsheet from taking what somebody texted us for a formula (OWASP, CSV injection). A number is no
    formula."""
    risky = isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r")
    return f"'{value}" if risky and not value[1:].isdigit() else value


FIELDS = ("id", "at", "kind", "number", "channel", "who", "wording", "our_number", "carrier_id", "source")


def _plain(row: ConsentRecord) -> dict[str, Any]:
    at = row.created_at.isoformat()
    cells = (str(row.id), at, row.kind, row.address, row.channel, row.handle)
    return dict(zip(FIELDS, (*cells, row.wording, row.our_address, row.carrier_id, row.source), strict=True))


def _line(row: dict[str, Any]) -> tuple[object, ...]:
    said = {"opt_in": "yes", "opt_out": "no"}[row["kind"]]
    who = f"@{row['who']}" if row["who"] else "nobody"
    return row["at"][:16].replace("T", " "), said, row["number"], who, row["source"], row["wording"]


def _flag(row: FlaggedRefusal, number: str) -> dict[str, Any]:
    state = "closed" if row.closed_at else "open"
    return {
        "id": str(row.inbound_id),
        "received_at": row.received_at.isoformat(timespec="minutes"),
        "number": number,
        "who": f"@{row.handle}" if row.handle else "nobody",
        "state": f"{state}, opted out" if row.stopped else state,
    }
