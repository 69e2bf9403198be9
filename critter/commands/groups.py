"""`critter groups`: what groups there are, and new ones."""

from enum import StrEnum
from typing import Annotated, Any

import typer

from critter.company import account, reserved_words
from critter.inside import opened_session, operator, show_json, show_rows
from gateway.bell import Bell
from gateway.errors import Refused
from gateway.ledger import audit, outbox
from gateway.ledger.outbox import Outgoing, Target
from gateway.network import accounts, follows, listings, reach
from gateway.network.listings import Group
from gateway.settings import load

app = typer.Typer(
    add_completion=False, pretty_exceptions_enable=False, no_args_is_help=True, help="The groups of the company."
)


class Access(StrEnum):
    OPEN = "open"
    CLOSED = "closed"
    BROADCAST = "broadcast"


@app.command()
def add(
    handle: Annotated[str, typer.Argument(metavar="NAME", help="What texts call it: 2 to 20 of a-z, 0-9 and _.")],
    access: Annotated[Access, typer.Option(help="Who joins and who posts.")] = Access.OPEN,
    owner: Annotated[str | None, typer.Option(metavar="HANDLE", help="Who runs it.")] = None,
    poster: Annotated[
        list[str] | None, typer.Option(metavar="HANDLE", help="Who posts too; may be given several times.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="The name people read; else NAME as written.")] = None,
) -> None:
    """Make a group."""
    with opened_session(load()) as session:
        owner_id = account(session, owner, "person").id if owner else None
        shown = name or handle.lstrip("@#")
        group = accounts.create_group(session, handle, shown, access.value, owner_id, reserved=reserved_words())
        for one in poster or []:
            person = account(session, one, "person")
            if person.id != owner_id:
                follows.follow(session, person.id, group.id, by_text=False, role="poster")
        posting = follows.posters(session, group.id)
        audit.record(session, operator(), "groups.add", group.id, {"handle": group.handle, "access": access.value})
    typer.echo(f"Made #{group.handle}, {access.value}{_run_by([one.handle for one in posting])}.")
    if access is Access.BROADCAST and not posting:
        typer.echo("Nobody can post there yet: make it with --owner HANDLE or --poster HANDLE.", err=True)


def _run_by(handles: list[str]) -> str:
    return f", with {', '.join('@' + handle for handle in handles)}" if handles else ""


@app.command()
def admit(
    group: Annotated[str, typer.Argument(metavar="GROUP", help="A closed group.")],
    handle: Annotated[str, typer.Argument(help="Who has asked to join it.")],
) -> None:
    """Let somebody into a closed group; they are told."""
    settings = load()
    with opened_session(settings) as session:
        place, person = account(session, group, "group"), account(session, handle, "person")
        if not follows.approve(session, person.id, place.id):
            raise Refused(f"@{person.handle} has not asked to join #{place.handle}.")
        words = f"You are in {place.name} now. To stop: LEAVE {place.handle.upper()}"
        to = [Target(found.id, found.channel) for found in reach.reached(session, [person.id])]
        outbox.put(session, Outgoing("notice", words, words, words, priority=2), to)
        audit.record(session, operator(), "groups.admit", person.id, {"group": place.handle})
    bell = Bell(settings.redis_url)
    for target in to:
        bell.ring(target.channel)
    bell.close()
    typer.echo(f"@{person.handle} is in #{place.handle} now and has been told.")


@app.command("list")
def show(as_json: Annotated[bool, typer.Option("--json", help="One JSON array.")] = False) -> None:
    """Every group: who joins it, who runs it, how many hear it."""
    with opened_session(load()) as session:
        rows = listings.groups(session)
    if as_json:
        show_json([_plain(row) for row in rows])
    elif rows:
        show_rows(("handle", "name", "access", "heard by", "run by"), [_line(row) for row in rows])
    else:
        typer.echo("There are no groups yet: critter groups add NAME, or the groups column of critter people import.")


def _line(row: Group) -> tuple[object, ...]:
    return (f"#{row.handle}", row.name, row.access, f"{row.heard_by:,}", " ".join(row.run_by))


def _plain(row: Group) -> dict[str, Any]:
    return {
        "id": str(row.id),
        "handle": row.handle,
        "name": row.name,
        "access": row.access,
        "heard_by": row.heard_by,
        "run_by": row.run_by,
    }
