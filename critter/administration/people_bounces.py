"""`critter people bounces` and `mail-on`: mailboxes that send mail back, and switching one on by hand."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import typer

from critter.console.help_request import working
from gateway.channels import EMAIL
from gateway.errors import Refused

if working():
    from critter.administration.accounts import account
    from critter.console.console import open_session, operator_name, show_json, show_rows
    from gateway.ledger.audit import audit_log
    from gateway.mail.bounces import failure_reasons
    from gateway.network.mail import bounce_scores
    from gateway.network.mail.bounce_scores import BounceStatus
    from gateway.network.people import addresses
    from gateway.security.masking import mask_contact
    from gateway.settings import load


def show(as_json: Annotated[bool, typer.Option("--json", help="JSON for other programs.")] = False) -> None:
    """Mailboxes that mails came back from within a week, and those that get none any more because of it.

    A mail that can never be delivered counts 1, one that was given up 0.5; from 5 on the mailbox is off. It gets a
    test mail after 1, 3, 7 and 14 days; a mail from it, or `critter people mail-on`, ends that at once."""
    settings = load()
    with open_session(settings) as session:
        rows = bounce_scores.list_statuses(session)
    key = settings.secret_keys[0]
    if as_json:
        show_json([_plain(row, key) for row in rows])
    elif rows:
        titles = ("handle", "mailbox", "score", "off since", "next test", "why the last one came back")
        show_rows(titles, [_line(row, key) for row in rows])
    else:
        typer.echo("No mailbox sends mail back.")


def _line(row: BounceStatus, key: str) -> tuple[object, ...]:
    owner = f"@{row.handle}" if row.handle else "(a stranger)"
    return (owner, mask_contact(key, row.address), f"{row.score:g}", _day(row.off_since), _day(row.probe_at), _why(row))


def _day(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d}" if moment else "-"


def _why(row: BounceStatus) -> str:
    words = str(failure_reasons.describe_failure("failed", row.status, EMAIL))
    return f"{words} ({row.status})" if row.status[:1].isdigit() else words


def _plain(row: BounceStatus, key: str) -> dict[str, Any]:
    return {
        "handle": row.handle,
        "mailbox": mask_contact(key, row.address),
        "score": row.score,
        "status": row.status,
        "why": str(failure_reasons.describe_failure("failed", row.status, EMAIL)),
        "bounced_at": row.bounced_at.isoformat(),
        "off": row.off_since is not None,
        "off_since": row.off_since.isoformat() if row.off_since else None,
        "probes": row.probes,
        "next_probe_at": row.probe_at.isoformat() if row.probe_at else None,
    }


def turn_mail_on(handle: Annotated[str, typer.Argument(metavar="HANDLE")]) -> None:
    """Send mails to somebody again whose mailbox was switched off because they came back."""
    with open_session(load()) as session:
        person = account(session, handle, "person")
        boxes = [row for row in addresses.of_account(session, person.id) if row.channel == EMAIL]
        if not boxes:
            raise Refused(f"@{person.handle} has no mailbox.")
        changed = [row.id for row in boxes if bounce_scores.turn_on(session, row.id)]
        for address_id in changed:
            audit_log.record(session, operator_name(), "people.mail_on", address_id, {"channel": EMAIL})
    typer.echo(f"Mails go to @{person.handle} again." if changed else f"Mails go to @{person.handle} already.")
