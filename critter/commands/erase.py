"""`critter erase`: removes a person from everything that Critter keeps; a tombstone stays."""

from __future__ import annotations

from typing import Annotated

import typer

from critter.console.help_request import working
from gateway.errors import Refused

if working():
    from critter.backup import erasing
    from critter.console import prompts
    from critter.console.console import database, format_count, operator_name
    from gateway import failpoints
    from gateway.network.people import accounts, erase
    from gateway.settings import load
    from gateway.store.database import transaction
    from gateway.store.tables import Account

ONE = {"addresses": "address", "deliveries": "delivery"}
app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def run(
    person: Annotated[str, typer.Argument(metavar="PERSON", help="Their handle.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Take one person out for good: words, names, numbers, pictures, also at the carrier. It cannot be undone.

    Their posts read “(removed)”, so that others' threads stay readable. An opt-out is kept as a hash. Backups that you
    have still hold them until you delete those; critter restore erases again who was erased since."""
    settings = load()
    failpoints.arm(settings.crash_at, settings.var, "erase")
    with database(settings) as engine:
        with transaction(engine) as session:
            found = _person(accounts.by_handle(session, person, active=False), person)
            there = erase.preview(session, found)
        typer.echo(
            f"@{found.handle}, {found.name}: "
            + ", ".join(format_count(count, ONE.get(name, name[:-1])) for name, count in there.items())
        )
        if not yes:
            prompts.confirm(f"Erase @{found.handle} for good?")
        done = erasing.erase_person(engine, settings.var, found.id, operator_name())
    typer.echo(f"Erased. What is left of them is called @{erase.tombstone(found.id)}.")
    if "texts at the carrier" in done.rows:
        typer.echo(f"Twilio's copies of {done.rows['texts at the carrier']:,} texts are deleted by and by.")


def _person(found: Account | None, written: str) -> Account:
    if found is None or found.kind != "person":
        raise Refused(f"There is no person @{written.lstrip('@')[:40]}: critter people list --all shows who there is.")
    return found
