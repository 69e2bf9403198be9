"""`critter people ways`: how what comes to somebody comes, and setting it for them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any, Final, Literal

import typer

from critter.console.help_request import working

if working():
    from sqlalchemy.orm import Session

    from critter.administration.accounts import account
    from critter.console import worker_wakeup
    from critter.console.console import open_session, operator_name, show_json, show_rows
    from gateway.actions.lookups.way_table import WayRow, WayTable, way_table
    from gateway.actions.model.actor import Actor
    from gateway.actions.preferences import ways
    from gateway.attention.causes import DeliveryCause
    from gateway.errors import Refused
    from gateway.language.usage.way_words import CAUSE_WORDS, WAYS
    from gateway.ledger.audit import audit_log
    from gateway.network.people import accounts
    from gateway.security.signed_tokens import Signer
    from gateway.settings import Settings, load

ORIGINS = {"own": "chosen", "cause": "by its cause", "usual": "as asked for"}
SENTENCES: Final = {
    "not_followed": "@{who} does not follow {name}, so there is no way to choose for it.",
    "source_not_followed": "@{who} does not follow or track that, so there is no way to choose for it.",
    "tag_not_followed": "@{who} does not follow {tag}, so there is no way to choose for it.",
    "phrase_not_tracked": '@{who} does not track "{phrase}". What they track: critter people ways {who}',
    "no_mailbox": "@{who} has no confirmed mailbox, so nothing was changed. To add one: critter people link",
    "no_device": "@{who} has no device that gets pushes, so nothing was changed. They add one on the web: Settings",
    "no_phone": "@{who} has no confirmed phone, so nothing was changed. To add one: critter people link",
}
MIXED = "text or mail"  # of a cause of which each comes as it was asked for


def show(
    handle: Annotated[str, typer.Argument(metavar="HANDLE")],
    what: Annotated[
        str | None,
        typer.Argument(
            metavar="[WHAT]",
            help="private, mentions, replies, tracked, groups, people, tags or broadcasts; or one of them: @kim, "
            "#sales, #win, '\"acme\"'.",
        ),
    ] = None,
    way: Annotated[
        str | None,
        typer.Argument(metavar="[WAY]", help="text, push, mail, digest, web, nothing, or usual: as it was before."),
    ] = None,
    prefer: Annotated[
        Literal["text", "push", "mail", "web"] | None,
        typer.Option(help="mail: mails instead of texts; push: pushes; web: the web alone; text: texts again."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON for other programs.")] = False,
) -> None:
    """How what comes to somebody comes: by text, push or mail, in a digest, on the web, or not at all, for each cause
    and for all that they follow or track. With WHAT and WAY, set it for them. That you looked or changed it is kept."""
    if (what is None) != (way is None):
        raise Refused("Say what and how: critter people ways HANDLE mentions digest.")
    settings = load()
    with open_session(settings) as session:
        person = account(session, handle, "person")
        actor = Actor(person, "cli", settings, Signer(settings.secret_keys))
        with _told_about(person.handle):
            if prefer:
                ways.prefer(session, actor, None if prefer == "text" else prefer)
            if what and way:
                _set(session, actor, what, way)
        detail = {"changed": bool(prefer or what)}
        audit_log.record(session, operator_name(), "people.ways", person.id, detail)
        table = way_table(session, actor)
    _wake(settings, actor)
    show_json(_plain(table)) if as_json else _show(person.handle, table)


@contextmanager
def _told_about(handle: str) -> Iterator[None]:
    """What somebody is told by text says "you", and which text to send; an operator hears whom it is about."""
    try:
        yield
    except Refused as refused:
        if refused.reason not in SENTENCES:
            raise
        raise Refused(SENTENCES[refused.reason].format(who=handle, **refused.facts)) from None


def _wake(settings: Settings, actor: Actor) -> None:
    if actor.queues:
        worker_wakeup.notify(settings, actor.queues)


def _set(session: Session, actor: Actor, what: str, said: str) -> None:
    """What the person does with `prefer WAY for WHAT`; their own `undo` takes back what they did themselves."""
    if said not in WAYS:
        raise Refused(f"{said[:20]!r} is no way: text, push, mail, digest, web, nothing or usual.")
    way = WAYS[said]
    if what in CAUSE_WORDS:
        ways.set_cause_way(session, actor, DeliveryCause[CAUSE_WORDS[what].upper()], way)
        return
    found = account(session, what) if what[:1] == "@" else accounts.by_handle(session, what.lstrip("#"))
    if found is not None and (found.kind == "group" or what[:1] != "#"):
        ways.set_source_way(session, actor, found.id, way)
    elif what[:1] == "#":
        ways.set_tag_way(session, actor, what, way)
    else:
        ways.set_phrase_way(session, actor, what, way)


def _show(handle: str, table: WayTable) -> None:
    show_rows(("cause", "what", "way", "why"), [_line(row) for row in table.rows])
    if table.preferred == "mail":
        typer.echo(f"@{handle} prefers mails: each text comes as a mail, where a mailbox takes it.")
    if table.preferred == "push":
        typer.echo(f"@{handle} prefers pushes: each text comes as a push, while they have a device.")
    if table.preferred == "web":
        typer.echo(f"@{handle} prefers the web: what came by text is there alone.")


def _line(row: WayRow) -> tuple[object, ...]:
    return (row.cause.name.lower(), row.called or "(all)", row.way or MIXED, ORIGINS[row.origin])


def _plain(table: WayTable) -> dict[str, Any]:
    rows = [
        {"cause": row.cause.name.lower(), "what": row.called or None, "way": row.way, "origin": row.origin}
        for row in table.rows
    ]
    return {"prefers_mails": table.preferred == "mail", "preferred": table.preferred, "ways": rows}
