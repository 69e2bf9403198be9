"""`critter audit`: proves the ledger's invariants, or names the rows that break one and ends with 1."""

from __future__ import annotations

import re
from datetime import timedelta
from itertools import groupby
from typing import Annotated

import typer

from critter.console.help_request import working
from gateway.errors import Refused

if working():
    from critter.console.console import format_count, open_session, show_json
    from gateway.ledger.audit import audit_log
    from gateway.ledger.audit.audit_log import ChainHead
    from gateway.ledger.audit.invariants import InvariantViolation, Proof, prove
    from gateway.settings import load

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
HASH = re.compile(r"[0-9a-f]{64}")
SHOWN = 20  # rows of one rule
SETTLED = 60.0  # seconds, as gateway/ledger/audit/invariants has them
NOUNS = {"inputs": "input", "posts": "post", "deliveries": "delivery", "attempts": "attempt"}


@app.command()
def run(
    settled: Annotated[
        float, typer.Option(min=0, metavar="SECONDS", help="How old an accepted input must be to have to be done.")
    ] = SETTLED,
    show_head: Annotated[
        bool,
        typer.Option("--head", help="Only the audit's last row, to be kept elsewhere: NUMBER:HASH, and when."),
    ] = False,
    since_head: Annotated[
        str | None, typer.Option("--since-head", metavar="HEAD", help="Is a head that --head once printed still there?")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Is everything accepted done, nothing done twice, nobody reached who must not be? Exit 1 when not."""
    settings = load()
    if show_head:
        with open_session(settings) as session:
            head = audit_log.head(session)
        show_json(head._asdict()) if as_json else typer.echo(f"{head} {head.at}".rstrip())
        return
    noted = _noted(since_head) if since_head is not None else None
    with open_session(settings) as session:
        proof = prove(session, timedelta(seconds=settled), settings.var, noted)
    show_json(proof.plain()) if as_json else _show(proof)
    raise typer.Exit(0 if proof.clean else 1)


def _noted(printed: str) -> ChainHead:
    """A head as --head prints it, with or without its time."""
    number, colon, digest = (printed.split() or [""])[0].partition(":")
    if not colon or not number.isdecimal() or len(number) > 18 or (digest and not HASH.fullmatch(digest)):
        raise Refused("That is no head: give NUMBER:HASH, as critter audit --head prints it.")
    return ChainHead(int(number), digest)


def _show(proof: Proof) -> None:
    counts = ", ".join(format_count(proof.counts[name], noun) for name, noun in NOUNS.items())
    if proof.open:
        typer.echo(
            f"not protected: the role in CRITTER_DATABASE_URL {' and '.join(proof.open)}; "
            "see Two roles in docs/running.md",
            err=True,
        )
    if proof.chain.unsealed_tail:
        typer.echo(f"not sealed yet: the last {format_count(proof.chain.unsealed_tail, 'row')} of the audit", err=True)
    if proof.clean:
        typer.echo(f"{typer.style('clean', fg='green')}: {counts}")
    else:
        _show_broken(proof, counts)
    if aside := proof.counts["quarantined"]:
        typer.echo(
            f"{format_count(aside, 'input')} ended three workers and wait: critter held list, then retry or drop."
        )


def _show_broken(proof: Proof, counts: str) -> None:
    for (invariant, rule), rows in groupby(proof.broken, lambda row: (row.invariant, row.rule)):
        typer.echo(f"{typer.style(invariant, fg='red')}  {rule}: broken")
        _show_rows(list(rows))
    typer.echo(f"broken: {format_count(len(proof.broken), 'row')} of {counts}")


def _show_rows(rows: list[InvariantViolation]) -> None:
    for row in rows[:SHOWN]:
        typer.echo(f"    {row.kind} {row.id}  {row.why}")
    if len(rows) > SHOWN:
        typer.echo(f"    and {len(rows) - SHOWN:,} more (--json names them)")
