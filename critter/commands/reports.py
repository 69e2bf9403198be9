"""`critter reports`: what people reported. Only `show` shows the words that a report is about, and it is audited."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from critter.console.help_request import working

if working():
    from sqlalchemy.orm import Session

    from critter.console.console import open_session, operator_name, show_json, show_rows
    from gateway.ledger.audit import audit_log
    from gateway.network.inspect import abuse_reports
    from gateway.network.inspect.abuse_reports import Reported
    from gateway.network.operating import reports
    from gateway.settings import load
    from gateway.store.tables import Post

app = typer.Typer(
    add_completion=False, pretty_exceptions_enable=False, no_args_is_help=True, help="What people reported."
)
Id = Annotated[int, typer.Argument(metavar="ID", help="As critter reports list names it.")]
Json = Annotated[bool, typer.Option("--json", help="JSON for other programs.")]


@app.command("list")
def show_all(
    everything: Annotated[bool, typer.Option("--all", help="The closed too.")] = False, as_json: Json = False
) -> None:
    """What is open: who reported whom. No words are shown."""
    with open_session(load()) as session:
        rows = abuse_reports.list_open(session, everything=everything)
    if as_json:
        show_json([_plain(row) for row in rows])
    elif rows:
        show_rows(("id", "reported (UTC)", "by", "whom", "what", "state"), [_line(row) for row in rows])
    else:
        typer.echo("Nothing is reported." if everything else "No report is open.")


@app.command()
def show(report_id: Id, as_json: Json = False) -> None:
    """One report with the words it is about; that you looked is kept."""
    with open_session(load()) as session:
        row = abuse_reports.read_one(session, report_id)
        words = _words(session, row)
        audit_log.record(
            session, operator_name(), "reports.show", report_id, {"by": row.reporter, "whom": row.reported}
        )
    if as_json:
        show_json({**_plain(row), "reason": row.reason, "text": words})
        return
    typer.echo(
        f"{row.created_at:%Y-%m-%d %H:%M} UTC  @{row.reporter} reported {_whom(row)}: {_what(row)}, {_state(row)}"
    )
    if row.reason is not None:
        typer.echo(f"Their reason: {row.reason}")
    if words is not None:
        typer.echo(words)


@app.command()
def close(report_id: Id) -> None:
    """You are done with it; nobody is told."""
    with open_session(load()) as session:
        closed = reports.close(session, report_id, operator_name())
    typer.echo("Closed." if closed else "It was closed already.")


def _words(session: Session, row: Reported) -> str | None:
    return session.get_one(Post, row.post_id).text if row.post_id else None


def _whom(row: Reported) -> str:
    return f"{'#' if row.kind == 'group' else '@'}{row.reported}"


def _what(row: Reported) -> str:
    if row.post_id is None:
        return row.kind
    return "a private message" if row.visibility == "direct" else "an update"


def _state(row: Reported) -> str:
    return "closed" if row.closed_at else "open"


def _line(row: Reported) -> tuple[object, ...]:
    return (row.id, f"{row.created_at:%Y-%m-%d %H:%M}", f"@{row.reporter}", _whom(row), _what(row), _state(row))


def _plain(row: Reported) -> dict[str, Any]:
    return {
        "id": str(row.id),
        "created_at": row.created_at.isoformat(),
        "closed_at": row.closed_at.isoformat() if row.closed_at else None,
        "reporter": row.reporter,
        "reported": row.reported,
        "kind": row.kind,
        "post_id": str(row.post_id) if row.post_id else None,
        "private": row.visibility == "direct" if row.post_id else None,
    }
