"""`critter audit`: proves the ledger's invariants, or names the rows that break one and ends with 1."""

from __future__ import annotations

from datetime import timedelta
from itertools import groupby
from typing import Annotated

import typer

from critter.helping import working

if working():
    from critter.inside import counted, opened_session, show_json
    from gateway.ledger.invariants import Broken, Proof, prove
    from gateway.settings import load

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
SHOWN = 20  # rows of one rule
SETTLED = 60.0  # seconds, as gateway/ledger/invariants has them
NOUNS = {"inputs": "input", "posts": "post", "deliveries": "delivery", "attempts": "attempt"}


@app.command()
def run(
    settled: Annotated[
        float, typer.Option(min=0, metavar="SECONDS", help="How old an accepted input must be to have to be done.")
    ] = SETTLED,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Is everything accepted done, nothing done twice, nobody reached who must not be? Exit 1 when not."""
    settings = load()
    with opened_session(settings) as session:
        proof = prove(session, timedelta(seconds=settled), settings.var)
    show_json(proof.plain()) if as_json else _show(proof)
    raise typer.Exit(0 if proof.clean else 1)


def _show(proof: Proof) -> None:
    counts = ", ".join(counted(proof.counts[name], noun) for name, noun in NOUNS.items())
    if proof.clean:
        typer.echo(f"{typer.style('clean', fg='green')}: {counts}")
    else:
        _show_broken(proof, counts)
    if aside := proof.counts["quarantined"]:
        typer.echo(f"{counted(aside, 'input')} ended three workers and wait: critter held list, then retry or drop.")


def _show_broken(proof: Proof, counts: str) -> None:
    for (invariant, rule), rows in groupby(proof.broken, lambda row: (row.invariant, row.rule)):
        typer.echo(f"{typer.style(invariant, fg='red')}  {rule}: broken")
        _show_rows(list(rows))
    typer.echo(f"broken: {counted(len(proof.broken), 'row')} of {counts}")


def _show_rows(rows: list[Broken]) -> None:
    for row in rows[:SHOWN]:
        typer.echo(f"    {row.kind} {row.id}  {row.why}")
    if len(rows) > SHOWN:
        typer.echo(f"    and {len(rows) - SHOWN:,} more (--json names them)")
