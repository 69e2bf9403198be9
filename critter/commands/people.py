"""`critter people`: who is in the company, one by one or from a file."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from critter.administration import people_bounces, people_link, people_show, people_ways
from critter.console.help_request import working
from gateway.channels import EMAIL
from gateway.errors import Refused

if working():
    from sqlalchemy.orm import Session

    from critter.administration import people_import, people_welcome
    from critter.administration.accounts import account
    from critter.console import prompts
    from critter.console.console import format_count, open_session, operator_name, show_json, show_rows
    from critter.console.reserved_words import reserved_words
    from gateway.ledger.audit import audit_log
    from gateway.network.mail import secret_addresses
    from gateway.network.operating import adding
    from gateway.network.operating import people as operating
    from gateway.network.operating.adding import NewPerson
    from gateway.network.people import accounts, addresses, aliases, listings
    from gateway.network.people.imports import csv_file
    from gateway.network.people.imports.csv_file import PhoneCountries
    from gateway.network.people.listings import ListedPerson
    from gateway.network.verification import lockouts, pins
    from gateway.security.signed_tokens import Signer
    from gateway.settings import load
    from gateway.store.tables import Account

app = typer.Typer(
    add_completion=False, pretty_exceptions_enable=False, no_args_is_help=True, help="The people of the company."
)
Handle = Annotated[str, typer.Argument(metavar="HANDLE")]
Json = Annotated[bool, typer.Option("--json", help="JSON for other programs.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


class Role(StrEnum):
    MEMBER = "member"
    OPERATOR = "operator"
    ADMIN = "admin"


@app.command("import")
def import_file(
    file: Annotated[Path, typer.Argument(metavar="FILE.csv", allow_dash=True, help="- reads standard input.")],
    complete: Annotated[
        bool, typer.Option("--complete", help="The file names everybody: who is missing is deactivated.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="With --complete: do it; without, it is only shown.")] = False,
    as_json: Json = False,
) -> None:
    """Add and change people from a CSV file; nothing changes unless the whole file is good.

    Columns: handle, name, phone, email, groups, follows, language, timezone, consent, aliases, employee_id.
    The first two must be there.
    A phone without consent is invited: it gets one text that welcomes it, and no other before it answers. Where more
    phones would be welcomed than CRITTER_ASK_PHONES, `critter people welcome` does so and says the price."""
    settings = load()
    places = PhoneCountries(settings.sms_region, settings.sms_countries)
    found = csv_file.read(people_import.read_content(file), places, reserved_words())
    if found.note:
        typer.echo(found.note, err=True)
    with open_session(settings) as session:
        done = people_import.run(session, found, complete=complete, sure=yes)
        unwelcomed = people_welcome.after_import(session, settings) if done.sure else ""
    show_json(done.plain()) if as_json else typer.echo(people_import.summarize(done))
    if unwelcomed:
        typer.echo(unwelcomed, err=True)


@app.command()
def welcome(yes: Yes = False) -> None:
    """Send each invited phone its one text: who we are, STOP and HELP. Nobody is welcomed twice."""
    settings = load()
    with open_session(settings) as session:
        summary = people_welcome.run(session, settings, ask=not yes)
    typer.echo(summary)


@app.command()
def add(
    handle: Handle,
    name: Annotated[str, typer.Argument(metavar="NAME")],
    phone: Annotated[list[str] | None, typer.Option(help="The first is the primary one.")] = None,
    email: Annotated[list[str] | None, typer.Option(help="The first is the primary one.")] = None,
    consent: Annotated[
        str | None, typer.Option(metavar="TEXT", help="The words they agreed to texts with; else they are invited.")
    ] = None,
    group: Annotated[list[str] | None, typer.Option(metavar="GROUP", help="Put them into this group.")] = None,
    follow: Annotated[list[str] | None, typer.Option(metavar="HANDLE", help="Let them follow this.")] = None,
    language: Annotated[str, typer.Option()] = "en",
    timezone: Annotated[str, typer.Option()] = "UTC",
    title: Annotated[str | None, typer.Option(help="Their job.")] = None,
) -> None:
    """Add one person."""
    settings = load()
    new = NewPerson(
        handle, name, title or "", phone or (), email or (), consent or "", group or (), follow or (), language,
        timezone,
    )  # fmt: skip
    with open_session(settings) as session:
        added = adding.add(session, settings, new, operator_name(), reserved_words())
        welcomed = people_welcome.after_import(session, settings)
    typer.echo(
        " ".join(filter(None, (f"Added @{added.account.handle}.", _what_next(phone or [], added.by_text), welcomed)))
    )


def _what_next(phones: list[str], texts: bool) -> str:
    return "Updates go to the phone once it has texted us." if phones and not texts else ""


@app.command("list")
def show(
    everybody: Annotated[bool, typer.Option("--all", help="The deactivated too.")] = False,
    group: Annotated[str | None, typer.Option(metavar="GROUP", help="Only those in it.")] = None,
    as_json: Json = False,
) -> None:
    """List people, and whether texts and mails reach them."""
    with open_session(load()) as session:
        group_id = account(session, group, "group").id if group else None
        rows = listings.people(session, everybody=everybody, group_id=group_id)
    if as_json:
        show_json([_plain(row) for row in rows])
    elif rows:
        show_rows(("handle", "name", "title", "phone", "mailbox", "role", "follows"), [_line(row) for row in rows])
        active = sum(row.state == "active" for row in rows)
        typer.echo(format_count(len(rows), "person") if everybody else f"{active:,} active")
    else:
        typer.echo("Nobody is here yet: critter people import FILE.csv, or critter people add HANDLE NAME.")


def _line(row: ListedPerson) -> tuple[object, ...]:
    role = row.role if row.state == "active" else row.state
    return (f"@{row.handle}", row.name, row.title, row.phone or "-", row.mailbox or "-", role, row.follows)


def _plain(row: ListedPerson) -> dict[str, Any]:
    return {
        "id": str(row.id),
        "handle": row.handle,
        "name": row.name,
        "title": row.title,
        "state": row.state,
        "role": row.role,
        "phone": row.phone,
        "mailbox": row.mailbox,
        "follows": row.follows,
    }


@app.command()
def deactivate(handle: Handle, yes: Yes = False) -> None:
    """Cut everything of somebody at once: what they hear, who hears them, phones and mailboxes. Their posts stay."""
    settings = load()
    with open_session(settings) as session:
        name = account(session, handle, "person").name
    if not yes:
        prompts.confirm(f"Deactivate @{handle.lstrip('@')}, {name}?")
    with open_session(settings) as session:
        person = account(session, handle, "person")
        accounts.deactivate(session, person.id)
        audit_log.record(session, operator_name(), "people.deactivate", person.id, {"handle": person.handle})
    typer.echo(f"Deactivated @{person.handle}.")


@app.command()
def alias(
    handle: Handle,
    names: Annotated[list[str] | None, typer.Argument(metavar="NAME", help="More words to call them by.")] = None,
    remove: Annotated[bool, typer.Option("--remove", help="Take the words away.")] = False,
    as_json: Json = False,
) -> None:
    """What else somebody, or a group, is called in a text; with words, call them that too."""
    if remove and not names:
        raise Refused("Say which: critter people alias HANDLE NAME --remove.")
    with open_session(load()) as session:
        named = account(session, handle)
        changed = [name for name in names or [] if _called(session, named, name, remove)]
        if changed:
            audit_log.record(
                session, operator_name(), "people.alias", named.id, {"removed" if remove else "added": len(changed)}
            )
        rows = aliases.of(session, named.id)
    if as_json:
        show_json([{"alias": row.word, "kind": row.kind} for row in rows])
    else:
        typer.echo(f"@{named.handle} is called {', '.join(row.word for row in rows) or 'nothing else'}.")


def _called(session: Session, named: Account, name: str, remove: bool) -> bool:
    return aliases.remove(session, named, name) if remove else aliases.add(session, named, name, reserved_words())


@app.command()
def suspend(
    handle: Handle,
    reason: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Why, without names or numbers; the audit keeps it for ever.")
    ] = None,
) -> None:
    """Stop somebody for now: they act nowhere, receive nothing, are found by nobody. Nothing of theirs is lost."""
    with open_session(load()) as session:
        person = account(session, handle, "person")
        operating.suspend(session, person, operator_name(), reason or "")
    typer.echo(
        f"Suspended @{person.handle}. critter people restore {person.handle} brings them back."
        " What is on its way already may still arrive."
    )


@app.command()
def restore(handle: Handle) -> None:
    """Bring somebody back who was suspended, with all they had."""
    with open_session(load()) as session:
        person = operating.find(session, handle)
        operating.restore(session, person, operator_name())
    typer.echo(f"@{person.handle} is back.")


@app.command()
def role(handle: Handle, new: Annotated[Role, typer.Argument(metavar="member|operator|admin")]) -> None:
    """Say who runs this: operators and admins are told of reports, locks and troubles."""
    with open_session(load()) as session:
        person = account(session, handle, "person")
        changed = operating.set_role(session, person, new.value, operator_name())
    typer.echo(f"@{person.handle} is {'' if changed else 'already '}{new.value}.")


@app.command()
def pin(
    handle: Handle,
    always: Annotated[
        bool | None, typer.Option("--always/--no-always", help="Ask for it with every text that does something.")
    ] = None,
    clear: Annotated[bool, typer.Option("--clear", help="Take it away.")] = False,
    piped: Annotated[bool, typer.Option("--stdin", help="It is the first line of standard input.")] = False,
) -> None:
    """Give somebody a PIN, which their texts are asked for before anything risky; a locked one is opened by a new one.

    It is asked for here, hidden and twice. Without one a code is sent along with the question."""
    settings = load()
    with open_session(settings) as session:
        account(session, handle, "person")
    new = None if clear else prompts.secret("PIN (4 to 8 digits)", piped=piped)
    with open_session(settings) as session:
        person = account(session, handle, "person")
        if new is None:
            done = pins.clear(session, person.id)
        else:
            pins.set_pin(session, person.id, new, always=person.pin == "always" if always is None else always)
            done = True
        audit_log.record(session, operator_name(), "people.pin", person.id, {"pin": person.pin})
        typer.echo(_pin_told(person, done))


def _pin_told(person: Account, done: bool) -> str:
    if person.pin == "none":
        return f"@{person.handle} has no PIN{' any more' if done else ''}."
    when = "every text that does something" if person.pin == "always" else "what is risky"
    return f"@{person.handle} has a PIN now, asked for with {when}."


@app.command()
def unlock(handle: Handle) -> None:
    """Let somebody confirm again at once, after five wrong codes or PINs in their name. Such a lock ends by itself,
    too, after an hour, six hours or a day; a PIN that has ended needs a new one."""
    with open_session(load()) as session:
        person = account(session, handle, "person")
        done = lockouts.unlock(session, person.id)
        if done:
            audit_log.record(session, operator_name(), "people.unlock", person.id, {"handle": person.handle})
    typer.echo(f"@{person.handle} may confirm again." if done else f"@{person.handle} was not locked.")


@app.command()
def secret(
    handle: Handle,
    rotate: Annotated[bool, typer.Option("--rotate", help="Make a new one; the old one ends at once.")] = False,
    as_json: Json = False,
) -> None:
    """Show somebody's own secret address for posting from a mailer that proves nothing, and make it when there is none.

    A mail to it counts as theirs when it is from one of their mailboxes. Whoever else learns it should get a new one
    made: --rotate."""
    settings = load()
    if not settings.mail:
        raise Refused("CRITTER_MAIL is off: there are no mail addresses.")
    signer = Signer(settings.secret_keys)
    with open_session(settings) as session:
        person = account(session, handle, "person")
        word = (secret_addresses.rotate if rotate else secret_addresses.secret)(session, signer, person.id)
        audit_log.record(session, operator_name(), "people.secret", person.id, {"rotated": rotate})
        mailboxes = any(each.channel == EMAIL for each in addresses.of_account(session, person.id))
    address = f"post+{word}@{settings.mail_domain}"
    show_json({"handle": person.handle, "address": address}) if as_json else typer.echo(address)
    if not mailboxes:
        typer.echo(f"@{person.handle} has no mailbox yet, and only mail from one counts.", err=True)


app.command("show")(people_show.show)
app.command("ways")(people_ways.show)
app.command()(people_link.link)
app.command()(people_link.unlink)
app.command("bounces")(people_bounces.show)
app.command("mail-on")(people_bounces.turn_mail_on)
