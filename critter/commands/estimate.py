"""`critter estimate HANDLE TEXT`: whom an update would reach, now, later or in a digest, and what it would cost."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from critter.console.help_request import working
from gateway.errors import Refused

if working():
    from sqlalchemy.orm import Session

    from critter.console.console import format_count, open_session, show_json
    from gateway.actions import reach_estimate
    from gateway.actions.model.actor import Actor
    from gateway.actions.reach_estimate import ReachEstimate
    from gateway.language.words.normalize import clean
    from gateway.network.people import accounts
    from gateway.network.posts.posts import NewPost
    from gateway.security.signed_tokens import Signer
    from gateway.settings import Settings, load
    from gateway.store.tables import Account

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def run(
    handle: Annotated[str, typer.Argument(help="Who would post it.")],
    text: Annotated[str, typer.Argument(help="The words of the update.")],
    group: Annotated[str | None, typer.Option(metavar="HANDLE", help="The group that it would go to.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Whom would this update reach, when, and what would it cost? Nothing is posted.

    To more than eight hundred followers the numbers are about right: some of them are looked at and stand for all."""
    settings = load()
    with open_session(settings) as session:
        reach = _estimate(session, settings, handle, text, group)
    show_json(_plain(reach)) if as_json else _show(reach)


def _estimate(session: Session, settings: Settings, handle: str, text: str, group: str | None) -> ReachEstimate:
    author, to = _account(session, handle, "person"), _account(session, group, "group") if group else None
    actor = Actor(author, "cli", settings, Signer(settings.secret_keys))
    words = NewPost(author, clean(text), "group" if to else "company", "cli", to)
    return reach_estimate.estimate(session, actor, words)


def _account(session: Session, handle: str, kind: str) -> Account:
    found = accounts.by_handle(session, handle.lstrip("#"))
    if found is None or found.kind != kind:
        lists = "critter people list" if kind == "person" else "critter groups list"
        raise Refused(f"No {kind} is called {handle[:40]}. {lists} shows who there is.")
    return found


def _plain(reach: ReachEstimate) -> dict[str, object]:
    until = reach.until.isoformat() if reach.until else None
    return {**asdict(reach), "cost": str(reach.cost), "until": until}


def _show(reach: ReachEstimate) -> None:
    about, texts = "" if reach.exact else "about ", "" if reach.phones_exact else "about "
    from_then = f", the first at {reach.until:%Y-%m-%d %H:%M} UTC" if reach.until else ""
    rows = (
        ("now", f"{about}{reach.now:,}"),
        ("later", f"{about}{reach.later:,}{from_then}"),
        ("in digests", f"{about}{reach.digest:,}"),
        ("on the web", f"{about}{reach.web:,}"),
        ("nowhere", f"{about}{reach.nowhere:,}"),
        (
            "texts",
            f"{texts}{format_count(reach.parts, 'part')} to {format_count(reach.phones, 'phone')}, ${reach.cost}",
        ),
        ("time", f"{format_count(reach.minutes, 'minute')} at the rate of our numbers"),
    )
    for title, words in rows:
        typer.echo(f"{typer.style(title.ljust(12), dim=True)}{words}")
    if reach.parts_left is not None:
        typer.echo(f"The budgets have {format_count(reach.parts_left, 'part')} left, so not everybody would get it.")
