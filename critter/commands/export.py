"""`critter export`: everything about one person in one file, for that person."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from critter.console.help_request import working
from gateway.errors import Refused

if working():
    from critter.console.console import database, format_count, operator_name
    from gateway import failpoints
    from gateway.ledger.audit import audit_log
    from gateway.network.people import accounts, export
    from gateway.settings import load
    from gateway.store.database import transaction
    from gateway.store.tables import Account

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def run(
    person: Annotated[str, typer.Argument(metavar="PERSON", help="Their handle.")],
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="A .zip, or a .json; HANDLE.zip if not said.")
    ] = None,
) -> None:
    """Write down everything about one person: as JSON, as text to read, and their pictures. Only you may read it."""
    settings = load()
    failpoints.arm(settings.crash_at, settings.var, "export")
    with database(settings) as engine:
        with transaction(engine) as session:
            found = _person(accounts.by_handle(session, person, active=False), person)
        place = out or Path(f"{found.handle}.zip")
        if place.exists():
            raise Refused(f"{place} is there already: remove it, or name another file with --out.")
        with transaction(engine) as session:
            sections = export.everything(session, found)
        with transaction(engine) as session:
            pictures = export.pictures(session, found)
        part = place.with_name(f"{place.name}.part")
        try:
            _write(part, place, found.handle, sections, [settings.var / "media" / name[:2] / name for name in pictures])
            with transaction(engine) as session:
                audit_log.record(session, operator_name(), "people.export", found.id)
            part.rename(place)  # last: a file of that name is complete, and the audit knows of it
        finally:
            part.unlink(missing_ok=True)
    rows = sum(len(section) for section in sections.values())
    typer.echo(f"Written to {place}: {format_count(rows, 'row')} about @{found.handle}, for nobody else to read.")


def _person(found: Account | None, written: str) -> Account:
    if found is None or found.kind != "person":
        raise Refused(f"There is no person @{written.lstrip('@')[:40]}: critter people list --all shows who there is.")
    return found


def _write(
    part: Path, place: Path, handle: str, sections: Mapping[str, Sequence[Mapping[str, Any]]], pictures: Sequence[Path]
) -> None:
    """Writes the file; its format follows from the name that it will have."""
    whole = export.as_json(sections)
    try:
        with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            if place.suffix == ".json":
                file.write(whole)
                return
            with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
                packed.writestr("data.json", whole)
                packed.writestr("read-me.txt", export.as_text(handle, sections))
                for picture in filter(Path.exists, pictures):
                    packed.write(picture, f"pictures/{picture.name}")
    except OSError as error:
        raise Refused(f"{place} cannot be written ({error.strerror}): name another file with --out.") from None
