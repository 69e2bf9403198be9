"""`critter smtp-user`: the line of CRITTER_SMTP_USERS for a relay of the company's that signs in at the mail door."""

from __future__ import annotations

import secrets
from typing import Annotated

import typer

from critter.console import prompts
from critter.console.help_request import working
from gateway.errors import Refused

if working():
    from gateway.settings import smtp_users

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def smtp_user(
    name: Annotated[str, typer.Argument(help="The name that it signs in with.")],
    ask: Annotated[bool, typer.Option("--ask", help="Ask for the password, instead of making one.")] = False,
    piped: Annotated[bool, typer.Option("--stdin", help="The password is the first line of standard input.")] = False,
) -> None:
    """Make a name and password with which the company's relay signs in at the mail door."""
    given = ask or piped
    password = prompts.secret("Password", piped=piped) if given else secrets.token_urlsafe(24)
    try:
        user = smtp_users.made(name, password)
    except ValueError as wrong:
        raise Refused(str(wrong)) from None
    if not given:
        typer.echo(f"password: {password}     (for the relay; it is shown this once)")
    typer.echo("In the settings, with a comma behind users that are there already:")
    typer.echo(f"CRITTER_SMTP_USERS={user}")
