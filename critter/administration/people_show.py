"""`critter people show`: one person as an operator may see them, without what they said."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Annotated, Any

import typer

from critter.console.help_request import working

if working():
    from critter.console.console import format_count, open_session, operator_name, show_json
    from gateway.ledger.audit import audit_log
    from gateway.network.inspect import profile
    from gateway.network.operating import people
    from gateway.network.people import addresses
    from gateway.security.masking import mask_contact
    from gateway.settings import load


def show(
    handle: Annotated[str, typer.Argument(metavar="HANDLE")],
    numbers: Annotated[bool, typer.Option("--numbers", help="Show phones and mailboxes as they are.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """One person: what reaches them, their groups, role and locks. That you looked is kept."""
    settings = load()
    with open_session(settings) as session:
        person = people.find(session, handle)
        mask = str if numbers else partial(mask_contact, settings.secret_keys[0])
        found = profile.profile(session, person, mask)
        audit_log.record(session, operator_name(), "people.show", person.id, {"numbers": numbers})
    if as_json:
        show_json(found)
        return
    for line in (*_who(found), *map(_reach, found["addresses"]), *_hears(found), *_locks(found)):
        typer.echo(line)


def _who(found: dict[str, Any]) -> Iterator[str]:
    title = f", {found['title']}" if found["title"] else ""
    yield f"@{found['handle']}  {found['name']}{title}"
    yield ", ".join((found["state"], found["role"], f"since {found['since'][:10]}", found["language"], _clock(found)))
    if found["aliases"]:
        yield f"also called {', '.join(found['aliases'])}"


def _clock(found: dict[str, Any]) -> str:
    home, now = found["timezone"], found["zone_now"]
    return home if home == now else f"{home}, now {now}"


def _reach(one: dict[str, Any]) -> str:
    noun = f"{'' if one['primary'] else 'another '}{addresses.NOUN[one['channel']]}"
    seen = f", last heard {one['seen_at'][:10]}" if one["seen_at"] else ""
    return f"{noun}: {one['address']}, {one['state']}{seen}"


def _hears(found: dict[str, Any]) -> Iterator[str]:
    groups = ", ".join(f"#{group}" for group in found["groups"]) or "no group"
    follows, followers = format_count(found["follows"], "person"), format_count(found["followers"], "person")
    yield f"in {groups}; follows {follows}, heard by {followers}"


def _locks(found: dict[str, Any]) -> Iterator[str]:
    if found["pin"] == "locked":
        yield f"PIN: locked; critter people pin {found['handle']} gives a new one"
    elif found["pin"] != "none":
        yield f"PIN: asked for with {'every text that does something' if found['pin'] == 'always' else 'what is risky'}"
    if found["confirming"] == "locked":
        yield f"confirming: locked after wrong codes; critter people unlock {found['handle']} opens it"
