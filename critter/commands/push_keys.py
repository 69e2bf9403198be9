"""`critter push-keys`: the key by which push services know who sends; makes it once, and shows its public half."""

from __future__ import annotations

import typer

from critter.console.help_request import working

if working():
    from gateway.security import push_keys
    from gateway.settings import load
    from gateway.settings.defaults import keep_secret, push_key_file

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def make() -> None:
    """Make the key for pushes to browsers, unless there is one; then pages offer pushes. It is kept, readable by its
    owner alone, in CRITTER_VAR."""
    settings = load()
    path = push_key_file(settings.var)
    if settings.push_key:
        typer.echo(f"There is a key already. Its public half: {push_keys.public_of(settings.push_key)}")
        typer.echo(f"A new one would cut off every device. If it must be: remove CRITTER_PUSH_KEY or {path}, run this")
        typer.echo("again, restart everything; each device is then added anew.")
        return
    public = push_keys.public_of(keep_secret(path, push_keys.make_private))
    typer.echo(f"made {path}. Its public half: {public}")
    typer.echo(
        "Restart web and worker-email. On several machines: copy the file to each, or set CRITTER_PUSH_KEY there."
    )
