"""`critter smtp-user`: the line of CRITTER_SMTP_USERS for a relay of the company's that signs in at the mail door."""

import secrets
from typing import Annotated

import typer

from gateway.errors import Refused
from gateway.settings import smtp_users

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def smtp_user(
    name: Annotated[str, typer.Argument(help="The name that it signs in with.")],
    ask: Annotated[bool, typer.Option("--ask", help="Ask for the password, instead of making one.")] = False,
) -> None:
    """Make a name and password with which the company's relay signs in at the mail door."""
    password = typer.prompt("Password", hide_input=True, confirmation_prompt=True) if ask else secrets.token_urlsafe(24)
    try:
        user = smtp_users.made(name, password)
    except ValueError as wrong:
        raise Refused(str(wrong)) from None
    if not ask:
        typer.echo(f"password: {password}     (for the relay; it is shown this once)")
    typer.echo("In the settings, with a comma behind users that are there already:")
    typer.echo(f"CRITTER_SMTP_USERS={user}")
