"""`critter groups`: what groups there are, and new ones."""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum
from typing import Annotated, Any

import typer

from critter.console.help_request import working
from gateway.errors import Refused

if working():
    from sqlalchemy.orm import Session

    from critter.administration.accounts import account
    from critter.console import prompts
    from critter.console.console import format_count, open_session, operator_name, show_json, show_rows
    from critter.console.reserved_words import reserved_words
    from gateway.i18n.phrases import say
    from gateway.ledger.audit import audit_log
    from gateway.ledger.outbox import outbox
    from gateway.ledger.outbox.outbox import Outgoing, Target
    from gateway.network.conversation import notices
    from gateway.network.follows import follows, group_owners, reachability
    from gateway.network.people import accounts, listings
    from gateway.network.people import rename as renaming
    from gateway.network.people.listings import ListedGroup
    from gateway.queue.worker_notifier import WorkerNotifier
    from gateway.settings import Settings, load
    from gateway.store.tables import Account

app = typer.Typer(
    add_completion=False, pretty_exceptions_enable=False, no_args_is_help=True, help="The groups of the company."
)


class Access(StrEnum):
    OPEN = "open"
    CLOSED = "closed"
    BROADCAST = "broadcast"


class Switch(StrEnum):
    ON = "on"
    OFF = "off"


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
    with open_session(load()) as session:
        owner_id = account(session, owner, "person").id if owner else None
        shown = name or handle.lstrip("@#")
        group = accounts.create_group(session, handle, shown, access.value, owner_id, reserved=reserved_words())
        for one in poster or []:
            person = account(session, one, "person")
            if person.id != owner_id:
                follows.follow(session, person.id, group.id, by_text=False, role="poster")
        posting = follows.posters(session, group.id)
        audit_log.record(
            session, operator_name(), "groups.add", group.id, {"handle": group.handle, "access": access.value}
        )
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
    with open_session(settings) as session:
        place, person = account(session, group, "group"), account(session, handle, "person")
        if not follows.approve(session, person.id, place.id):
            raise Refused(f"@{person.handle} has not asked to join #{place.handle}.")
        words = f"You are in {place.name} now. To stop: LEAVE {place.handle.upper()}"
        to = [Target(found.id, found.channel) for found in reachability.reached(session, [person.id])]
        outbox.put(session, Outgoing("notice", words, words, words, priority=2), to)
        audit_log.record(session, operator_name(), "groups.admit", person.id, {"group": place.handle})
    _notify(settings, {target.channel for target in to})
    typer.echo(f"@{person.handle} is in #{place.handle} now and has been told.")


GroupName = Annotated[str, typer.Argument(metavar="GROUP")]


@app.command()
def rename(
    group: GroupName,
    new: Annotated[str, typer.Argument(metavar="NAME", help="What texts call it from now on.")],
    name: Annotated[str | None, typer.Option(help="The name people read; else NAME as written.")] = None,
) -> None:
    """Give a group another name. The old one goes on as an alias, so that texts with it still arrive."""
    with open_session(load()) as session:
        place = account(session, group, "group")
        was = place.handle
        renaming.rename(session, place, new, accounts.clean_name(name or new.lstrip("@#")), reserved_words())
        audit_log.record(session, operator_name(), "groups.rename", place.id, {"handle": place.handle})
    old = f" #{was} still means it; critter people alias {place.handle} {was} --remove ends that."
    typer.echo(f"#{was} is #{place.handle} now, “{place.name}”.{old if was != place.handle else ''}")


@app.command()
def close(group: GroupName, yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False) -> None:
    """End a group: nobody hears it any more, and nobody can post there. What was written stays. It cannot be undone."""
    settings = load()
    with open_session(settings) as session:
        place = account(session, group, "group")
        followers = follows.followers(session, place.id)[0]
    if not yes:
        prompts.confirm(f"Close #{place.handle}, heard by {format_count(followers, 'person')}?")
    with open_session(settings) as session:
        place = account(session, group, "group")
        accounts.deactivate(session, place.id)
        audit_log.record(session, operator_name(), "groups.close", place.id, {"handle": place.handle})
    typer.echo(f"Closed #{place.handle}.")


@app.command()
def owner(
    group: GroupName,
    handle: Annotated[str, typer.Argument(metavar="HANDLE")],
    remove: Annotated[bool, typer.Option("--remove", help="They run it no longer, and stay in it.")] = False,
) -> None:
    """Let somebody run a group, who is told; with --remove no longer. A group keeps at least one owner."""
    settings = load()
    with open_session(settings) as session:
        place, person = account(session, group, "group"), account(session, handle, "person")
        role = follows.role_in(session, person.id, place.id)
        if (role == "owner") != remove:
            what = "no owner of" if remove else "an owner of"
            typer.echo(f"@{person.handle} is {what} #{place.handle}{'' if remove else ' already'}.")
            return
        _refuse_ownerless(session, place, person, remove)
        follows.follow(session, person.id, place.id, by_text=False, role=_next_role(place, remove))
        action = "groups.disown" if remove else "groups.owner"
        audit_log.record(session, operator_name(), action, person.id, {"group": place.handle})
        drains = frozenset[str]() if remove else notices.tell(session, [person.id], _running(place))
    _notify(settings, drains)
    done = f"does not run #{place.handle} any more" if remove else f"runs #{place.handle} now, and is told"
    typer.echo(f"@{person.handle} {done}.")


def _next_role(place: Account, remove: bool) -> str:
    if not remove:
        return "owner"
    return "poster" if place.access == "broadcast" else "member"


def _refuse_ownerless(session: Session, place: Account, person: Account, remove: bool) -> None:
    if remove and group_owners.is_last_owner(session, person.id, place.id):
        raise Refused(f"#{place.handle} would have no owner: first critter groups owner {place.handle} HANDLE.")


def _running(place: Account) -> str:
    return say(
        "An operator made you an owner of {group}: add NAME {handle}, remove NAME {handle}. leave {handle} ends it.",
        group=place.name,
        handle=place.handle,
    )


def _notify(settings: Settings, channels: Collection[str]) -> None:
    notifier = WorkerNotifier(settings.redis_url)
    for channel in channels:
        notifier.notify(channel)
    notifier.close()


@app.command()
def urgent(
    group: GroupName,
    switch: Annotated[Switch, typer.Argument(help="Whether its owners and posters may send urgent calls.")],
) -> None:
    """Let a group send urgent calls, which reach who follows it at any hour; or no longer. Each call is proved and
    priced first."""
    with open_session(load()) as session:
        place = account(session, group, "group")
        may = switch is Switch.ON
        already = " already" if place.may_urge == may else ""
        place.may_urge = may
        audit_log.record(session, operator_name(), "groups.urgent", place.id, {"group": place.handle, "on": may})
    typer.echo(f"#{place.handle} {'may' if may else 'may not'} send urgent calls{already}.")


@app.command("list")
def show(as_json: Annotated[bool, typer.Option("--json", help="One JSON array.")] = False) -> None:
    """Every group: who joins it, who runs it, how many hear it."""
    with open_session(load()) as session:
        rows = listings.groups(session)
    if as_json:
        show_json([_plain(row) for row in rows])
    elif rows:
        show_rows(("handle", "name", "access", "heard by", "run by"), [_line(row) for row in rows])
    else:
        typer.echo("There are no groups yet: critter groups add NAME, or the groups column of critter people import.")


def _line(row: ListedGroup) -> tuple[object, ...]:
    return (f"#{row.handle}", row.name, row.access, f"{row.heard_by:,}", " ".join(row.run_by))


def _plain(row: ListedGroup) -> dict[str, Any]:
    return {
        "id": str(row.id),
        "handle": row.handle,
        "name": row.name,
        "access": row.access,
        "heard_by": row.heard_by,
        "run_by": row.run_by,
    }
