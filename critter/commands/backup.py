"""`critter backup`: the database and the pictures in one file, while everything runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from critter.console.help_request import working
from gateway.errors import Refused

if working():
    from critter.backup import archive
    from critter.console.console import database
    from critter.servers.reached import reach_servers
    from gateway.settings import load
    from gateway.store.database import transaction

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def run(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where to; a name of its own each time.")],
) -> None:
    """Write the database and the pictures into one file. Nothing needs to be stopped.

    The secret key is not in it: keep CRITTER_SECRET_KEY (simulated: CRITTER_VAR/secret_key) elsewhere. The file holds
    everything that was said; only you may read it."""
    settings = load()
    if file.exists():
        raise Refused(f"{file} is there already: name another file, such as critter-2026-11-25.tar.")
    with reach_servers(settings), database(settings) as engine:
        with transaction(engine) as session:
            manifest = archive.describe(session)
        size = archive.write(settings, file, manifest, lambda line: typer.echo(line, err=True))
    typer.echo(
        f"Written to {file}: {size / 1e6:,.1f} MB. Keep the secret key elsewhere: without it old links are dead."
    )
