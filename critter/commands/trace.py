"""`critter trace ID`: everything that happened to one input, post or delivery, in order of time."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Annotated, Any

import typer

from critter.console.help_request import working

if working():
    from critter.administration.timeline import list_events
    from critter.console.console import format_count, open_session, show_json
    from gateway.channels import CHANNELS
    from gateway.network.inspect.id_lookup import look_up
    from gateway.network.inspect.trace import View, trace
    from gateway.security.masking import mask_contact
    from gateway.settings import load

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
SHOWN = 20  # deliveries, for people
MOST = 1000  # deliveries, for other programs


@app.command()
def run(
    row_id: Annotated[
        str, typer.Argument(metavar="ID", help="An id of ours, MESSAGE:ADDRESS, a MessageSid or a mail's Message-ID.")
    ],
    bodies: Annotated[bool, typer.Option("--bodies", help="Show what was said, too.")] = False,
    everything: Annotated[bool, typer.Option("--all", help=f"List up to {MOST} deliveries, not {SHOWN}.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """What happened to this text, mail, post or delivery?"""
    settings = load()
    limit = MOST if everything or as_json else SHOWN
    view = View(partial(mask_contact, settings.secret_keys[0]), settings.sms_price, bodies, limit)
    with open_session(settings) as session:
        traced = trace(session, look_up(session, row_id), view)
    show_json(traced) if as_json else _show(traced)


def _show(traced: dict[str, Any]) -> None:
    if traced["inbound"]:
        typer.echo(typer.style(headline(traced), bold=True))
    for words in [*([traced["inbound"]] if traced["inbound"] else []), *traced["posts"], *traced["messages"]]:
        if words.get("text"):
            typer.echo(f'    "{words["text"]}"')
    for post in traced["posts"]:
        for line in [*receipts(post["receipts"]), *offered(post["offer"])]:
            typer.echo(f"    {line}")
        for line in call(post.get("call")):
            typer.echo(f"    {line}")
    found = list_events(traced)
    for event in found:
        typer.echo(f"{typer.style(_since(event.at - found[0].at), dim=True)}  {event.what}")
    hidden = traced["deliveries_in_all"] - len(traced["deliveries"])
    if hidden:
        typer.echo(f"and {format_count(hidden, 'more delivery')} (--all)")


def headline(traced: dict[str, Any]) -> str:
    """read as update · 4 texts, 2 mails · 11 ms · $0.05"""
    read = f"read as {traced['read_as']}" if traced["read_as"] else traced["state"]
    ms = f" · {traced['ms']} ms" if traced["ms"] is not None else ""
    cost = f" · ${traced['cost']:.2f}" if traced["cost"] else ""
    return f"{read} · {format_count(traced['texts'], 'text')}, {format_count(traced['mails'], 'mail')}{ms}{cost}"


def receipts(traced: dict[str, Any]) -> list[str]:
    """texts: 3 delivered, 1 sent, 1 opted_out"""
    found: list[str] = []
    for channel in CHANNELS.values():
        counts = [f"{number} {kind.replace('_', ' ')}" for kind, number in traced[channel.name].items() if number]
        if counts:
            found.append(f"{channel.nouns}: {', '.join(counts)}")
    if traced["unreached"]:
        found.append(f"followers with no phone or mailbox that it could go to: {traced['unreached']}")
    if traced["by_mail_instead"]:
        found.append(f"by mail instead of a text: {traced['by_mail_instead']}")
    return found


def call(traced: dict[str, Any] | None) -> list[str]:
    """roll-call: 2 of 4 answered, ended: time; and a line for each who has not: @anne: step 1, next at …"""
    if traced is None:
        return []
    people = traced["people"]
    answered = sum(one["answered_at"] is not None for one in people)
    ended = f", ended: {traced['ending']}" if traced["ended_at"] else f", ends at {traced['ends_at']}"
    lines = [f"{traced['kind']}: {answered} of {len(people)} answered{ended}"]
    return lines + [f"@{one['handle']}: {_waits(one)}" for one in people if one["answered_at"] is None]


def _waits(one: dict[str, Any]) -> str:
    if one["gone"]:
        return str(one["gone"]).replace("_", " ")
    return f"step {one['step']}" + (f", the next at {one['next_at']}" if one["next_at"] else "")


def offered(offer: dict[str, Any] | None) -> list[str]:
    """offered to ask: @dana (asked), @bob"""
    if offer is None:
        return []
    people = [f"@{each['handle']}{' (asked)' if each['asked_at'] else ''}" for each in offer["people"]]
    return [f"offered to ask: {', '.join(people)}" if people else "people to ask are still to be looked for"]


def _since(span: timedelta) -> str:
    seconds = span.total_seconds()
    return f"+{seconds * 1000:.0f} ms".rjust(10) if seconds < 10 else f"+{seconds:,.0f} s".rjust(10)
